import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';
import { listed, sources } from './listed.js';

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

describe('every limit', () => {
  it('that is exported is named by a test', () => {
    const tests = listed('test/*.test.ts', 'test/ledger/conformance/*.ts').map(read).join('\n');
    const limits = sources().flatMap((file) =>
      [...read(file).matchAll(/^export const ((?:MAX|MOST)_[A-Z_]+|[A-Z_]+_LIMITS?)\b/gm)].map((match) => ({
        file,
        name: match[1] ?? '',
      })),
    );
    assert.ok(limits.length > 25, `limits found: ${limits.length}`);
    const untested = limits.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(tests));
    assert.deepEqual(
      untested.map(({ file, name }) => `${name} of ${file}`),
      [],
    );
  });
});

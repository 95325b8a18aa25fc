import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');
const listed = (...patterns: string[]): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: projectRoot,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '');

const tests = listed('test/*.ts')
  .filter((file) => !file.startsWith('test/tidy/'))
  .map(read)
  .join('\n');
const apis = listed('chaincode/src/*/api.ts');

describe('what the contracts may answer', () => {
  it('is exercised by a test, every refusal code', () => {
    assert.ok(apis.length >= 6);
    const missing = apis.flatMap((file) => {
      const table = /refusals\(\{([^}]*)\}/s.exec(read(file))?.[1] ?? '';
      const codes = [...table.matchAll(/'?([a-z][a-z0-9-]+)'?:\s*'/g)].map((match) => match[1] ?? '');
      return codes.filter((code) => !tests.includes(`'${code}'`)).map((code) => `${file}: ${code}`);
    });
    assert.deepEqual(missing, []);
  });

  it('is exercised by a test, every event', () => {
    const missing = apis.flatMap((file) => {
      const table = /export const events = \{([^}]*)\}/s.exec(read(file))?.[1] ?? '';
      const names = [...table.matchAll(/(\w+): '[^']+'/g)].map((match) => match[0]);
      return names
        .filter((entry) => !tests.includes(/'([^']+)'/.exec(entry)?.[1] ?? entry))
        .map((entry) => `${file}: ${entry}`);
    });
    assert.deepEqual(missing, []);
  });
});

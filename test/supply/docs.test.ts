import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';
import { actsTable } from './acts-table.js';

/** Cells alone: how wide the columns are is Prettier's. */
const bare = (line: string): string => line.replace(/-{3,}/g, '---').replace(/\s+/g, ' ');

describe('the page of the supply chain', () => {
  it('has the table of acts as it is generated from the contracts, and no row more', () => {
    const lines = readFileSync(join(projectRoot, 'docs/supply.md'), 'utf8').split('\n');
    const start = lines.findIndex((line) => line.startsWith('| act '));
    const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
    assert.deepEqual(lines.slice(start, end < 0 ? undefined : end).map(bare), actsTable().map(bare));
  });
});

/** The list of differences between the engines: one, and each line held by tests that are there. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { missingTest } from '../support/named-tests.js';
import { projectRoot } from '../support/shared.js';
import { listed } from './listed.js';

const LIST = 'docs/embedded-ledger.md';
const HEAD = /^\| What +\| On the embedded ledger +\| On Fabric +\| Held by +\|$/m;

/** Cells of each line: what, embedded, Fabric, and the tests. */
function differences(): { readonly what: string; readonly said: string[]; readonly heldBy: string[] }[] {
  const [, table = ''] = readFileSync(join(projectRoot, LIST), 'utf8').split(HEAD);
  const rows = (table.split('\n\n')[0] ?? '').split('\n').filter((row) => row.startsWith('| ') && !/^\| -+/.test(row));
  return rows.map((row) => {
    const [what = '', ...cells] = row
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim());
    return { what, said: cells.slice(0, -1), heldBy: (cells.at(-1) ?? '').split('<br>') };
  });
}

describe('the differences between the engines', () => {
  it('say of each engine what it does, and name tests that are there', () => {
    const all = differences();
    assert.ok(all.length >= 14, `${all.length} lines`);
    for (const { what, said } of all) assert.deepEqual([said.length, said.includes('')], [2, false], what);
    assert.deepEqual(
      all.flatMap(({ heldBy }) => heldBy.map(missingTest)).filter((each) => each !== undefined),
      [],
    );
  });

  it('are listed once', () => {
    const tables = listed('*.md').filter((file) => HEAD.test(readFileSync(join(projectRoot, file), 'utf8')));
    assert.deepEqual(tables, [LIST]);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../support/shared.js';

interface Row {
  readonly clause: string;
  readonly where: string;
}

/** The rows of the table of clauses. */
function rows(): readonly Row[] {
  const page = readFileSync(join(projectRoot, 'docs/trials.md'), 'utf8');
  return page
    .split('\n')
    .filter((line) => /^\| (21 CFR|ICH) /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, clause = '', where = '']) => ({ clause, where }));
}

/** Source of the file of tests or attempts that a part of a cell names; undefined where it names none. */
function sourceIn(part: string): string | undefined {
  const name = /`([\w.-]+\.ts)`/.exec(part)?.[1];
  return name === undefined ? undefined : readFileSync(join(projectRoot, 'test/trial', name), 'utf8');
}

describe('the clauses of Part 11 and E6(R3)', () => {
  it('name tests and attempts that are there, or say that they are organisational', () => {
    const table = rows();
    assert.ok(table.length >= 20, `${table.length} clauses`);
    for (const { clause, where } of table) {
      const parts = where.split('; ').filter((part) => sourceIn(part) !== undefined);
      if (parts.length === 0) assert.match(where, /^(no|in part): /, clause);
      for (const part of parts) {
        const titles = [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
        assert.ok(titles.length > 0, `${clause}: ${part} names no test`);
        const source = sourceIn(part) ?? '';
        const missing = titles.filter((title) => !source.includes(`'${title}`) && !source.includes(`"${title}`));
        assert.deepEqual(missing, [], `${clause}: ${part}`);
      }
    }
  });
});

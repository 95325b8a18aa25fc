import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ACTS, type ActRow } from '@salus/chaincode/supply/api';

import { projectRoot } from '../support/shared.js';

/** The rows of the page's table, as the contracts' table has them. */
function tableOfActs(): string[] {
  return Object.entries<ActRow>(ACTS).map(([name, { from, to, who, roles, guards, alerts }]) => {
    const suspicions = Object.entries(alerts).map(([code, kind]) => `${code}: ${kind}`);
    const cells = [from, [to], [who], roles, guards, suspicions].map((each) => each.join(', '));
    return `| ${[name, ...cells].join(' | ')} |`.replace(/\s+/g, ' ');
  });
}

describe('the page of the supply chain', () => {
  it('has the table of acts as the contracts have it', () => {
    const page = readFileSync(join(projectRoot, 'docs/supply.md'), 'utf8');
    const lines = page.split('\n').map((line) => line.replace(/\s+/g, ' '));
    assert.deepEqual(
      tableOfActs().filter((row) => !lines.includes(row)),
      [],
    );
  });
});

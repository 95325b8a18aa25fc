import { strict as assert } from 'node:assert';

import { campaign } from '../support/campaigns.js';
import type { Bug } from './planted/bug.js';
import { consentBugs } from './planted/consent-bugs.js';
import { furtherBugs } from './planted/further-bugs.js';
import { readingBugs } from './planted/reading-bugs.js';
import { compiled, copyTree, withBug, type Tree } from './planted/tree.js';

const bugs: readonly Bug[] = [...consentBugs, ...readingBugs, ...furtherBugs];
/** A slice plants these many, of those that are quick to find. */
const SLICE = 5;

const planted = campaign('planted');
const isWhole = planted.size({ slice: 0, full: 1 }) === 1;

/** The campaign's choice, by its seed. */
function chosen(): readonly Bug[] {
  if (isWhole) return bugs;
  const random = planted.random();
  const order = bugs.filter(({ isQuick }) => isQuick).map((bug) => ({ bug, place: random() }));
  return order
    .sort((one, other) => one.place - other.place)
    .slice(0, SLICE)
    .map(({ bug }) => bug);
}

describe('a bug', () => {
  let tree: Tree;
  before(() => {
    tree = copyTree();
  });
  after(() => {
    tree.remove();
  });

  it('of the table can be planted in the project as it is now', () => {
    assert.ok(bugs.length >= 25);
    assert.equal(new Set(bugs.map(({ name }) => name)).size, bugs.length);
    for (const bug of bugs) assert.notEqual(withBug(compiled(bug), bug), compiled(bug), bug.name);
  });

  for (const bug of chosen()) {
    it(`is caught: ${bug.name}`, async () => {
      // In a whole run of the tests the sound project passes them anyway.
      const sound = isWhole ? await tree.sound(bug) : undefined;
      if (sound !== undefined) assert.deepEqual([sound.failures, sound.passed > 0], [[], true], bug.title);
      const { failed } = await tree.planted(bug);
      assert.ok(failed > 0, `${bug.test} passes with the bug: ${bug.title}`);
    }).timeout(600_000);
  }
});

import assert from 'node:assert/strict';
import { TRIAL, TrialWorld } from './world.js';

/** Approvals as they were kept before they were signed. */
describe('an approval that nobody signed', () => {
  it('of a version does not count, and is given again', async () => {
    const world = await TrialWorld.founded();
    await world.registered();
    await world.approved(1);
    assert.equal(unsign(world, 'version:1', 'regulator'), 1);
    await world.refused('not-approved', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.act('authority', 'regulator', ...(await world.approvalOf(1, 'authority', 'regulator')));
    await world.act('acme', 'sponsor', 'activate-version', { version: 1 });
  });

  it('of a list does not count, and is given again', async () => {
    const world = await TrialWorld.founded();
    await world.registered();
    await world.approved(1);
    const [list] = (await world.view()).lists;
    assert.ok(list);
    assert.equal(unsign(world, `list:${list.stratum}`, 'regulator'), 1);
    await world.refused('list-missing', 'acme', 'sponsor', 'activate-version', { version: 1 });
    await world.approvedList(list.stratum, list.hash);
    await world.act('acme', 'sponsor', 'activate-version', { version: 1 });
  });
});

/** Takes what was signed from the approvals of a subject in a role; says of how many. */
function unsign(world: TrialWorld, subject: string, role: string): number {
  let count = 0;
  for (const cells of world.ledger.store.values()) {
    for (const [key, { value, version }] of cells) {
      if (!key.includes('trial-approval') || !key.includes(TRIAL)) continue;
      const { statements, ...record } = JSON.parse(value.toString()) as Record<string, unknown>;
      if (record.subject !== subject || (record.by as { role: string }).role !== role) continue;
      assert.ok(statements);
      cells.set(key, { value: Buffer.from(JSON.stringify(record)), version });
      count += 1;
    }
  }
  return count;
}

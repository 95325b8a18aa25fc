import assert from 'node:assert/strict';

import { EMERGENCY_TYPES, type SignedLate } from '@salus/chaincode/access/api';
import { parseKey, type RegistryView } from '@salus/chaincode/registry/api';
import { remoteEvent } from '@salus/gateway/access/audit-event';
import { projectedAccess } from '@salus/gateway/access/project';
import { LATE_GLASS_PATH } from '@salus/gateway/glass/late-door';
import { signCanonical } from '@salus/gateway/identity/statements';
import { registryProjector } from '@salus/gateway/registry/project';

import { composeConsent, sendConsent } from '../door/consents.js';
import { approval, random } from '../support/contract-world.js';
import { eventually } from '../support/eventually.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';
import { adams, ask, baker } from './people.js';

const why = { reason: 'unconscious', text: 'found beside the road' };

describe('break-glass between hospitals while the ledger is away', () => {
  let world: SharingWorld;

  beforeEach(async () => {
    world = await SharingWorld.open();
  });
  afterEach(() => world.close());

  const keeps = async (member: 'stmary' | 'northside', patient: string): Promise<void> => {
    const text = JSON.stringify({ resourceType: 'Patient', id: patient });
    const write = { type: 'Patient', id: patient, expect: 0, text, patient };
    await world[member].sharing.writer.write({ ...adams, member }, [write]);
  };

  for (const [away, status] of [
    ['northside', 503],
    [true, 404],
  ] as const) {
    it(`answers of an own patient who excluded it what it answers of nobody: ${status}`, async () => {
      await keeps('northside', 'cara');
      const actor = [{ reference: { identifier: { system: 'urn:salus:member', value: 'northside' } } }];
      const provision = { type: 'deny', purpose: [{ code: 'BTG' }], actor };
      const patient = { reference: 'Patient/cara' };
      await sendConsent(world.northside, { ...composeConsent('stmary'), patient, provision });
      world.isAway = away;
      const [denied, absent] = [
        await ask(world.northside, 'POST Patient/cara/$break-glass', baker, why),
        await ask(world.northside, 'POST Patient/nobody/$break-glass', baker, why),
      ];
      assert.equal(denied.status, status);
      assert.deepEqual(JSON.parse(JSON.stringify(denied).replaceAll('cara', 'nobody')), absent);
    }).timeout(60_000);
  }

  it('is recorded by the custodian though the asking member has replaced its key, and says so', async () => {
    await keeps('stmary', 'ann');
    const pid = world.stmary.sharing.lookup.pidOf('ann') ?? '';
    const said: SignedLate = {
      ...{ channel: world.northside.settings.channel, aid: random(), member: 'northside', pid },
      ...{ actor: { user: 'u-mallory', role: 'nurse' }, purpose: 'BTG' },
      scope: { types: EMERGENCY_TYPES, interaction: 'everything' },
      breakGlass: { reasonCode: 'unconscious' },
      at: new Date(world.contracts.clockMs).toISOString(),
    };
    const request = await signCanonical(said, world.northside.signing);
    world.isAway = true;
    const answer = await world.northside.sharing.say('stmary', LATE_GLASS_PATH, { request, text: 'x' });
    assert.deepEqual(answer, { state: 'queued' });
    world.isAway = false;
    await replaceKey();
    const stopping = new AbortController();
    void world.stmary.sharing.bringLate(stopping.signal);
    await eventually(() => {
      assert.equal(projectedAccess(world.stmary.projected, said.aid)?.late?.keyReplaced, true);
      return Promise.resolve();
    });
    stopping.abort();
    assert.ok(!world.stmary.alarms.includes('late-access-refused'));
    const record = projectedAccess(world.stmary.projected, said.aid)!;
    const kept = { member: 'stmary', patient: 'ann', addressOf: (member: string) => member };
    const listed = JSON.stringify(remoteEvent({ record, requested: said.at }, kept));
    assert.match(listed, /asked with a key that the member has replaced since/);
  }).timeout(60_000);

  /** As northside's administrator does, and stmary's projection hears of it. */
  async function replaceKey(): Promise<void> {
    const { payload } = await world.contracts.evaluate('authority', 'registry:read');
    const before = (JSON.parse(payload) as RegistryView).members.find(({ entry }) => entry.name === 'northside')!;
    const next = { ...before.entry, keys: [newJwk('northside-gateway1').public], replaces: before.hash };
    const { txId, rwset } = await world.contracts.submit('northside', 'registry:approve', approval(next));
    const [[key, committed] = []] = [...(rwset.writes.get('') ?? [])].filter(
      ([name]) => parseKey(name)?.name === 'member',
    );
    assert.ok(key !== undefined && committed !== undefined, 'the new entry came into force');
    for (const value of [Buffer.from(JSON.stringify(before)), committed]) {
      const write = { key, value, isDelete: false, isPurge: false };
      world.stmary.projected.apply(
        registryProjector(write, {} as never, () => undefined),
        txId,
      );
    }
  }
});

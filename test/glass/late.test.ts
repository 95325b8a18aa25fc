import assert from 'node:assert/strict';

import { projectedAccess } from '@salus/gateway/access/project';
import { LateLog } from '@salus/gateway/glass/late-log';
import { OTHER_SIDE_MS } from '@salus/gateway/glass/late-recording';
import { glassId, GLASS_TYPE } from '@salus/gateway/glass/record';
import { GLASS_BUDGET } from '@salus/gateway/glass/store';
import { signCanonical } from '@salus/gateway/identity/statements';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { random } from '../support/contract-world.js';
import { eventually } from '../support/eventually.js';
import { type Hospital, SharingWorld } from '../support/sharing-world.js';
import { adams, ask, baker, namesIn, officer } from './people.js';

const why = { reason: 'unconscious', text: 'found beside the road' };

describe('what was opened while the ledger was away', () => {
  let world: SharingWorld;
  let stopping: AbortController;

  beforeEach(async () => {
    world = await SharingWorld.open();
    stopping = new AbortController();
    for (const name of ['Patient/ann', 'Condition/asthma']) {
      const [type = '', id = ''] = name.split('/');
      const text = JSON.stringify({ resourceType: type, id });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient: 'ann' }]);
    }
  });
  afterEach(async () => {
    stopping.abort();
    await world.close();
  });

  const breakGlass = async (actor: Actor = baker) =>
    await ask(world.northside, 'POST Patient/ann/$break-glass', actor, why);
  const opened = async (actor: Actor = baker): Promise<string> => {
    world.isAway = true;
    const said = await breakGlass(actor);
    world.isAway = false;
    assert.ok(namesIn(said).includes('Condition/asthma'), JSON.stringify(said));
    return [...logOf(world.stmary).open().keys()].at(-1)!;
  };
  const logOf = (hospital: Hospital): LateLog => new LateLog(hospital.keys, hospital.settings.member);
  /** Goes on with what the gateways of a hospital kept, as they do when they run. */
  const goOn = (hospital: Hospital): void => {
    void hospital.sharing.bringLate(stopping.signal);
  };
  const listed = async (hospital: Hospital): Promise<string> =>
    JSON.stringify(
      (await ask(hospital, 'GET $break-glass', { ...officer, member: hospital.settings.member })).resource,
    );
  const alarmed = async (hospital: Hospital, alarm: string): Promise<void> => {
    await eventually(() => {
      assert.ok(hospital.alarms.includes(alarm), hospital.alarms.join());
      return Promise.resolve();
    });
  };
  const pass = async (): Promise<void> => {
    await world.pass(OTHER_SIDE_MS + 1, 'northside');
  };
  const isRecorded = (aid: string, side: string): Promise<void> =>
    eventually(() => {
      assert.ok(projectedAccess(world.stmary.projected, aid)?.late?.heldBy.includes(side));
      return Promise.resolve();
    });

  for (const [side, other] of [
    ['stmary', 'northside'],
    ['northside', 'stmary'],
  ] as const) {
    it(`raises an alarm at ${side} where ${other} does not say the same in time, until it does`, async () => {
      const [here, there] = [world[side], world[other]];
      const aid = await opened();
      goOn(here);
      await isRecorded(aid, side);
      assert.match(await listed(here), /"other-side","valueString":"awaited"/);
      assert.ok(!here.alarms.includes('late-access-unmatched'));
      await pass();
      await alarmed(here, 'late-access-unmatched');
      assert.match(await listed(here), new RegExp(`"other-side","valueString":"missing: ${other}"`));
      goOn(there);
      await eventually(async () => {
        assert.doesNotMatch(await listed(here), /other-side/);
      });
      assert.equal(here.alarms.filter((alarm) => alarm === 'late-access-unmatched').length, 1);
      assert.deepEqual([...logOf(here).open()], []);
    }).timeout(60_000);
  }

  it('raises an alarm where something else is on record under its id, and keeps what was signed', async () => {
    const aid = await opened();
    const { settings, signing } = world.northside;
    const { request } = logOf(world.stmary).open().get(aid)!;
    const said = JSON.parse(Buffer.from(request.split('.')[1]!, 'base64url').toString()) as object;
    const other = await signCanonical({ ...said, actor: { user: 'u-other', role: 'nurse' } }, signing);
    await world.submit(settings.member, 'access:late', { request: { request: other, salt: random() } });
    goOn(world.stmary);
    await alarmed(world.stmary, 'late-access-refused');
    await eventually(() => {
      const kept = world.stmary.projected.current(GLASS_TYPE, glassId(aid));
      assert.ok(kept?.text.includes(request));
      return Promise.resolve();
    });
  }).timeout(60_000);

  it('raises an alarm where the ledger would have denied it', async () => {
    const aid = await opened();
    const provision = { type: 'deny', purpose: [{ code: 'BTG' }] };
    await sendConsent(world.stmary, { ...composeConsent('northside'), provision });
    goOn(world.stmary);
    goOn(world.northside);
    await alarmed(world.stmary, 'late-access-denied');
    await isRecorded(aid, 'northside');
    assert.ok(!world.northside.alarms.includes('late-access-denied'));
  }).timeout(60_000);

  it('counts with what is opened by way of the ledger, for an hour', async () => {
    assert.equal((await breakGlass()).status, 200);
    for (let index = 1; index < GLASS_BUDGET.clinician; index += 1) await opened();
    world.isAway = true;
    assert.equal((await breakGlass()).status, 503);
    world.isAway = false;
    await eventually(async () => {
      assert.equal((await breakGlass()).status, 202);
    });
    await world.pass(3_600_000, 'northside');
    await opened();
  }).timeout(60_000);

  it('leaves nothing to be recorded where it was stopped before it opened', async () => {
    const aid = random();
    const log = logOf(world.stmary);
    log.acts.keep(aid, { side: 'opened', request: 'e30.e30.AA', kept: { patient: 'ann', text: 'x' }, awaited: [] });
    goOn(world.stmary);
    await eventually(() => {
      assert.deepEqual([...log.open()], []);
      return Promise.resolve();
    });
    assert.ok(!world.submitted.includes('access:late'));
  });

  it('is asked for on the ledger by a member whose own is away while the custodian’s is there', async () => {
    world.isAway = 'northside';
    const said = await breakGlass();
    assert.equal(said.status, 503);
    assert.match(JSON.stringify(said.resource), /the ledger answers at the custodian/);
    assert.deepEqual(world.stmary.alarms, []);
  });
});

import assert from 'node:assert/strict';

import { ACCESS_LIFETIME_MS, EMERGENCY_TYPES, type SignedLate } from '@salus/chaincode/access/api';
import { projectedAccess } from '@salus/gateway/access/project';
import { LATE_GLASS_PATH } from '@salus/gateway/glass/late-door';
import { actId, LateLog } from '@salus/gateway/glass/late-log';
import { OTHER_SIDE_MS } from '@salus/gateway/glass/late-recording';
import { glassId, GLASS_TYPE } from '@salus/gateway/glass/record';
import { GLASS_BUDGET, GlassStore } from '@salus/gateway/glass/store';
import { signCanonical } from '@salus/gateway/identity/statements';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { random } from '../support/contract-world.js';
import { eventually } from '../support/eventually.js';
import { Knocker } from '../support/knock.js';
import { type Hospital, SharingWorld } from '../support/sharing-world.js';
import { adams, ask, baker, namesIn, officer } from './people.js';

const why = { reason: 'unconscious', text: 'found beside the road' };

describe('what was opened while the ledger was away', () => {
  let world: SharingWorld;
  let stopping: AbortController;

  beforeEach(async () => {
    world = await SharingWorld.open();
    stopping = new AbortController();
    for (const [name, patient] of [
      ['Patient/ann', 'ann'],
      ['Condition/asthma', 'ann'],
      ['Patient/bob', 'bob'],
    ] as const) {
      const [type = '', id = ''] = name.split('/');
      const text = JSON.stringify({ resourceType: type, id });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient }]);
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
    return [...logOf(world.stmary).open('opened').keys()].at(-1)!;
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
  /** What northside's gateway signs in an emergency. */
  const says = (change: Partial<SignedLate> = {}): SignedLate => ({
    ...{ channel: world.northside.settings.channel, aid: random(), member: 'northside', pid: pidOf('ann') },
    ...{ actor: { user: 'u-mallory', role: 'nurse' }, purpose: 'BTG' },
    scope: { types: EMERGENCY_TYPES, interaction: 'everything' },
    breakGlass: { reasonCode: 'unconscious' },
    at: new Date(world.contracts.clockMs).toISOString(),
    ...change,
  });
  const pidOf = (patient: string): string => world.stmary.sharing.lookup.pidOf(patient)!;
  const asks = (request: string): Promise<unknown> =>
    world.northside.sharing.say('stmary', LATE_GLASS_PATH, { request, text: 'x' });
  /** Asks at the door while the ledger is away by what northside signed. */
  const askedLate = async (said: SignedLate, changed = (request: string) => request): Promise<unknown> => {
    const request = changed(await signCanonical(said, world.northside.signing));
    world.isAway = true;
    const answer = await asks(request);
    world.isAway = false;
    return answer;
  };
  /** Puts it on the ledger, signed anew. */
  const submitLate = async (said: SignedLate, by = 'northside'): Promise<void> => {
    const request = await signCanonical(said, world.northside.signing);
    await world.submit(by, 'access:late', { request: { request, salt: random() } });
  };
  const readsAt = async (said: SignedLate, patient: string): Promise<number> => {
    const knocker = new Knocker(world);
    const call = { path: `Patient/${patient}/$everything`, by: said.actor };
    const { status } = await knocker.knock(said.aid, { ...call, signer: world.northside, line: world.northside });
    await knocker.close();
    return status;
  };
  const isEmpty = (hospital: Hospital): Promise<void> =>
    eventually(() => {
      for (const side of ['asked', 'opened'] as const) assert.deepEqual([...logOf(hospital).open(side)], []);
      return Promise.resolve();
    });
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
      await isEmpty(here);
    }).timeout(60_000);
  }

  it('raises an alarm where something else is on record under its id, and keeps what was signed', async () => {
    const aid = await opened();
    const { settings, signing } = world.northside;
    const { request } = logOf(world.stmary).act(aid, 'opened')!;
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

  it('opens the door for ten minutes, and to the same, though the ledger has it meanwhile', async () => {
    const said = says();
    assert.deepEqual(await askedLate(said), { state: 'queued' });
    world.contracts.clockMs += 1_000;
    goOn(world.stmary);
    await submitLate(said);
    await isEmpty(world.stmary);
    const told = world.stmary.projected.versions.find(({ type }) => type === 'Communication')?.text;
    assert.match(told ?? '', new RegExp(`opened of your record: summary, at ${said.at}, while the ledger was away`));
    assert.match(
      world.stmary.projected.current(GLASS_TYPE, glassId(said.aid))?.text ?? '',
      new RegExp(`"at":"${said.at}"`),
    );
    assert.deepEqual([await readsAt(said, 'ann'), await readsAt(said, 'bob')], [200, 404]);
    await eventually(() => {
      assert.ok(world.submitted.includes('access:disclose'));
      return Promise.resolve();
    });
    await world.pass(ACCESS_LIFETIME_MS + 1, 'northside');
    assert.equal(await readsAt(said, 'ann'), 404);
  }).timeout(60_000);

  it('opens no other record where the asker puts one on the ledger under its id', async () => {
    const said = says();
    assert.deepEqual(await askedLate(said), { state: 'queued' });
    assert.equal(await readsAt(said, 'ann'), 200);
    const everything = { types: [], interaction: 'everything' } as const;
    const breakGlass = { reasonCode: 'unconscious', follows: random() };
    await submitLate({ ...said, pid: pidOf('bob'), scope: everything, breakGlass });
    goOn(world.stmary);
    await alarmed(world.stmary, 'late-access-refused');
    await alarmed(world.stmary, 'manifest-not-anchored');
    await isEmpty(world.stmary);
    assert.ok(!world.submitted.includes('access:disclose'), 'what was shown of ann is not anchored as of bob');
    assert.deepEqual([await readsAt(said, 'bob'), await readsAt(said, 'ann')], [404, 404]);
  }).timeout(60_000);

  it('opens no more of the record where the asker puts it on the ledger under its id', async () => {
    const said = says();
    assert.deepEqual(await askedLate(said), { state: 'queued' });
    const breakGlass = { reasonCode: 'unconscious', follows: random() };
    await submitLate({ ...said, scope: { types: [], interaction: 'everything' }, breakGlass });
    goOn(world.stmary);
    await isEmpty(world.stmary);
    assert.equal(await readsAt(said, 'ann'), 404);
  }).timeout(60_000);

  it('opens no other record where the asker asks for one on the ledger under its id', async () => {
    const said = says();
    const { aid, scope, breakGlass, purpose, actor } = said;
    assert.deepEqual(await askedLate(said), { state: 'queued' });
    const request = { aid, pid: pidOf('bob'), purpose, scope, breakGlass, salt: random() };
    await world.submit('northside', 'access:request', { request, actor: { ...actor, purpose } });
    goOn(world.stmary);
    await isEmpty(world.stmary);
    assert.equal(await readsAt(said, 'bob'), 404);
  }).timeout(60_000);

  it('opens nothing under an id by which own staff asked, of which the log loses nothing', async () => {
    const stmary = { ...baker, member: 'stmary' };
    world.isAway = true;
    assert.notEqual((await ask(world.stmary, 'POST Patient/nobody/$break-glass', stmary, why)).status, 200);
    const [[aid = '', act] = []] = logOf(world.stmary).open('asked');
    assert.equal(await askedLate(says({ aid })), undefined);
    assert.deepEqual([...logOf(world.stmary).open('asked')], [[aid, act]]);
    const other = says();
    await askedLate(other);
    logOf(world.stmary).acts.keep(actId(other.aid, { side: 'asked' }), act!);
    assert.equal(logOf(world.stmary).access(other.aid)?.aid, other.aid);
    assert.equal(logOf(world.stmary).access(other.aid.slice(0, 8)), undefined);
  });

  it('is in the log and counted, or neither', () => {
    const { aid, pid, member } = says();
    const store = new GlassStore(world.stmary.keys);
    const glass = { aid, pid, patient: 'ann', member, user: 'u-mallory', at: world.contracts.clockMs };
    const act = { side: 'opened', request: '', awaited: [1n] } as const;
    // What cannot be kept stands for a disk that is full.
    assert.throws(() => logOf(world.stmary).opens(aid, act as never, () => store.takeLate(glass)));
    assert.equal(store.of(aid), undefined);
    assert.ok(logOf(world.stmary).opens(aid, { ...act, awaited: [] }, () => store.takeLate(glass)));
    assert.ok(!logOf(world.stmary).opens(aid, { ...act, awaited: [] }, () => true));
    assert.ok(!logOf(world.stmary).opens(random(), { ...act, awaited: [] }, () => false));
    assert.deepEqual([...logOf(world.stmary).open('opened').keys()], [aid]);
  });

  it('opens by no instant that is none', async () => {
    assert.equal(await askedLate(says({ at: '2026-13-45T99:99:99.999Z' })), undefined);
  });

  it('opens by no request in a form that the contract does not read', async () => {
    for (const changed of [
      (request: string) => `${request}=`,
      (request: string) => `${request}.AA.AA`,
      (request: string) => `${request} `,
      (request: string) => request.replace('.', '=.'),
    ]) {
      assert.equal(await askedLate(says(), changed), undefined);
    }
    assert.deepEqual([...logOf(world.stmary).open('opened')], []);
  });

  it('raises an alarm where the contract cannot read what was signed, and keeps why all the same', async () => {
    const aid = await opened();
    const log = logOf(world.stmary);
    const act = log.act(aid, 'opened')!;
    log.acts.keep(actId(aid, act), { ...act, request: `${act.request}=` });
    goOn(world.stmary);
    await alarmed(world.stmary, 'late-access-refused');
    await isEmpty(world.stmary);
    assert.match(world.stmary.projected.current(GLASS_TYPE, glassId(aid))?.text ?? '', /found beside the road/);
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

  it('is asked for on the ledger by a member whose own is away while the custodian’s is there', async () => {
    world.isAway = 'northside';
    const said = await breakGlass();
    assert.equal(said.status, 503);
    assert.match(JSON.stringify(said.resource), /the ledger answers at the custodian/);
    assert.deepEqual(world.stmary.alarms, []);
  });
});

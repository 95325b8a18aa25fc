import assert from 'node:assert/strict';

import { GLASS_TYPE, MAX_GLASS_TEXT } from '@salus/gateway/glass/record';
import { GLASS_BUDGET, GlassStore } from '@salus/gateway/glass/store';
import { MAX_GLASS_LISTED, REVIEW_DAYS } from '@salus/gateway/glass/review';
import { SECOND_ACT_MS } from '@salus/chaincode/access/api';
import { DoorCaller } from '@salus/gateway/door/caller';
import { Directory } from '@salus/gateway/registry/directory';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { random } from '../support/contract-world.js';
import { SharingWorld } from '../support/sharing-world.js';
import { adams, ann, ask, baker, namesIn, officer } from './people.js';

const WHY = 'found beside the road, no papers';
const why = { reason: 'unconscious', text: WHY };
const SUMMARY_FIRST = ['Patient/ann', 'AllergyIntolerance/nuts', 'Condition/asthma'];

describe('break-glass', () => {
  let world: SharingWorld;

  beforeEach(async () => {
    world = await SharingWorld.open();
    await write('ann', 'Patient/ann', 'AllergyIntolerance/nuts', 'Condition/asthma', 'Observation/pulse');
  });
  afterEach(() => world.close());

  async function write(patient: string, ...names: string[]): Promise<void> {
    for (const name of names) {
      const [type = '', id = ''] = name.split('/');
      const text = JSON.stringify({ resourceType: type, id });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient }]);
    }
  }

  const breakGlass = async (actor: Actor = baker, more: object = {}, patient = 'ann') =>
    await ask(world.northside, `POST Patient/${patient}/$break-glass`, actor, { ...why, ...more });

  const listed = async (actor = officer) => await ask(world.stmary, 'GET $break-glass', actor);
  const partsOf = (said: Awaited<ReturnType<typeof ask>>): Record<string, string>[] =>
    ((said.resource.parameter ?? []) as { part: { name: string; valueString: string }[] }[]).map(({ part }) =>
      Object.fromEntries(part.map(({ name, valueString }) => [name, valueString])),
    );

  it('opens the emergency summary first, everything by a second act of the same person soon after', async () => {
    assert.equal((await breakGlass(baker, { full: true })).status, 409);
    const summary = await breakGlass();
    assert.equal(summary.resource.type, 'document');
    assert.deepEqual(namesIn(summary).slice(1).sort(), SUMMARY_FIRST.toSorted());
    const [composition] = summary.resource.entry as { resource: { section: { title: string; entry?: unknown }[] } }[];
    const filled = composition?.resource.section.filter(({ entry }) => entry !== undefined);
    assert.deepEqual(
      filled?.map(({ title }) => title),
      ['Allergies and intolerances', 'Problem list'],
    );
    assert.equal((await breakGlass({ ...baker, user: 'u-other' }, { full: true })).status, 409);
    const all = await breakGlass(baker, { full: true });
    assert.ok(namesIn(all).includes('Observation/pulse'));
    world.contracts.clockMs += SECOND_ACT_MS;
    assert.equal((await breakGlass(baker, { full: true })).status, 409);
  });

  it('needs purpose, reason and words', async () => {
    assert.equal((await breakGlass({ ...baker, purpose: 'TREAT' })).status, 403);
    assert.equal((await breakGlass({ ...baker, scopes: ['user/Observation.rs'] })).status, 403);
    for (const wrong of [{ reason: 'curious' }, { text: '' }, { text: 'x'.repeat(MAX_GLASS_TEXT + 1) }]) {
      assert.equal((await breakGlass(baker, wrong)).status, 422, JSON.stringify(wrong));
    }
    assert.equal((await ask(world.stmary, 'POST Patient/ann/$break-glass', adams, why)).status, 403);
  });

  it('keeps why at the custodian alone, and tells patient and privacy officer at once', async () => {
    await breakGlass();
    assert.deepEqual(world.stmary.alarms, ['glass-broken']);
    const [act] = partsOf(await listed());
    assert.deepEqual([act?.by, act?.act, act?.state, act?.review], ['northside/u-baker', 'summary', 'open', 'due']);
    const stored = world.stmary.projected.current(GLASS_TYPE, act?.id ?? '')!;
    assert.match(stored.text, new RegExp(WHY));
    assert.equal(world.stmary.sharing.decision.permit(officer, stored), undefined);
    const notice = world.stmary.projected.versions.find(({ type }) => type === 'Communication')!;
    assert.match(notice.text, /physician of northside/);
    assert.ok(world.stmary.sharing.decision.permit(ann, notice));
    const query = new URLSearchParams({ patient: 'ann' });
    const asked = { method: 'GET', path: 'AuditEvent', query, headers: {}, actor: ann };
    const list = await world.stmary.sharing.handlers.AuditEvent!(asked, 'search', () => assert.fail());
    assert.match(JSON.stringify(list.resource), /"code":"BTG".*northside\/u-baker/);
    for (const space of ['access', 'consent', 'patient']) {
      assert.doesNotMatch(JSON.stringify(world.northside.projected.facts(space)), new RegExp(WHY));
    }
    assert.equal((await listed({ ...adams, role: 'auditor' })).status, 200);
    assert.equal((await listed(adams)).status, 403);
  });

  it('shows nothing to who breaks it past the operation, and gives no reason', async () => {
    const aid = random();
    const scope = { types: ['Patient'], interaction: 'everything' };
    const breakGlassOf = { reasonCode: 'unconscious' };
    const request = { aid, pid: pidOf('ann'), purpose: 'BTG', scope, breakGlass: breakGlassOf, salt: random() };
    const { user, role, purpose } = baker;
    await world.submit('northside', 'access:request', { request, actor: { user, role, purpose } });
    const caller = callerOf();
    const question = { custodian: 'stmary', aid, actor: { user, role } };
    const path = 'Patient/ann/$everything';
    assert.equal(await caller.ask({ ...question, path }), undefined);
    assert.equal(await caller.breakGlass(question, ''), 'refused');
    assert.equal(await caller.breakGlass({ ...question, actor: { user: 'u-other', role } }, WHY), 'refused');
    assert.equal(await caller.ask({ ...question, path }), undefined);
    assert.equal(await caller.breakGlass(question, WHY), 'open');
    assert.ok(await caller.ask({ ...question, path }));
    await caller.close();
  });

  const pidOf = (patient: string): string => world.stmary.sharing.lookup.pidOf(patient)!;

  function callerOf(): DoorCaller {
    const { settings, projected, signing } = world.northside;
    const directory = new Directory(projected, settings);
    return new DoorCaller({ settings, directory, signingKey: signing, clock: () => world.contracts.clockMs });
  }

  it('yields a hostile member that harvests no more than its budget, and a clinician less', async () => {
    const patients = Array.from({ length: GLASS_BUDGET.member + 4 }, (_, index) => `p${index}`);
    for (const patient of patients) await write(patient, `Patient/${patient}`);
    const harvest = async (user: (index: number) => string): Promise<number> => {
      let opened = 0;
      for (const [index, patient] of patients.entries()) {
        const said = await breakGlass({ ...baker, user: user(index) }, {}, patient);
        assert.ok([200, 202, 404].includes(said.status));
        opened += Number(namesIn(said).includes(`Patient/${patient}`));
      }
      return opened;
    };
    assert.equal(await harvest(() => 'u-baker'), GLASS_BUDGET.clinician);
    assert.equal(await harvest((index) => `u-${index}`), GLASS_BUDGET.member - GLASS_BUDGET.clinician);
    assert.equal(await harvest((index) => `v-${index}`), 0);
    await world.pass(3_600_000, 'northside');
    assert.equal(await harvest(() => 'u-baker'), GLASS_BUDGET.clinician);
  });

  it('waits for the privacy officer beyond the budget, whose word is good once', async () => {
    const patients = Array.from({ length: GLASS_BUDGET.clinician }, (_, index) => `p${index}`);
    for (const patient of patients) {
      await write(patient, `Patient/${patient}`);
      await breakGlass(baker, {}, patient);
    }
    assert.equal((await breakGlass()).status, 202);
    assert.equal(world.stmary.alarms.at(-1), 'glass-beyond-budget');
    const waiting = partsOf(await listed()).find(({ state }) => state === 'waiting');
    const settle = async (outcome: string, by = officer) =>
      (await ask(world.stmary, `POST $break-glass/${waiting?.id ?? ''}`, by, { outcome, note: 'rang the ward' }))
        .status;
    assert.equal(await settle('justified'), 422);
    assert.equal(await settle('approved', adams), 403);
    assert.equal(await settle('approved'), 200);
    assert.ok(namesIn(await breakGlass()).includes('Patient/ann'));
    assert.equal((await breakGlass()).status, 202);
    assert.equal(
      world.stmary.projected.versions.filter(({ type, patient }) => type === 'Communication' && patient === 'ann')
        .length,
      1,
    );
  });

  it('stays whole where the patient excluded it, as for a patient whom nobody has', async () => {
    const exclude = async (more: object = {}) => {
      const provision = { type: 'deny', purpose: [{ code: 'BTG' }], ...more };
      await sendConsent(world.stmary, { ...composeConsent('northside'), provision });
    };
    await exclude();
    const [hidden, absent] = [await breakGlass(), await breakGlass(baker, {}, 'nobody')];
    assert.deepEqual([hidden.status, absent.status], [404, 404]);
    assert.equal(JSON.stringify(hidden.resource).replaceAll('ann', 'nobody'), JSON.stringify(absent.resource));
    const stmary = { reference: { identifier: { system: 'urn:salus:member', value: 'stmary' } } };
    await exclude({ actor: [stmary] });
    const urgent = { ...adams, purpose: 'BTG' };
    assert.equal((await ask(world.stmary, 'POST Patient/ann/$break-glass', urgent, why)).status, 404);
    assert.deepEqual(partsOf(await listed()), []);
  });

  it('leaves out the data that the patient excluded', async () => {
    const allergies = { type: 'deny', purpose: [{ code: 'BTG' }], class: [{ code: 'AllergyIntolerance' }] };
    const consent = { ...composeConsent('northside'), provision: { type: 'permit', provision: [allergies] } };
    await sendConsent(world.stmary, consent);
    assert.deepEqual(
      namesIn(await breakGlass())
        .slice(1)
        .sort(),
      ['Condition/asthma', 'Patient/ann'],
    );
  });

  it('is reviewed by somebody else, once, and shows as overdue until then', async () => {
    await breakGlass();
    world.contracts.clockMs += (REVIEW_DAYS * 24 + 1) * 3_600_000;
    const [act] = partsOf(await listed());
    assert.equal(act?.review, 'overdue');
    const path = `POST $break-glass/${act.id ?? ''}`;
    const review = async (by: Actor, outcome = 'justified', note = 'spoke to the ward') =>
      (await ask(world.stmary, path, by, { outcome, note })).status;
    assert.equal(await review(adams), 403);
    assert.equal(await review(officer, 'approved'), 422);
    assert.equal(await review(officer, 'justified', ''), 422);
    assert.equal(await review(officer), 200);
    assert.equal(await review(officer), 409);
    const [reviewed] = partsOf(await listed());
    assert.deepEqual([reviewed?.review, reviewed?.outcome], [undefined, 'justified']);
    assert.match(world.stmary.projected.current(GLASS_TYPE, act.id ?? '')?.text ?? '', /spoke to the ward.*u-olsen/);
    const { keys } = world.stmary;
    const glass = new GlassStore(keys);
    keys.database.exec('BEGIN');
    for (let index = 0; index < MAX_GLASS_LISTED; index += 1) {
      glass.takeOwn({ aid: random(), pid: '', patient: 'ann', member: 'stmary', user: 'u', at: index });
    }
    keys.database.exec('COMMIT');
    assert.equal(partsOf(await listed()).length, MAX_GLASS_LISTED);
  });

  it('stays first in the list until it is reviewed, however many acts are refused or repeated after it', async () => {
    await breakGlass();
    const [act] = partsOf(await listed());
    const glass = new GlassStore(world.stmary.keys);
    const later = { pid: '', patient: 'ann', member: 'northside', user: 'u-mallory', at: world.contracts.clockMs + 1 };
    world.stmary.keys.database.exec('BEGIN');
    for (let index = 0; index <= MAX_GLASS_LISTED; index += 1) {
      assert.equal(glass.take({ ...later, aid: random(), follows: random() }), 'refused');
    }
    world.stmary.keys.database.exec('COMMIT');
    const list = partsOf(await listed());
    assert.deepEqual([list.length, list[0]?.id], [MAX_GLASS_LISTED, act?.id]);
    const found = { outcome: 'justified', note: 'spoke to the ward' };
    assert.equal((await ask(world.stmary, `POST $break-glass/${act?.id ?? ''}`, officer, found)).status, 200);
    assert.ok(!partsOf(await listed()).some(({ id }) => id === act?.id));
  });

  it('at the custodian itself opens one record to one person for a while, by reason and words', async () => {
    const urgent = { ...adams, purpose: 'BTG' };
    const seen = (by: Actor): boolean => {
      const stored = world.stmary.projected.current('Patient', 'ann')!;
      const { decision } = world.stmary.sharing;
      assert.equal(decision.unrestricted(by, 'Patient'), false);
      assert.equal(decision.opens(by, 'ann'), decision.permit(by, stored) !== undefined);
      return decision.permit(by, stored) !== undefined;
    };
    assert.equal(seen(urgent), false);
    assert.equal((await ask(world.stmary, 'POST Patient/ann/$break-glass', urgent, why)).status, 200);
    assert.deepEqual([seen(urgent), seen({ ...urgent, user: 'u-other' })], [true, false]);
    const own = { ...officer, user: 'u-adams' };
    const [act] = partsOf(await listed());
    const path = `POST $break-glass/${act?.id ?? ''}`;
    assert.equal((await ask(world.stmary, path, own, { outcome: 'justified', note: 'by myself' })).status, 403);
    world.contracts.clockMs += SECOND_ACT_MS;
    assert.equal(seen(urgent), false);
  });
});

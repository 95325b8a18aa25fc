import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MAX_LATE_GLASS_BYTES } from '@salus/gateway/glass/late-door';
import { GLASS_BUDGET } from '@salus/gateway/glass/store';

import { condition, heartRate, optOut, patient } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { HostileGateway } from './hostile-gateway.js';

const excludingEmergencies = (patientId: string): object =>
  optOut(patientId, {
    type: 'deny',
    purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG' }],
  });

const lines = (answer: Answer): Record<string, string>[] =>
  ((answer.body.parameter ?? []) as { name: string; part: { name: string; valueString: string }[] }[]).map(
    ({ name, part }) => ({ list: name, ...Object.fromEntries(part.map((each) => [each.name, each.valueString])) }),
  );

describe('breaking the glass at another hospital while the ledger stands still', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-between-'));
  let portBase: number;
  let network: TestNetwork;
  let mallory: HostileGateway;
  let acme: HostileGateway;
  let known: string;
  let closed: string;

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const made = async (body: object): Promise<string> => {
      const { resourceType } = body as { resourceType: string };
      const answer = await network.ask('stmary', resourceType, { token, body });
      assert.equal(answer.status, 201, answer.text);
      return String(answer.body.id);
    };
    [known, closed] = [await made(patient), await made(patient)];
    for (const id of [known, closed]) await made(condition(id));
    await made(heartRate(known));
    await made(excludingEmergencies(closed));
    mallory = HostileGateway.of(stateDir, 'northside');
    acme = HostileGateway.of(stateDir, 'acme');
    await eventually(() => {
      assert.match(mallory.pidOf(closed), /^[0-9a-f]{64}$/);
      return Promise.resolve();
    });
  });

  after(async () => {
    await Promise.all([mallory.close(), acme.close()]);
    network.standStill(false);
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  const baker = () => network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
  const broken = async (id: string, full = false): Promise<Answer> =>
    await network.ask('northside', `Patient/${id}/$break-glass`, {
      method: 'POST',
      token: await baker(),
      headers: { 'x-purpose-of-use': 'BTG' },
      body: {
        resourceType: 'Parameters',
        parameter: [
          { name: 'reason', valueCode: 'unconscious' },
          { name: 'text', valueString: 'CANARYREASON found unconscious' },
          ...(full ? [{ name: 'full', valueBoolean: true }] : []),
        ],
      },
    });
  const listed = async (member = 'stmary'): Promise<Record<string, string>[]> => {
    const token = await network.token({ member, user: 'officer', role: 'privacy-officer' });
    return lines(await network.ask(member, '$break-glass', { token }));
  };
  const types = ({ body }: Answer): string[] =>
    ((body.entry ?? []) as { resource: FhirBody }[]).map(({ resource }) => resource.resourceType ?? '');

  it('is refused to a member that only says that the ledger is away, of a patient as of nobody', async () => {
    for (const pid of [mallory.pidOf(known), mallory.pidOf(closed), 'a'.repeat(64)]) {
      assert.deepEqual(await mallory.ask(mallory.says(pid)), { status: 200, text: '{"state":"ledger-here"}' });
    }
    assert.deepEqual(await listed(), []);
  }).timeout(60_000);

  it('opens the emergency summary, then everything, by both hospitals’ logs, and says that it is late', async () => {
    network.standStill(true);
    const early = await broken(known, true);
    assert.equal(early.status, 409, early.text);
    const opened = await broken(known);
    assert.equal(opened.status, 200, opened.text);
    assert.deepEqual([opened.body.type, types(opened)[0]], ['document', 'Composition']);
    assert.match(opened.text, /CANARYFAMILY/);
    assert.match(opened.text, /CANARYCONDITION/);
    assert.match(opened.text, /was not checked against it; the access goes on the ledger, marked late/);
    assert.ok(!types(opened).includes('Observation'));
    const all = await broken(known, true);
    assert.equal(all.status, 200, all.text);
    assert.ok(types(all).includes('Observation'), all.text);
  }).timeout(240_000);

  it('answers the same for a patient who excluded it and for nobody', async () => {
    const [denied, absent] = [await broken(closed), await broken('nobody')];
    assert.deepEqual([denied.status, absent.status], [404, 404]);
    assert.equal(denied.text.replaceAll(closed, 'ID'), absent.text.replaceAll('nobody', 'ID'));
    assert.doesNotMatch(denied.text, /CANARY/);
  }).timeout(120_000);

  it('tells the privacy officers of both hospitals at once', async () => {
    const [summary, everything, ...none] = await listed();
    assert.deepEqual([summary?.act, everything?.act, none.length], ['summary', 'everything', 0]);
    for (const act of [everything, summary]) {
      const { by, state, review, late, recorded } = act ?? {};
      assert.deepEqual([by, state, review, recorded], ['northside/dr-baker', 'queued', 'due', undefined]);
      assert.equal(late, 'opened while the ledger was away');
      assert.equal(act?.['other-side'], 'awaited');
    }
    const asked = await listed('northside');
    assert.deepEqual(
      [...new Set(asked.map(({ list, by }) => `${list} ${by}`))],
      ['break-glass-elsewhere northside/dr-baker'],
    );
    const metrics = await network.ask('stmary', '/metrics');
    assert.match(metrics.text, /salus_alarms_total\{alarm="glass-broken",member="stmary"[^}]*\} 2/);
  }).timeout(60_000);

  it('opens to nobody by a request that is forged, stale, replayed, of another role or beyond its kind', async () => {
    const pid = mallory.pidOf(known);
    const absent = await mallory.ask(mallory.says('a'.repeat(64)));
    assert.equal(absent.status, 404);
    const nurse = { user: 'u-mallory', role: 'biller' };
    const everything = { scope: { types: [], interaction: 'everything' as const } };
    const follows = { ...everything, breakGlass: { reasonCode: 'unconscious', follows: 'b'.repeat(64) } };
    const wrong = [
      ['of a patient who excluded it', mallory.ask(mallory.says(mallory.pidOf(closed)))],
      ['signed by another member', mallory.ask(mallory.says(pid), acme.key)],
      ['for another member', mallory.ask(mallory.says(pid, { member: 'stmary' }))],
      ['by who is no hospital', acme.ask(acme.says(pid))],
      ['by another member’s key on its own line', acme.ask(mallory.says(pid), mallory.key)],
      ['on another channel', mallory.ask(mallory.says(pid, { channel: 'other' }))],
      ['of long ago', mallory.ask(mallory.says(pid, { at: new Date(Date.now() - 120_000).toISOString() }))],
      ['of the future', mallory.ask(mallory.says(pid, { at: new Date(Date.now() + 120_000).toISOString() }))],
      ['by a role that may not', mallory.ask(mallory.says(pid, { actor: nurse }))],
      ['for research', mallory.ask(mallory.says(pid, { purpose: 'HRESCH' }))],
      ['for treatment', mallory.ask(mallory.says(pid, { purpose: 'TREAT' }))],
      ['without a reason known', mallory.ask(mallory.says(pid, { breakGlass: { reasonCode: 'curious' } }))],
      ['for everything at first', mallory.ask(mallory.says(pid, everything))],
      ['after no first act', mallory.ask(mallory.says(pid, follows))],
      ['padded, which the contract does not read', mallory.ask(mallory.says(pid), mallory.key, (text) => `${text}=`)],
      ['in five parts', mallory.ask(mallory.says(pid), mallory.key, (text) => `${text}.AA.AA`)],
      ['that is none', mallory.post('{"request":"e30.e30.AA","text":"x"}')],
      ['that is no JSON', mallory.post('CANARY')],
      ['that is as long as may be', mallory.post('x'.repeat(MAX_LATE_GLASS_BYTES))],
    ] as const;
    for (const [what, asked] of wrong) assert.deepEqual(await asked, absent, what);
    assert.equal((await mallory.post('x'.repeat(MAX_LATE_GLASS_BYTES + 1))).status, 413);
    assert.equal((await listed()).length, 2);
  }).timeout(240_000);

  it('opens once by a request, and to who asked for it alone', async () => {
    const pid = mallory.pidOf(known);
    const said = mallory.says(pid);
    const path = `Patient/${known}/$everything`;
    assert.equal((await mallory.read(said, path)).status, 404);
    assert.deepEqual(await mallory.ask(said), { status: 200, text: '{"state":"queued"}' });
    assert.equal((await mallory.ask(said)).status, 404);
    assert.match((await mallory.read(said, path)).text, /CANARYCONDITION/);
    assert.doesNotMatch((await mallory.read(said, path)).text, /Observation/);
    assert.equal((await mallory.read({ ...said, actor: { ...said.actor, user: 'u-2' } }, path)).status, 404);
    assert.equal((await acme.read(said, path)).status, 404);
    assert.equal((await mallory.read(said, `Patient/${closed}/$everything`)).status, 404);
    assert.equal((await mallory.read(said, `Observation?patient=${known}`)).status, 404);
    const other = mallory.says(pid, {
      scope: { types: [], interaction: 'everything' },
      breakGlass: { reasonCode: 'unconscious', follows: said.aid },
      actor: { user: 'u-2', role: 'physician' },
    });
    assert.equal((await mallory.ask(other)).status, 404);
  }).timeout(120_000);

  /** Clinicians at once, some of them several times; how many summaries were to be had. */
  async function harvest(clinicians: number): Promise<number> {
    const pid = mallory.pidOf(known);
    const asked = Array.from({ length: clinicians }, async (_, index) => {
      const said = mallory.says(pid, { actor: { user: `u-${index % 10}`, role: 'physician' } });
      const { text } = await mallory.ask(said);
      assert.match(text, /^\{"state":"(queued|spent)"\}$|nothing here/);
      const { status } = await mallory.read(said, `Patient/${known}/$everything`);
      assert.equal(status === 200, text.includes('queued'));
      return status === 200;
    });
    return (await Promise.all(asked)).filter((isOpen) => isOpen).length;
  }

  it('yields a hostile member no more than the hour’s budget, and a clinician less', async () => {
    const pid = mallory.pidOf(known);
    for (let index = 1; index < GLASS_BUDGET.clinician; index += 1) {
      assert.match((await mallory.ask(mallory.says(pid))).text, /queued/);
    }
    assert.match((await mallory.ask(mallory.says(pid))).text, /spent/);
    // The summaries of dr-baker and of u-mallory are spent already; asked beyond it, a patient is like nobody.
    assert.equal(await harvest(GLASS_BUDGET.member + 4), GLASS_BUDGET.member - 1 - GLASS_BUDGET.clinician);
    assert.deepEqual(await mallory.ask(mallory.says('a'.repeat(64))), await mallory.ask(mallory.says(pid)));
    const refused = await broken(known);
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.text, /too much was opened without the ledger in this hour/);
  }).timeout(600_000);

  it('goes on the ledger from both sides, marked late, when it answers again, whatever was killed meanwhile', async () => {
    await network.kill();
    network = await startNetwork({ stateDir, portBase });
    await eventually(async () => {
      const acts = await listed();
      assert.deepEqual([...new Set(acts.map(({ state }) => state))], ['open'], JSON.stringify(acts.slice(0, 3)));
      const bakers = acts.filter(({ by }) => by === 'northside/dr-baker');
      assert.equal(bakers.length, 2);
      for (const { recorded, late, review, ...rest } of bakers) {
        assert.ok(recorded !== undefined && late !== undefined && review === 'due');
        assert.equal(rest['other-side'], undefined);
      }
      // Of what its gateway hid the hostile member has no record: that is missed.
      const hidden = acts.filter(({ by }) => by !== 'northside/dr-baker');
      assert.deepEqual([...new Set(hidden.map((act) => act['other-side']))], ['awaited']);
      assert.equal(hidden.length, GLASS_BUDGET.member - 1);
      assert.deepEqual(await listed('northside'), []);
    });
  }).timeout(300_000);

  it('is on the patient’s list, late, with who and why, and the patient is told', async () => {
    const token = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: known });
    const list = await network.ask('stmary', `AuditEvent?patient=${known}&_count=100`, { token });
    const events = ((list.body.entry ?? []) as { resource: FhirBody }[]).map(({ resource }) =>
      JSON.stringify(resource),
    );
    const late = events.filter((event) => event.includes('late: recorded afterwards'));
    const opened = late.filter((event) => event.includes('"outcome":"0"'));
    assert.equal(opened.length, GLASS_BUDGET.member + 1);
    const bakers = opened.filter((event) => event.includes('northside/dr-baker'));
    assert.equal(bakers.length, 2);
    assert.equal(late.length - opened.length, 1, 'what was asked beyond the budget');
    for (const event of bakers) {
      assert.match(event, /"period":\{"start":.*"code":"BTG".*"outcome":"0".*break-glass: unconscious/);
    }
    const told = await network.ask('stmary', `Communication?subject=Patient/${known}&_count=100`, { token });
    assert.match(told.text, /In an emergency \(unconscious\) a physician of northside \(dr-baker\)/);
    const closedToken = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: closed });
    const tried = await network.ask('stmary', `AuditEvent?patient=${closed}`, { token: closedToken });
    assert.match(tried.text, /"outcome":"4".*northside\/dr-baker.*late: recorded afterwards/);
  }).timeout(60_000);

  it('was submitted by both, with what was delivered, and the list of transactions names nobody', async () => {
    const height = (JSON.parse((await network.ask('authority', '/ledger')).text) as { height: number }).height;
    const found: string[] = [];
    for (let number = 0; number < height; number += 1) {
      const { text } = await network.ask('authority', `/ledger/blocks/${number}`);
      assert.doesNotMatch(text, /CANARY|dr-baker|u-mallory/);
      const block = JSON.parse(text) as {
        transactions: { transaction: string; code: number; creator: { mspId: string } }[];
      };
      for (const { transaction, code, creator } of block.transactions) {
        if (code === 0) found.push(`${transaction} ${creator.mspId}`);
      }
    }
    const counted = (what: string): number => found.filter((each) => each === what).length;
    // Who asked says so of what was denied, too: of the patient who excluded it, of nobody, of what came too early.
    assert.equal(counted('access:late NorthsideMSP'), 5);
    assert.equal(counted('access:late StmaryMSP'), GLASS_BUDGET.member + 1);
    assert.ok(counted('access:disclose StmaryMSP') > 0);
  }).timeout(120_000);

  it('has its budget spent after a restart, and shared with what is opened by way of the ledger', async () => {
    const refused = await broken(known);
    assert.equal(refused.status, 202, refused.text);
    network.standStill(true);
    assert.match(
      (await mallory.ask(mallory.says(mallory.pidOf(known), { actor: { user: 'u-new', role: 'nurse' } }))).text,
      /spent/,
    );
  }).timeout(120_000);
});

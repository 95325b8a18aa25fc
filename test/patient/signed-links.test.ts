import assert from 'node:assert/strict';

import { linkStatementPayload, type PatientLink } from '@salus/chaincode/patient/api';

import { type Call, ContractWorld, physician, random } from '../support/contract-world.js';
import { PatientLinks, type StandingLink } from '@salus/gateway/patient/links';

import { laboratoryForNorthside, glucose, patient, resourcesOf } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { registerKey, registerPatient } from '../support/patients.js';
import { SharingWorld } from '../support/sharing-world.js';
import { SigningKey } from '../support/signing.js';

const PATIENTS = ['stmary', 'northside'].map((custodian) => ({ custodian, patient: 'patient-1' }));

describe("a link by the patient's own signature, on the ledger", () => {
  let world: ContractWorld;
  let [ours, theirs, linkId] = ['', '', ''];
  const here = new SigningKey('phone-here');
  const there = new SigningKey('phone-there');
  const staff = { ...physician, role: 'biller' };

  beforeEach(async () => {
    world = await ContractWorld.founded();
    [ours, theirs] = [await registerPatient(world), await registerPatient(world, 'northside')];
    linkId = random();
    await registerKey(world, ours, here);
    await registerKey(world, theirs, there, 'northside');
  });

  function signed(key: SigningKey, version: number, same = true, names: object = {}, patients = PATIENTS): string {
    const replaces = version === 1 ? null : version - 1;
    const salus = { channel: 'health', link: linkId, version, replaces, ...names };
    return key.sign(linkStatementPayload(same, patients), { salus });
  }
  const proposal = (statement: string, more: object = {}) => ({
    request: { linkId, pid: ours, other: { pid: theirs, custodian: 'northside' }, statement, salt: random(), ...more },
    // Whoever brings it: the signature speaks.
    actor: staff,
  });
  const change = (statement: string | undefined, more: object = {}) => ({
    request: { linkId, ...(statement === undefined ? {} : { statement }), salt: random(), ...more },
    actor: staff,
  });
  /** Submits, and answers how the link stands then. */
  const made = async (member: string, name: string, call: Call): Promise<PatientLink> => {
    const { rwset } = await world.submit(member, name, call);
    const [, value] = [...rwset.writes.get('care')!].find(([key]) => key.includes('patient-link'))!;
    return JSON.parse(value!.toString()) as PatientLink;
  };

  it('is made by a word for each side, both brought by one hospital, and ended by either', async () => {
    await world.submit('stmary', 'patient:link', proposal(signed(here, 1)));
    const link = await made('stmary', 'patient:confirm', change(signed(there, 2), { side: 'northside' }));
    assert.equal(link.state, 'active');
    assert.equal(link.sides[1].confirmed?.via, 'stmary');
    assert.equal(link.sides[1].confirmed.member, 'northside');
    const ended = await made('northside', 'patient:unlink', change(signed(here, 3, false), { side: 'stmary' }));
    assert.deepEqual([ended.state, ended.ended?.member, ended.ended?.via], ['ended', 'stmary', 'northside']);
    await world.refused('link-ended', 'northside', 'patient:unlink', change(signed(there, 3, false)));
  });

  it('counts only as exactly this word, of this version, on this link and channel', async () => {
    const elsewhere = [
      { custodian: 'stmary', patient: 'patient-1' },
      { custodian: 'northside', patient: 'patient-2' },
    ];
    const wrong = [
      signed(here, 1, true, { channel: 'other' }),
      signed(here, 1, true, { link: random() }),
      signed(here, 2),
      signed(here, 1, true, { replaces: 1 }),
      signed(here, 1, false),
      signed(here, 1, true, {}, elsewhere),
      signed(there, 1),
      signed(new SigningKey('phone-here'), 1),
      `${signed(here, 1).slice(0, -4)}AAAA`,
      here.sign(linkStatementPayload(true, PATIENTS)),
    ];
    for (const [index, statement] of wrong.entries()) {
      const refused = world.refused('statement-invalid', 'stmary', 'patient:link', proposal(statement));
      await assert.doesNotReject(refused, `statement ${index}`);
    }
    await world.submit('stmary', 'patient:link', proposal(signed(here, 1)));
    // What proposed it confirms nothing, and an end is no confirmation.
    for (const statement of [signed(here, 1), signed(there, 1), signed(there, 2, false), undefined]) {
      const call = change(statement, { side: 'northside' });
      await world.refused('statement-invalid', 'stmary', 'patient:confirm', call);
    }
    await world.refused('statement-invalid', 'stmary', 'patient:confirm', change(signed(there, 2), { side: 'tally' }));
    await world.refused('unknown-link', 'stmary', 'patient:confirm', {
      ...change(signed(there, 2), { side: 'northside', linkId: random() }),
    });
  });

  it('takes a key of the patient in force, not one that was revoked, nor one in the wallet of the custodian', async () => {
    const wallet = new SigningKey('wallet');
    const set = (key: SigningKey, holder: string, state: string) => ({
      request: { pid: ours, jwk: key.jwk, holder, state, salt: random() },
      actor: physician,
    });
    await world.submit('stmary', 'patient:key', set(wallet, 'custodian', 'active'));
    await world.refused('statement-invalid', 'stmary', 'patient:link', proposal(signed(wallet, 1)));
    await world.submit('stmary', 'patient:key', set(here, 'patient', 'revoked'));
    await world.refused('statement-invalid', 'stmary', 'patient:link', proposal(signed(here, 1)));
    const ended = new SigningKey('guardian');
    const guardian = set(ended, 'guardian', 'active');
    const until = new Date(world.clockMs + 60_000).toISOString();
    await world.submit('stmary', 'patient:key', { ...guardian, request: { ...guardian.request, until } });
    await world.evaluate('stmary', 'patient:link', proposal(signed(ended, 1)));
    await world.pass(120_000, 'northside');
    await world.refused('statement-invalid', 'stmary', 'patient:link', proposal(signed(ended, 1)));
  });

  it('is said of a patient whom nobody knows as of one who is there', async () => {
    const decoy = proposal(signed(here, 1), { other: { pid: random(), custodian: 'northside' } });
    assert.equal((await made('stmary', 'patient:link', decoy)).state, 'proposed');
  });
});

describe('what a hospital believes of a link', () => {
  let world: SharingWorld;
  let pids: readonly string[] = [];
  const linkId = random();
  const key = new SigningKey('phone');
  const ids = ['ann', 'bea'];
  const patients = ['stmary', 'northside'].map((custodian, at) => ({ custodian, patient: ids[at]! }));

  before(async () => {
    world = await SharingWorld.open();
    const hospitals = [world.stmary, world.northside];
    for (const [at, hospital] of hospitals.entries()) {
      const id = ids[at]!;
      const { member } = hospital.settings;
      const staff = { member, user: 'u', role: 'physician', purpose: 'TREAT', scopes: ['user/*.cruds'] };
      const text = JSON.stringify({ resourceType: 'Patient', id });
      await hospital.sharing.writer.write(staff, [{ type: 'Patient', id, expect: 0, text, patient: id }]);
    }
    pids = hospitals.map(({ sharing }, at) => sharing.lookup.pidOf(ids[at]!)!);
    const request = { pid: pids[1], jwk: key.jwk, holder: 'patient', state: 'active', salt: random() };
    await world.submit('northside', 'patient:key', { request, actor: physician });
  });
  after(() => world.close());

  /** As if two members had endorsed what stmary alone says, with whatever statement. */
  function forged(statement: string, sides = pids): void {
    const [first, second] = ['stmary', 'northside'];
    const word = { user: 'u', role: 'physician', at: '2026-01-01T00:00:00.000Z' };
    const record = {
      linkId,
      sides: [
        { pid: sides[0], custodian: first, confirmed: { ...word, member: first } },
        { pid: sides[1], custodian: second, confirmed: { ...word, member: second, via: first, statement } },
      ],
      state: 'active',
    };
    const name = ['', 'patient-link', linkId, ''].join('\u0000');
    world.project(random(), 'StmaryMSP', 'care', name, Buffer.from(JSON.stringify(record)));
  }
  const states = (): (StandingLink['state'] | undefined)[] =>
    [world.stmary, world.northside].map(({ projected, sharing, settings }, at) => {
      const links = new PatientLinks(projected, sharing.lookup, settings.member, 'health');
      return links.of(pids[at]!)[0]?.state;
    });
  const signed = (by: SigningKey, names: object = {}, said = linkStatementPayload(true, patients)): string =>
    by.sign(said, { salus: { channel: 'health', link: linkId, version: 2, replaces: 1, ...names } });

  it('is what the other side said itself, or what its patient signed, whoever endorsed anything else', () => {
    const forgeries = [
      signed(new SigningKey('phone')),
      signed(new SigningKey('unknown')),
      signed(key, { link: random() }),
      signed(key, { channel: 'other' }),
      signed(key, { version: 1, replaces: null }),
      signed(key, {}, linkStatementPayload(false, patients)),
      signed(key, {}, linkStatementPayload(true, [patients[0]!, { custodian: 'northside', patient: 'carl' }])),
      'no statement',
    ];
    for (const [index, statement] of forgeries.entries()) {
      forged(statement);
      assert.deepEqual(states(), ['proposed', 'asked'], `forgery ${index}`);
    }
    forged(signed(key));
    assert.deepEqual(states(), ['active', 'active']);
  });

  it('is nothing once the key was revoked before it', async () => {
    const request = { pid: pids[1], jwk: key.jwk, holder: 'patient', state: 'revoked', salt: random() };
    await world.submit('northside', 'patient:key', { request, actor: physician });
    assert.deepEqual(states(), ['active', 'active'], 'what was signed before stays');
    forged(signed(key));
    assert.deepEqual(states(), ['proposed', 'asked']);
  });
});

describe("a link by the patient's own signature, over HTTP", function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const key = new SigningKey('phone');
  const linkId = random();
  let [ours, theirs, seen] = ['', '', '0'];

  async function ask(member: string, path: string, body?: object): Promise<Answer> {
    const token = await network.token({ member, user: `dr-${member}`, role: 'physician' });
    const headers = { 'x-min-block': seen };
    const answer = await network.ask(member, path, { token, headers, ...(body === undefined ? {} : { body }) });
    seen = answer.headers.get('x-block') ?? seen;
    return answer;
  }
  const parameters = (values: Readonly<Record<string, string>>): object => ({
    resourceType: 'Parameters',
    parameter: Object.entries(values).map(([name, valueString]) => ({ name, valueString })),
  });
  function signed(version: number, same = true, by = key): string {
    const patients = [
      { custodian: 'stmary', patient: ours },
      { custodian: 'northside', patient: theirs },
    ];
    const salus = { channel: 'health', link: linkId, version, replaces: version === 1 ? null : version - 1 };
    return by.sign(linkStatementPayload(same, patients), { salus });
  }
  const change = async (member: string, operation: string, custodian: string, statement: string): Promise<Answer> => {
    const id = member === 'stmary' ? ours : theirs;
    return await ask(member, `Patient/${id}/$${operation}`, parameters({ link: linkId, custodian, statement }));
  };
  const stateAt = async (member: string): Promise<unknown> => {
    const answer = await ask(member, `Patient/${member === 'stmary' ? ours : theirs}/$links`);
    const [linkage] = resourcesOf(answer.body);
    return (linkage?.['extension'] as { valueCode: string }[])[0]?.valueCode;
  };

  before(async () => {
    ours = String((await ask('stmary', 'Patient', patient)).body.id);
    theirs = String((await ask('northside', 'Patient', patient)).body.id);
    for (const [member, id] of [
      ['stmary', ours],
      ['northside', theirs],
    ] as const) {
      const parameter = [
        { name: 'jwk', valueString: JSON.stringify(key.jwk) },
        { name: 'holder', valueCode: 'patient' },
      ];
      const registered = await ask(member, `Patient/${id}/$patient-key`, { resourceType: 'Parameters', parameter });
      assert.equal(registered.status, 200, registered.text);
    }
  });

  it('is refused with a signature of somebody else, and changes nothing', async () => {
    const named = { custodian: 'northside', patient: theirs, link: linkId };
    const forged = signed(1, true, new SigningKey('phone'));
    const refused = await ask('stmary', `Patient/${ours}/$link`, parameters({ ...named, statement: forged }));
    assert.deepEqual([refused.status, /statement-invalid/.test(refused.text)], [400, true], refused.text);
    const made = await ask('stmary', `Patient/${ours}/$link`, parameters({ ...named, statement: signed(1) }));
    assert.deepEqual([made.status, made.body.id], [201, linkId], made.text);
    const own = await change('stmary', 'confirm-link', 'northside', forged);
    assert.equal(own.status, 400, own.text);
    assert.equal(await stateAt('stmary'), 'proposed');
  });

  it('is in force at both hospitals by two signatures that one of them brought, and undone by one', async () => {
    const value = String((await ask('stmary', 'Observation', glucose(ours, 81))).body.id);
    await ask('stmary', 'Consent', laboratoryForNorthside(ours));
    const confirmed = await change('stmary', 'confirm-link', 'northside', signed(2));
    assert.equal(confirmed.status, 200, confirmed.text);
    assert.deepEqual([await stateAt('stmary'), await stateAt('northside')], ['active', 'active']);
    const chart = async (): Promise<string> => (await ask('northside', `Observation?patient=${theirs}`)).text;
    assert.ok((await chart()).includes(value));
    const ended = await change('northside', 'unlink', 'stmary', signed(3, false));
    assert.equal(ended.status, 200, ended.text);
    assert.deepEqual([await stateAt('stmary'), await stateAt('northside')], ['ended', 'ended']);
    assert.ok(!(await chart()).includes(value));
    assert.ok((await ask('stmary', `Observation/${value}`)).status === 200, 'nothing is lost');
  });
});

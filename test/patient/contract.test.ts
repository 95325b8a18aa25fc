import assert from 'node:assert/strict';
import {
  lookupEntryKey,
  lookupSecretKey,
  MAX_CODES,
  MAX_LISTED,
  type PatientView,
  quarterBefore,
  quarterOf,
} from '@salus/chaincode/patient/api';
import { ContractWorld, physician, random } from '../support/contract-world.js';
import { announceErasure, ask, everything, registerKey, registerPatient } from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

describe('patient on the ledger', () => {
  it('knows a patient by a random id, its custodian and the keys registered there', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const key = new SigningKey('phone');
    await registerKey(world, pid, key);
    const { payload } = await world.evaluate('northside', 'patient:read', { request: { pid } });
    const { patient, keys } = JSON.parse(payload) as PatientView;
    assert.deepEqual(patient.custodians, { stmary: { patientId: 'patient-1' } });
    assert.deepEqual(
      keys.map(({ jwk, custodian, state }) => ({ jwk, custodian, state })),
      [{ jwk: key.jwk, custodian: 'stmary', state: 'active' }],
    );
  });

  it('refuses registration by others than staff of a hospital, and a pid that is taken', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const request = { pid, patientId: 'patient-2', salt: random() };
    await world.refused('already-registered', 'northside', 'patient:register', { request, actor: physician });
    await world.refused('not-a-hospital', 'authority', 'patient:register', { request, actor: physician });
    const biller = { ...physician, role: 'biller' };
    await world.refused('not-staff', 'stmary', 'patient:register', { request, actor: biller });
    await world.refused('actor-missing', 'stmary', 'patient:register', { request });
    const pirate = { ...physician, role: 'pirate' };
    await world.refused('role-unknown', 'stmary', 'patient:register', { request, actor: pirate });
    const named = { request: { ...request, name: 'Ada' }, actor: physician };
    await world.refused('invalid-request', 'stmary', 'patient:register', named);
  });

  it("replaces a key in the custodian's wallet, and no other", async () => {
    const world = await ContractWorld.founded();
    const pid = random();
    const wallet = new SigningKey('wallet');
    const registered = { pid, patientId: 'patient-1', jwk: wallet.jwk, salt: random() };
    await world.submit('stmary', 'patient:register', { request: registered, actor: physician });
    const own = (kid: string, replaces: string) => ({
      request: { pid, jwk: new SigningKey(kid).jwk, holder: 'patient', state: 'active', replaces, salt: random() },
      actor: physician,
    });
    await world.refused('unknown-key', 'stmary', 'patient:key', own('phone', 'nothing'));
    await world.submit('stmary', 'patient:key', own('phone', 'wallet'));
    await world.refused('unknown-key', 'stmary', 'patient:key', own('tablet', 'phone'));
    await world.refused('unknown-key', 'stmary', 'patient:key', own('tablet', 'wallet'));
    const { payload } = await world.evaluate('stmary', 'patient:read', { request: { pid } });
    const states = (JSON.parse(payload) as PatientView).keys.map(({ jwk, state }) => [jwk.kid, state]);
    assert.deepEqual(Object.fromEntries(states), { phone: 'active', wallet: 'revoked' });
  });

  it('lets only a custodian register a key, once, and revoke it for good', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const request = { pid, jwk: new SigningKey('phone').jwk, holder: 'patient', state: 'active', salt: random() };
    const call = { request, actor: physician };
    const revocation = { request: { ...request, state: 'revoked' }, actor: physician };
    await world.refused('unknown-patient', 'northside', 'patient:key', call);
    await world.refused('unknown-patient', 'stmary', 'patient:key', {
      ...call,
      request: { ...request, pid: random() },
    });
    await world.refused('unknown-key', 'stmary', 'patient:key', revocation);
    const jwk = new SigningKey('coming').jwk;
    const early = { ...call, request: { ...request, jwk, state: 'revoked', evenUnknown: true } };
    await world.submit('stmary', 'patient:key', early);
    await world.refused('key-revoked', 'stmary', 'patient:key', { ...call, request: { ...request, jwk } });
    await world.submit('stmary', 'patient:key', call);
    await world.refused('key-exists', 'stmary', 'patient:key', call);
    await world.submit('stmary', 'patient:key', revocation);
    await world.refused('key-revoked', 'stmary', 'patient:key', call);
    await world.refused('unknown-patient', 'stmary', 'patient:read', { request: { pid: random() } });
    const secret = { request: { ...request, jwk: { ...request.jwk, d: 'A'.repeat(43) } }, actor: physician };
    await world.refused('invalid-request', 'stmary', 'patient:key', secret);
  });

  it("is linked to another custodian's patient once both said so, until one says no", async () => {
    const world = await ContractWorld.founded();
    const [ours, theirs] = [await registerPatient(world), await registerPatient(world, 'northside')];
    const link = { linkId: random(), pid: ours, other: { pid: theirs, custodian: 'northside' }, salt: random() };
    const actor = { user: 'p-ann', role: 'patient', purpose: 'PATRQT' };
    const change = { request: { linkId: link.linkId, salt: random() }, actor };
    const through = { link: link.linkId, custodian: 'stmary' };
    const asked = { aid: random(), pid: ours, purpose: 'TREAT', scope: everything, salt: random(), ...through };
    const byLink = { request: asked, actor: physician };
    await world.submit('stmary', 'patient:link', { request: link, actor });
    await world.refused('link-not-in-force', 'northside', 'access:request', byLink);
    await world.submit('northside', 'patient:confirm', change);
    const permitted = await world.evaluate('northside', 'access:request', byLink);
    assert.equal((await ask(world, 'northside', ours, through)).link, link.linkId);
    await world.refused('link-not-in-force', 'northside', 'access:request', {
      ...byLink,
      request: { ...asked, pid: theirs },
    });
    await world.submit('stmary', 'patient:unlink', change);
    // Decided while the link still stood, ordered after it ended: void.
    assert.equal(world.commit(permitted), 'MVCC_READ_CONFLICT');
    await world.refused('link-not-in-force', 'northside', 'access:request', byLink);
    await world.refused('link-ended', 'northside', 'patient:unlink', change);
    await world.refused('link-ended', 'northside', 'patient:confirm', change);
    for (const [member, pid] of [
      ['stmary', ours],
      ['northside', theirs],
    ] as const) {
      const { payload } = await world.evaluate(member, 'patient:read', { request: { pid } });
      assert.deepEqual(Object.keys((JSON.parse(payload) as PatientView).patient.custodians), [member]);
    }
  });

  it('is linked by nobody but its own custodian and the other one, each heard for its side', async () => {
    const world = await ContractWorld.founded();
    const [ours, theirs] = [await registerPatient(world), await registerPatient(world, 'northside')];
    const link = { linkId: random(), pid: ours, other: { pid: theirs, custodian: 'northside' }, salt: random() };
    const call = (more: object = {}) => ({ request: { ...link, ...more }, actor: physician });
    const change = { request: { linkId: link.linkId, salt: random() }, actor: physician };
    await world.refused('not-heard', 'stmary', 'patient:link', { ...call(), actor: { ...physician, role: 'biller' } });
    await world.refused('not-a-hospital', 'authority', 'patient:link', call());
    await world.refused('unknown-patient', 'northside', 'patient:link', call());
    const itself = call({ other: { pid: theirs, custodian: 'stmary' } });
    await world.refused('link-to-itself', 'stmary', 'patient:link', itself);
    await world.refused('unknown-link', 'northside', 'patient:confirm', change);
    await world.submit('stmary', 'patient:link', call());
    await world.refused('link-exists', 'stmary', 'patient:link', call());
    await world.refused('link-confirmed', 'stmary', 'patient:confirm', change);
    await world.refused('not-a-hospital', 'authority', 'patient:unlink', change);
    // Of a patient whom nobody has a link can be said, and costs the same; nobody can confirm it.
    const decoy = { linkId: random(), other: { pid: random(), custodian: 'northside' } };
    await world.submit('stmary', 'patient:link', call(decoy));
    await world.refused('unknown-link', 'northside', 'patient:confirm', {
      request: { linkId: decoy.linkId, salt: random() },
      actor: physician,
    });
  });
});

describe('look-up codes on the ledger', () => {
  let world: ContractWorld;
  let pid: string;
  let [quarter, before, next] = ['', '', ''];
  const entry = (more: object = {}) => ({ entryId: random(), pid, codes: [random(), random()], ...more });
  const listing = (entries: readonly object[], more: object = {}) => ({
    request: { quarter, entries, salt: random(), ...more },
  });

  beforeEach(async () => {
    world = await ContractWorld.founded();
    // Ten minutes before a quarter of next year ends, whenever this runs.
    const year = new Date().getUTCFullYear() + 1;
    world.clockMs = Date.parse(`${year}-03-31T23:50:00Z`);
    await world.submit('northside', 'clock:tick');
    pid = await registerPatient(world);
    [quarter, before, next] = [`${year}-Q1`, `${year - 1}-Q4`, `${year}-Q2`];
  });

  it('counts quarters by the calendar', () => {
    assert.equal(quarterOf('2026-12-31T23:59:59.999Z'), '2026-Q4');
    assert.equal(quarterOf('2027-01-01T00:00:00.000Z'), '2027-Q1');
    assert.deepEqual(['2027-Q1', '2026-Q3'].map(quarterBefore), ['2026-Q4', '2026-Q2']);
  });

  it("are listed by a hospital for its own patients, in the clock's quarter, once under each id", async () => {
    const first = entry();
    await world.submit('stmary', 'patient:list-codes', listing([first, entry()]));
    await world.refused('entry-exists', 'stmary', 'patient:list-codes', listing([first]));
    const twice = entry();
    await world.refused('entry-exists', 'stmary', 'patient:list-codes', listing([twice, twice]));
    await world.refused('unknown-patient', 'northside', 'patient:list-codes', listing([entry()]));
    await world.refused('unknown-patient', 'stmary', 'patient:list-codes', listing([entry({ pid: random() })]));
    await world.refused('not-a-hospital', 'authority', 'patient:list-codes', listing([entry()]));
    const early = listing([entry()], { quarter: next });
    await world.refused('quarter-not-in-force', 'stmary', 'patient:list-codes', early);
    const many = Array.from({ length: MAX_LISTED + 1 }, () => entry());
    await world.refused('invalid-request', 'stmary', 'patient:list-codes', listing(many));
    const codes = Array.from({ length: MAX_CODES + 1 }, random);
    await world.refused('invalid-request', 'stmary', 'patient:list-codes', listing([entry({ codes })]));
    await world.pass(15 * 60_000, 'stmary');
    await world.refused('quarter-not-in-force', 'stmary', 'patient:list-codes', listing([entry()]));
    await world.submit('stmary', 'patient:list-codes', early);
  });

  it('are purged by their custodian alone, exactly as it announced', async () => {
    const [one, two] = [entry(), entry()];
    await world.submit('stmary', 'patient:list-codes', listing([one, two]));
    const entries = [one.entryId, two.entryId];
    const keys = entries.map((id) => lookupEntryKey('stmary', id));
    const erasureId = await announceErasure(world, 'stmary', keys);
    const call = (more: object = {}) => ({ request: { erasureId, entries, ...more } });
    await world.refused('not-announced', 'stmary', 'patient:purge-codes', call({ entries: [one.entryId] }));
    await world.refused('not-announced', 'stmary', 'patient:purge-codes', call({ erasureId: random() }));
    await world.refused('not-announced', 'northside', 'patient:purge-codes', call());
    const theirs = await announceErasure(world, 'northside', keys);
    await world.refused('not-announced', 'northside', 'patient:purge-codes', call({ erasureId: theirs }));
    const { rwset } = await world.submit('stmary', 'patient:purge-codes', call());
    assert.deepEqual(
      rwset.purges,
      keys.map((key) => ({ place: 'care', key })),
    );
  });

  it('have one secret in each quarter, that hospitals alone read and that ends when the quarter is over', async () => {
    const made = { request: { quarter, secret: random(), salt: random() } };
    const read = { request: { quarter } };
    await world.refused('unknown-secret', 'stmary', 'patient:secret', read);
    await world.refused('not-a-hospital', 'authority', 'patient:new-secret', made);
    const stale = { request: { ...made.request, quarter: before } };
    await world.refused('quarter-not-in-force', 'stmary', 'patient:new-secret', stale);
    await world.submit('stmary', 'patient:new-secret', made);
    await world.refused('secret-exists', 'northside', 'patient:new-secret', made);
    const { payload } = await world.evaluate('northside', 'patient:secret', read);
    assert.deepEqual(JSON.parse(payload), { secret: made.request.secret });
    assert.notEqual((await world.evaluate('authority', 'patient:secret', read)).status, 200);

    const erasureId = await announceErasure(world, 'northside', [lookupSecretKey(quarter)]);
    const retirement = { request: { erasureId, quarter } };
    await world.refused('quarter-not-in-force', 'northside', 'patient:retire-secret', retirement);
    await world.pass(15 * 60_000, 'stmary');
    await world.refused('not-announced', 'stmary', 'patient:retire-secret', retirement);
    await world.refused('not-a-hospital', 'authority', 'patient:retire-secret', retirement);
    await world.submit('northside', 'patient:retire-secret', retirement);
    await world.refused('unknown-secret', 'northside', 'patient:retire-secret', retirement);
  });
});

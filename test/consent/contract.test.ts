import assert from 'node:assert/strict';
import { MAX_CONSENTS, type ConsentRecord } from '@salus/chaincode/consent/api';
import { type ContractWorld, physician, random } from '../support/contract-world.js';
import {
  consentOf,
  consentRequest,
  consentsInForce,
  registerPatient,
  signedConsent,
  signingPatient,
} from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

describe('consent on the ledger', () => {
  let world: ContractWorld;
  let pid: string;
  const key = new SigningKey('phone');

  beforeEach(async () => {
    ({ world, pid } = await signingPatient(key));
  });

  const inForce = () => consentsInForce(world, pid);

  it('counts when signed with a registered key, whichever hospital submits it', async () => {
    const request = signedConsent(consentRequest(pid, consentOf('c-1', 'northside')), key);
    await world.submit('northside', 'consent:record', { request, actor: physician });
    const read = await world.evaluate('stmary', 'consent:read', { request: { consentId: 'c-1', version: 1 } });
    const record = JSON.parse(read.payload) as ConsentRecord;
    assert.deepEqual(record.countsAt, ['stmary']);
    assert.equal(record.statement, request.statement);
    assert.deepEqual(await inForce(), ['c-1/1']);
  });

  it("counts without a statement only from the custodian's own staff", async () => {
    const request = consentRequest(pid, consentOf('c-1', 'northside'));
    await world.refused('not-authentic', 'northside', 'consent:record', { request, actor: physician });
    const researcher = { user: 'u-1', role: 'researcher', purpose: 'HRESCH' };
    await world.refused('not-authentic', 'stmary', 'consent:record', { request, actor: researcher });
    await world.submit('stmary', 'consent:record', { request, actor: physician });
  });

  it('refuses a forged key, a revoked one, and a statement about anything else', async () => {
    const plain = consentRequest(pid, consentOf('c-1', 'northside'));
    const by = (request: object) => ({ request, actor: physician });
    await world.refused(
      'not-authentic',
      'northside',
      'consent:record',
      by(signedConsent(plain, new SigningKey('phone'))),
    );
    const other = { consent: 'c-2', channel: 'other', version: 2, replaces: 1 };
    for (const [name, value] of Object.entries(other)) {
      const request = signedConsent(plain, key, { [name]: value });
      await world.refused('statement-invalid', 'northside', 'consent:record', by(request));
    }
    const swapped = { ...signedConsent(plain, key), consent: consentOf('c-1', 'acme') };
    await world.refused('statement-invalid', 'northside', 'consent:record', by(swapped));
    const revoked = { pid, jwk: key.jwk, holder: 'patient', state: 'revoked', salt: random() };
    await world.submit('stmary', 'patient:key', { request: revoked, actor: physician });
    await world.refused('not-authentic', 'northside', 'consent:record', by(signedConsent(plain, key)));
  });

  it("counts a guardian's signature until the end of the key, by the ledger's clock", async () => {
    const tick = world.clockMs;
    for (const [kid, until, counts] of [
      ['before', tick + 1, true],
      ['after', tick, false],
    ] as const) {
      const key = new SigningKey(kid);
      const request = { pid, jwk: key.jwk, holder: 'guardian', state: 'active', salt: random() };
      const call = { request: { ...request, until: new Date(until).toISOString() }, actor: physician };
      await world.submit('stmary', 'patient:key', call);
      const signed = {
        request: signedConsent(consentRequest(pid, consentOf(`c-${kid}`, 'northside')), key),
        actor: physician,
      };
      if (counts) await world.submit('northside', 'consent:record', signed);
      else await world.refused('not-authentic', 'northside', 'consent:record', signed);
    }
  });

  it("takes no patient's word for another, whatever statement comes with it", async () => {
    const plain = consentRequest(pid, consentOf('c-1', 'northside'));
    const actor = { user: 'p-mallory', role: 'patient', purpose: 'PATRQT' };
    for (const own of ['phone', 'mallorys-phone']) {
      const request = signedConsent(plain, new SigningKey(own));
      await world.refused('not-authentic', 'stmary', 'consent:record', { request, actor });
      await world.refused('not-authentic', 'stmary', 'consent:record', { request, actor: physician });
    }
    await world.submit('stmary', 'consent:record', { request: signedConsent(plain, key), actor });
  });

  it('counts for the patient whom it names alone, though the key was registered for another one, too', async () => {
    const brother = await registerPatient(world, 'stmary', 'patient-2');
    const guardians = new SigningKey('guardians');
    for (const child of [pid, brother]) {
      const request = { pid: child, jwk: guardians.jwk, holder: 'guardian', state: 'active', salt: random() };
      await world.submit('stmary', 'patient:key', { request, actor: physician });
    }
    const said = signedConsent(consentRequest(pid, consentOf('c-1', 'northside')), guardians);
    const replayed = { request: { ...said, pid: brother }, actor: physician };
    await world.refused('patient-mismatch', 'northside', 'consent:record', replayed);
    const nobodys = { ...consentOf('c-1', 'northside'), patient: undefined };
    const unnamed = { request: signedConsent(consentRequest(pid, nobodys), guardians), actor: physician };
    await world.refused('patient-mismatch', 'northside', 'consent:record', unnamed);
    await world.submit('northside', 'consent:record', { request: said, actor: physician });
    assert.deepEqual(await inForce(), ['c-1/1']);
  });

  it('keeps versions in line and leaves what is withdrawn out of the list', async () => {
    const record = (request: object) => ({ request, actor: physician });
    await world.submit('stmary', 'consent:record', record(consentRequest(pid, consentOf('c-1', 'northside'))));
    const again = record(consentRequest(pid, consentOf('c-1', 'northside')));
    await world.refused('version-conflict', 'stmary', 'consent:record', again);
    const third = record(consentRequest(pid, consentOf('c-1', 'northside'), 3));
    await world.refused('version-conflict', 'stmary', 'consent:record', third);
    const loose = { ...consentRequest(pid, consentOf('c-1', 'northside'), 2), replaces: undefined };
    await world.refused('version-conflict', 'stmary', 'consent:record', record(loose));
    const stranger = record(consentRequest(await registerPatient(world), consentOf('c-1', 'northside'), 2));
    await world.refused('patient-mismatch', 'stmary', 'consent:record', stranger);
    const withdrawn = consentRequest(pid, consentOf('c-1', 'northside', 'permit', 'inactive'), 2);
    await world.submit('stmary', 'consent:record', record(withdrawn));
    assert.deepEqual(await inForce(), []);
    const revived = record(consentRequest(pid, consentOf('c-1', 'northside'), 3));
    await world.refused('illegal-transition', 'stmary', 'consent:record', revived);
    const born = record(consentRequest(pid, consentOf('c-2', 'northside', 'permit', 'inactive')));
    await world.refused('illegal-transition', 'stmary', 'consent:record', born);
    await world.refused('unknown-consent', 'stmary', 'consent:read', { request: { consentId: 'c-9', version: 1 } });
  });

  it('lets another hospital ask for the end of a consent in force, and for nothing else', async () => {
    const askedBy = { member: 'northside', user: 'p-ann', role: 'patient' };
    const given = consentRequest(pid, consentOf('c-1', 'northside'));
    const asked = (request: object) => ({ request: { ...request, askedBy }, actor: physician });
    await world.refused('illegal-transition', 'stmary', 'consent:record', asked(given));
    await world.submit('stmary', 'consent:record', { request: given, actor: physician });
    const changed = consentRequest(pid, consentOf('c-1', 'acme'), 2);
    await world.refused('illegal-transition', 'stmary', 'consent:record', asked(changed));
    const ended = consentRequest(pid, consentOf('c-1', 'northside', 'permit', 'inactive'), 2);
    await world.refused('not-authentic', 'northside', 'consent:record', asked(ended));
    await world.submit('stmary', 'consent:record', asked(ended));
    const { payload } = await world.evaluate('stmary', 'consent:read', { request: { consentId: 'c-1', version: 2 } });
    assert.deepEqual((JSON.parse(payload) as ConsentRecord).askedBy, askedBy);
  });

  it('lets one withdrawal be recorded once, however many race', async () => {
    const request = consentRequest(pid, consentOf('c-1', 'northside'));
    const first = await world.evaluate('stmary', 'consent:record', { request, actor: physician });
    const second = await world.evaluate('stmary', 'consent:record', { request, actor: physician });
    assert.equal(world.commit(first), 'VALID');
    assert.equal(world.commit(second), 'MVCC_READ_CONFLICT');
  });

  it('refuses what cannot be decided on', async () => {
    const good = consentOf('c-1', 'northside');
    const policyless = { ...good, policyRule: undefined };
    const untyped = { ...good, provision: { provision: [{ purpose: [] }] } };
    const vague = {
      ...good,
      provision: { provision: [{ type: 'permit', actor: [{ reference: { display: 'Dr. No' } }] }] },
    };
    for (const consent of [policyless, untyped, vague, { ...good, text: { div: 'free' } }]) {
      const call = { request: consentRequest(pid, consent), actor: physician };
      await world.refused('not-decidable', 'stmary', 'consent:record', call);
    }
    const shapeless = { request: consentRequest(pid, { ...good, provision: 'permit' }), actor: physician };
    await world.refused('not-understood', 'stmary', 'consent:record', shapeless);
    const patient = { request: consentRequest(pid, { ...good, resourceType: 'Patient' }), actor: physician };
    await world.refused('not-a-consent', 'stmary', 'consent:record', patient);
    const misnamed = { request: { ...consentRequest(pid, good), consentId: 'c-7' }, actor: physician };
    await world.refused('not-a-consent', 'stmary', 'consent:record', misnamed);
    const unknown = { request: consentRequest(random(), good), actor: physician };
    await world.refused('unknown-patient', 'stmary', 'consent:record', unknown);
  });

  it(`holds ${MAX_CONSENTS} consents in force and not one more`, async () => {
    for (let count = 1; count <= MAX_CONSENTS; count += 1) {
      const request = consentRequest(pid, consentOf(`c-${count}`, 'northside'));
      await world.submit('stmary', 'consent:record', { request, actor: physician });
    }
    const request = consentRequest(pid, consentOf('one-more', 'northside'));
    await world.refused('too-many-consents', 'stmary', 'consent:record', { request, actor: physician });
  });
});

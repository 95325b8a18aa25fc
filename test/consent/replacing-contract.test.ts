import assert from 'node:assert/strict';

import type { ConsentRecord } from '@salus/chaincode/consent/api';
import { record } from '@salus/chaincode/dist/consent/rules.js';
import { Refusal } from '@salus/chaincode/dist/lib/refusal.js';

import { type ContractWorld, physician, random } from '../support/contract-world.js';
import {
  ask,
  consentOf,
  consentRequest,
  consentsInForce,
  registerKey,
  registerPatient,
  signedConsent,
  signingPatient,
} from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

const IDENTIFIER = [{ system: 'urn:stmary:consents', value: 'treatment' }];
const patient = { user: 'p-ann', role: 'patient', purpose: 'PATRQT' };
const guardian = { user: 'g-eve', role: 'guardian', purpose: 'FAMRQT' };

const naming = (...ids: readonly string[]) => ({
  extension: ids.map((id) => ({ url: 'urn:salus:replaces', valueReference: { reference: `Consent/${id}` } })),
});

describe('a consent that replaces another one, on the ledger', () => {
  let world: ContractWorld;
  let pid: string;
  const key = new SigningKey('phone');

  beforeEach(async () => {
    ({ world, pid } = await signingPatient(key));
  });

  const inForce = () => consentsInForce(world, pid);
  const call = (id: string, more: object = {}, by: object = {}) => {
    const {
      version,
      actor = physician,
      type = 'permit',
      status = 'active',
    } = by as {
      version?: number;
      actor?: object;
      type?: 'permit' | 'deny';
      status?: string;
    };
    return { request: consentRequest(pid, { ...consentOf(id, 'northside', type, status), ...more }, version), actor };
  };
  const give = async (id: string, more: object = {}, by: object = {}): Promise<void> => {
    await world.submit('stmary', 'consent:record', call(id, more, by));
  };
  const refused = async (code: string, id: string, more: object = {}, by: object = {}): Promise<void> => {
    await world.refused(code, 'stmary', 'consent:record', call(id, more, by));
  };

  it('stands in its place by the identifier, by system and value, or by its name; all others stay', async () => {
    const other = [{ system: 'urn:northside:consents', value: 'treatment' }];
    await give('old', { identifier: IDENTIFIER });
    await give('beside', { identifier: other });
    await give('bare', { identifier: [{ value: 'treatment' }] });
    await give('bare-too', { identifier: [{ value: 'treatment' }] });
    await give('new', { identifier: IDENTIFIER });
    assert.deepEqual(await inForce(), ['beside/1', 'bare/1', 'bare-too/1', 'new/1']);
    await give('newest', naming('new', 'bare'));
    assert.deepEqual(await inForce(), ['beside/1', 'bare-too/1', 'newest/1']);
  });

  it('decides the accesses from then on', async () => {
    await give('permit', { identifier: IDENTIFIER });
    assert.equal((await ask(world, 'northside', pid)).decision, 'permit');
    await give('denial', { identifier: IDENTIFIER }, { type: 'deny' });
    const denied = await ask(world, 'northside', pid);
    assert.equal(denied.decision, 'deny');
    assert.deepEqual(denied.consents, [{ consentId: 'denial', version: 1 }]);
    await give('again', naming('denial'));
    assert.equal((await ask(world, 'northside', pid)).decision, 'permit');
  });

  it('replaces once it comes into force, not as a draft, and its next versions do so again', async () => {
    await give('old', { identifier: IDENTIFIER });
    await give('new', naming('old'), { status: 'draft' });
    assert.deepEqual(await inForce(), ['old/1']);
    await give('new', naming('old'), { version: 2 });
    assert.deepEqual(await inForce(), ['new/2']);
    await give('new', naming('old'), { version: 3 });
    await give('more', { identifier: IDENTIFIER });
    await give('new', { ...naming('old'), identifier: IDENTIFIER }, { version: 4 });
    assert.deepEqual(await inForce(), ['new/4']);
  });

  it('is followed by nothing when it ends: what it replaced does not come back, and takes no further version but an end', async () => {
    for (const [index, status] of ['inactive', 'entered-in-error'].entries()) {
      const [old, successor] = [`old-${index}`, `new-${index}`];
      await give(old, { identifier: IDENTIFIER });
      await give(successor, { identifier: IDENTIFIER });
      await refused('replaced', old, { identifier: IDENTIFIER }, { version: 2 });
      await give(successor, {}, { version: 2, status });
      assert.deepEqual(await inForce(), []);
      await refused('replaced', old, {}, { version: 2 });
      await give(old, {}, { version: 2, status: 'inactive' });
      assert.deepEqual(await inForce(), []);
    }
  });

  it('is refused where it names what is not in force, unknown and withdrawn and of another patient alike, or itself', async () => {
    const stranger = await registerPatient(world);
    const strangers = consentRequest(stranger, { ...consentOf('theirs', 'northside'), identifier: IDENTIFIER });
    await world.submit('stmary', 'consent:record', { request: strangers, actor: physician });
    await give('ended');
    await give('ended', {}, { version: 2, status: 'inactive' });
    await give('sketch', {}, { status: 'draft' });
    for (const id of ['theirs', 'nobodys', 'ended', 'sketch']) await refused('replaces-nothing', 'new', naming(id));
    await refused('not-decidable', 'new', naming('new'));
    for (const reference of ['Patient/1', 'https://a.example/Consent/1', 'Consent/1/_history/1', undefined]) {
      const extension = [{ url: 'urn:salus:replaces', valueReference: { reference } }];
      await refused('not-decidable', 'new', { extension });
    }
    await give('new', { identifier: IDENTIFIER });
    const { payload } = await world.evaluate('stmary', 'consent:list', { request: { pid: stranger } });
    assert.equal((JSON.parse(payload) as unknown[]).length, 1);
  });

  it('counts wherever what it replaces counts, or is refused', () => {
    const { consentId, salt, ...asked } = call('ours', { identifier: IDENTIFIER }).request;
    const consent = asked.consent as unknown as ConsentRecord['consent'];
    const theirs = {
      ...{ pid, consentId: 'theirs', version: 1, status: 'active' as const, consent, recorded: '' },
      submitter: { member: 'northside', user: 'u-baker', role: 'physician' },
    };
    const recorded = (countsAt: readonly string[]) =>
      record(
        { pid, consentId, version: 1, consent, salt },
        {
          ...{ channel: 'health', now: '', keys: [], earlierKeys: [], clock: undefined, previous: undefined },
          ...{ submitter: { member: 'stmary', user: 'u-adams', role: 'physician' }, isKnown: false },
          patient: { pid, custodians: { stmary: { patientId: 'patient-1' }, northside: { patientId: '2' } } } as never,
          list: { pid, inForce: [{ consentId: 'theirs', version: 1 }] },
          others: [{ ...theirs, countsAt }],
        },
      );
    for (const countsAt of [['northside'], ['northside', 'stmary']]) {
      const refusal = recorded(countsAt);
      assert.ok(refusal instanceof Refusal && refusal.code === 'not-authentic');
    }
    const taken = recorded(['stmary']);
    assert.ok(!(taken instanceof Refusal));
    assert.deepEqual(taken.list.inForce, [{ consentId: 'ours', version: 1 }]);
  });

  it('is no way for staff around what the patient denied; patient and guardian may, and staff what staff wrote down', async () => {
    const denial = { identifier: IDENTIFIER };
    await give('by-desk', denial, { type: 'deny', actor: patient });
    for (const how of [{ identifier: IDENTIFIER }, naming('by-desk')]) await refused('not-authentic', 'permit', how);
    const asStaff = { ...physician, role: 'privacy-officer', purpose: 'HOPERAT' };
    await refused('not-authentic', 'permit', denial, { actor: asStaff });
    await give('by-guardian', denial, { type: 'deny', actor: guardian });
    await refused('not-authentic', 'permit', denial);
    await give('own', denial, { actor: patient });
    await give('by-staff', denial, { type: 'deny' });
    await give('again', denial);
    assert.deepEqual(await inForce(), ['again/1']);
  });

  it('may be signed, and what was signed is the word of whoever holds the key, revoked since or not', async () => {
    const denial = consentRequest(pid, { ...consentOf('signed', 'northside', 'deny'), identifier: IDENTIFIER });
    await world.submit('northside', 'consent:record', { request: signedConsent(denial, key), actor: physician });
    await refused('not-authentic', 'permit', { identifier: IDENTIFIER });
    const unsigned = call('permit', { identifier: IDENTIFIER });
    await world.refused('not-authentic', 'northside', 'consent:record', unsigned);
    const revoked = { pid, jwk: key.jwk, holder: 'patient', state: 'revoked', salt: random() };
    await world.submit('stmary', 'patient:key', { request: revoked, actor: physician });
    await refused('not-authentic', 'permit', { identifier: IDENTIFIER });
    const tablet = new SigningKey('tablet');
    await registerKey(world, pid, tablet);
    const { request } = call('permit', { identifier: IDENTIFIER });
    await world.submit('northside', 'consent:record', { request: signedConsent(request, tablet), actor: physician });
    assert.deepEqual(await inForce(), ['permit/1']);
  });

  it('races: of two that name the same one comes first, and the other is told', async () => {
    await give('old', { identifier: IDENTIFIER });
    const [one, two] = [call('one', naming('old')), call('two', naming('old'))];
    const first = await world.evaluate('stmary', 'consent:record', one);
    const second = await world.evaluate('stmary', 'consent:record', two);
    const next = await world.evaluate('stmary', 'consent:record', call('old', {}, { version: 2 }));
    assert.equal(world.commit(first), 'VALID');
    assert.equal(world.commit(second), 'MVCC_READ_CONFLICT');
    assert.equal(world.commit(next), 'MVCC_READ_CONFLICT');
    await world.refused('replaces-nothing', 'stmary', 'consent:record', two);
    await refused('replaced', 'old', {}, { version: 2 });
    // By an identifier the last one stands.
    await give('three', { identifier: IDENTIFIER });
    await give('four', { identifier: IDENTIFIER });
    assert.deepEqual(await inForce(), ['one/1', 'four/1']);
  });
});

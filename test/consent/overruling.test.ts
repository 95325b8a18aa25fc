import assert from 'node:assert/strict';

import { deniesRelated, isNarrower, isToldRevocation } from '@salus/chaincode/dist/consent/narrower.js';

import { type ContractWorld, physician, random } from '../support/contract-world.js';
import {
  consentOf,
  consentRequest,
  consentsInForce,
  PATIENT,
  signedConsent,
  signingPatient,
} from '../support/patients.js';
import { SigningKey } from '../support/signing.js';
import { by as dimension, consent, deny, permit } from './world.js';

type Consent = ReturnType<typeof consentOf>;

const officer = { user: 'u-officer', role: 'privacy-officer', purpose: 'HOPERAT' };
const atDesk = { user: 'p-ann', role: 'patient', purpose: 'PATRQT' };
const guardian = { user: 'g-eve', role: 'guardian', purpose: 'FAMRQT' };
const dated = '2026-01-11';
/** What rules name, users among it. */
const by = { ...dimension, user: (id: string) => dimension.identifier(id, 'urn:salus:user') };

/** A consent with further rules below its root. */
const ruled = (id: string, ...rules: readonly object[]): Consent => {
  const plain = consentOf(id, 'northside', 'deny');
  return {
    ...plain,
    provision: { ...plain.provision, provision: [...plain.provision.provision, ...rules] },
  } as Consent;
};
const denialTo = (value: string): object => deny(by.user(value));
/** As the patient told the staff. */
const told = (reference: string, more: object = {}): object => ({
  ...{ status: 'inactive', performer: [{ reference }] },
  verification: [{ verified: true, verifiedWith: { reference }, verificationDate: dated, ...more }],
});

describe('what patient or guardian said, on the ledger', () => {
  let world: ContractWorld;
  let pid: string;
  const key = new SigningKey('phone');

  beforeEach(async () => {
    ({ world, pid } = await signingPatient(key));
  });

  const say = async (said: Consent, version: number, actor: object = physician, more: object = {}): Promise<void> => {
    const request = { ...consentRequest(pid, said, version), ...more };
    await world.submit('stmary', 'consent:record', { request, actor });
  };
  const refused = async (said: Consent, version: number, actor: object = physician, more = {}): Promise<void> => {
    const request = { ...consentRequest(pid, said, version), ...more };
    await world.refused('not-authentic', 'stmary', 'consent:record', { request, actor });
  };
  const sign = async (said: Consent, version: number): Promise<void> => {
    const request = signedConsent(consentRequest(pid, said, version), key);
    await world.submit('northside', 'consent:record', { request, actor: physician });
  };

  it('is replaced and ended by no staff of the custodian, whether signed or said there', async () => {
    await sign(consentOf('signed', 'northside', 'deny'), 1);
    await say(consentOf('said', 'northside', 'deny'), 1, atDesk);
    await say(consentOf('guarded', 'northside', 'deny'), 1, guardian);
    for (const id of ['signed', 'said', 'guarded']) {
      for (const actor of [physician, officer]) {
        await refused(consentOf(id, 'northside', 'permit'), 2, actor);
        for (const status of ['inactive', 'entered-in-error'])
          await refused(consentOf(id, 'northside', 'deny', status), 2, actor);
      }
    }
    assert.deepEqual(await consentsInForce(world, pid), ['signed/1', 'said/1', 'guarded/1']);
  });

  it('stays so when its key is revoked', async () => {
    await sign(consentOf('signed', 'northside', 'deny'), 1);
    const revoked = { pid, jwk: key.jwk, holder: 'patient', state: 'revoked', salt: random() };
    await world.submit('stmary', 'patient:key', { request: revoked, actor: physician });
    await refused(consentOf('signed', 'northside', 'permit'), 2);
  });

  it('is changed by the patient, signed or at the custodian', async () => {
    await say(consentOf('c', 'northside', 'deny'), 1, atDesk);
    await say(consentOf('c', 'northside', 'permit'), 2, atDesk);
    await sign(consentOf('c', 'northside', 'deny'), 3);
    await say(consentOf('c', 'northside', 'deny', 'inactive'), 4, atDesk);
    assert.deepEqual(await consentsInForce(world, pid), []);
  });

  it('is narrowed by staff, and stays what the patient said however often', async () => {
    await sign(consentOf('c', 'northside', 'permit'), 1);
    await refused(
      { ...consentOf('c', 'northside', 'permit'), policyRule: { coding: [] }, policy: [{ uri: 'urn:x' }] } as Consent,
      2,
    );
    const narrowed = { ...consentOf('c', 'northside', 'permit'), dateTime: dated } as Consent;
    const provision = { ...narrowed.provision, provision: [denialTo('dr-x')] };
    const denying = { ...narrowed, provision } as Consent;
    await say(denying, 2);
    await refused(narrowed, 3);
    await refused({ ...denying, status: 'inactive' }, 3);
    await say({ ...denying, status: 'inactive' }, 3, atDesk);
  });

  it('is ended by staff where it only permits, or as the patient told them', async () => {
    await sign(consentOf('permit', 'northside', 'permit'), 1);
    await say(consentOf('permit', 'northside', 'permit', 'inactive'), 2);
    await sign(consentOf('denial', 'northside', 'deny'), 1);
    const ended = consentOf('denial', 'northside', 'deny', 'inactive');
    for (const more of [told('Patient/another'), told(`Patient/${PATIENT}`, { verified: false })]) {
      await refused({ ...ended, ...more }, 2);
    }
    await refused({ ...consentOf('denial', 'northside'), ...told(`Patient/${PATIENT}`), status: 'active' }, 2);
    await say({ ...ended, ...told(`Patient/${PATIENT}`) }, 2);
    assert.deepEqual(await consentsInForce(world, pid), []);
  });

  it('leaves to staff what staff wrote down, and what never came into force', async () => {
    await say(consentOf('ours', 'northside', 'deny'), 1);
    await say(consentOf('ours', 'northside', 'permit'), 2);
    await say(consentOf('draft', 'northside', 'deny', 'draft'), 1, atDesk);
    await say(consentOf('draft', 'northside', 'permit'), 2);
  });

  it('is changed by no guardian to whom it denies something, by name', async () => {
    const denial = ruled('c', deny(by.literal('RelatedPerson/eve')));
    await say(denial, 1, atDesk);
    const without = consentOf('c', 'northside', 'deny');
    await refused(without, 2, guardian, { representative: 'eve' });
    await refused({ ...denial, status: 'inactive' }, 2, guardian, { representative: 'eve' });
    // Nobody vouches for whom it is.
    await refused(without, 2, guardian);
    const named = { identifier: [{ system: 'urn:s', value: 'c' }] };
    await say({ ...denial, ...named }, 2, atDesk);
    await refused({ ...consentOf('other', 'northside'), ...named }, 1, guardian, { representative: 'eve' });
    // The custodian's wallet signs as the custodian's word: as whom the guardian came is known all the same.
    const wallet = new SigningKey('wallet');
    const kept = { pid, jwk: wallet.jwk, holder: 'custodian', state: 'active', salt: random() };
    await world.submit('stmary', 'patient:key', { request: kept, actor: physician });
    const { statement } = signedConsent(consentRequest(pid, without, 3), wallet);
    await refused(without, 3, guardian, { representative: 'eve', statement });
    await say(without, 3, guardian, { representative: 'adam', statement });
  });

  it('is changed by no guardian’s key where it denies something to any', async () => {
    const tablet = new SigningKey('tablet');
    const request = { pid, jwk: tablet.jwk, holder: 'guardian', state: 'active', salt: random() };
    await world.submit('stmary', 'patient:key', { request, actor: physician });
    await say(ruled('c', deny(by.literal('RelatedPerson/eve'))), 1, atDesk);
    const signed = signedConsent(consentRequest(pid, consentOf('c', 'northside', 'deny'), 2), tablet);
    for (const representative of [{}, { representative: 'adam' }]) {
      const call = { request: { ...signed, ...representative }, actor: physician };
      await world.refused('not-authentic', 'northside', 'consent:record', call);
    }
    await sign(consentOf('c', 'northside', 'deny'), 2);
  });
});

describe('a version is narrower than the one before it', () => {
  const care = (...rules: readonly object[]): object => consent(deny({ provision: rules })).care;

  it('where denials came, permits went, or nothing that is decided on changed', () => {
    const before = care(permit(by.member('northside')), permit(by.member('acme')));
    assert.ok(isNarrower(before, before));
    assert.ok(isNarrower({ ...before, dateTime: dated, performer: [], verification: [], meta: {} }, before));
    assert.ok(isNarrower(care(permit(by.member('acme'))), before));
    assert.ok(isNarrower(care(permit(by.member('acme')), deny(by.user('x'))), before));
    assert.ok(isNarrower({ ...before, status: 'inactive' }, before));
  });

  it('and in no other case', () => {
    const twice = permit(by.member('northside'));
    const before = care(twice, deny(by.user('x')));
    const others = [
      care(twice),
      care(twice, twice, deny(by.user('x'))),
      care(twice, deny({ ...by.user('x'), provision: [permit()] })),
      care(twice, deny(by.user('x')), deny({ ...by.user('y'), provision: [permit()] })),
      care(permit(by.member('acme')), deny(by.user('x'))),
      { ...before, policyRule: { coding: [{ code: 'OPTIN' }] } },
      { ...before, identifier: [{ system: 'urn:s', value: 'v' }] },
      { ...before, provision: { ...(before as { provision: object }).provision, period: { end: '2026' } } },
      { ...before, provision: undefined },
      { ...before, status: 'inactive' },
    ];
    for (const each of others) assert.ok(!isNarrower(each, before), JSON.stringify(each));
    const bound = care(permit({ securityLabel: [{ code: 'NORDSCLCD' }] }), permit(by.member('acme')));
    assert.ok(!isNarrower(care(permit(by.member('acme'))), bound));
    const nested = care(permit({ provision: [deny(by.user('x'))] }));
    assert.ok(!isNarrower(care(), nested));
  });

  it('as told by whom it is about, or who acts for them', () => {
    assert.ok(isToldRevocation(told('Patient/p'), ['p']));
    assert.ok(isToldRevocation(told('RelatedPerson/r'), ['p']));
    const lacking = [
      { ...told('Patient/p'), performer: undefined },
      { ...told('Patient/p'), verification: [null, {}] },
      told('Practitioner/p'),
      told('Patient/p', { verificationDate: undefined }),
      told('Patient/p', { verifiedWith: { reference: 'Patient/q' } }),
    ];
    for (const each of lacking) assert.ok(!isToldRevocation(each, ['p']), JSON.stringify(each));
  });

  it('and denies something to whom a denial, or what is around it, names', () => {
    const eve = by.literal('RelatedPerson/eve');
    assert.ok(deniesRelated(care(deny(eve)), 'eve'));
    assert.ok(deniesRelated(care(permit({ ...eve, provision: [deny()] })), 'eve'));
    assert.ok(deniesRelated({ ...consent(eve).care, policyRule: { coding: [{ code: 'OPTOUT' }] } }, undefined));
    assert.ok(!deniesRelated(care(permit(eve), deny(by.user('x'))), 'eve'));
    assert.ok(!deniesRelated(care(deny(eve)), 'adam'));
    assert.ok(!deniesRelated(consent(undefined).care, undefined));
  });
});

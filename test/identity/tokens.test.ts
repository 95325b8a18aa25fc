import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';

import { signingKey, type SigningKey } from '@salus/gateway/identity/keys';
import { confinedTo, scopesAllow, scopesCover, scopesReachAll } from '@salus/gateway/identity/scopes';
import { readStatement, signStatement } from '@salus/gateway/identity/statements';
import { verifyStatement } from '../support/verify-statement.js';
import {
  authenticate,
  MAX_TOKEN_CHARACTERS,
  signToken,
  TOKEN_LIFETIME_S,
  type TokenClaims,
  type TokenRules,
} from '@salus/gateway/identity/tokens';
import { VERIFIED_FOR_MS } from '@salus/gateway/identity/verified-tokens';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { createLocalJWKSet, type JWK } from 'jose';

const NOW = Date.parse('2026-05-01T12:00:00Z');

function makeKey(kid: string): { readonly own: SigningKey; readonly shown: JWK } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = signingKey({ ...privateKey.export({ format: 'jwk' }), kid });
  return { own, shown: { ...publicKey.export({ format: 'jwk' }), kid } };
}

function refused(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.code === code;
}

describe('bearer tokens', () => {
  let key: ReturnType<typeof makeKey>;
  let rules: TokenRules;
  const claims: TokenClaims = {
    issuer: 'http://127.0.0.1:8101/development-issuer',
    audience: 'http://127.0.0.1:8101/fhir/R4',
    subject: 'dr-adams',
    member: 'stmary',
    role: 'physician',
    scope: 'user/*.cruds',
    purposes: [],
  };

  before(() => {
    key = makeKey('k1');
    rules = {
      member: 'stmary',
      issuer: claims.issuer,
      audience: claims.audience,
      keys: createLocalJWKSet({ keys: [key.shown] }),
      now: () => NOW,
      mandateOf: () => ({ kind: 'none' }) as const,
      pseudonym: (subject) => `pseudonym-of-${subject}`,
    };
  });

  async function actorOf(changes: Partial<TokenClaims> = {}, purpose?: string, by = key.own) {
    const token = await signToken({ ...claims, ...changes }, by, NOW);
    return await authenticate(`Bearer ${token}`, purpose, rules);
  }

  it('are verified once a minute, and at their end', async () => {
    const token = `Bearer ${await signToken(claims, key.own, NOW)}`;
    let [now, verified] = [NOW, 0];
    const keys: TokenRules['keys'] = async (header, parts) => {
      verified += 1;
      return await rules.keys(header, parts);
    };
    const counting: TokenRules = { ...rules, now: () => now, keys };
    for (const later of [0, 1, VERIFIED_FOR_MS - 1, VERIFIED_FOR_MS]) {
      now = NOW + later;
      await authenticate(token, undefined, counting);
    }
    assert.equal(verified, 2);
    now = NOW + TOKEN_LIFETIME_S * 1000 - 1;
    await authenticate(token, undefined, counting);
    now += 60_000;
    await assert.rejects(authenticate(token, undefined, counting), refused('unauthenticated'));
    assert.equal(verified, 4);
  });

  it('are not taken for one another', async () => {
    await actorOf();
    const [head, payload] = (await signToken(claims, key.own, NOW)).split('.');
    const other = (await signToken({ ...claims, subject: 'dr-other' }, key.own, NOW)).split('.')[2];
    await assert.rejects(
      authenticate(`Bearer ${head}.${payload}.${other}`, undefined, rules),
      refused('unauthenticated'),
    );
  });

  it('name the actor', async () => {
    assert.deepEqual(await actorOf(), {
      member: 'stmary',
      user: 'dr-adams',
      role: 'physician',
      purpose: 'TREAT',
      scopes: ['user/*.cruds'],
    });
  });

  it('hide who a patient is from the ledger', async () => {
    const actor = await actorOf({ role: 'patient', patient: 'f1', subject: 's1' });
    assert.deepEqual([actor.user, actor.patient, actor.purpose], ['pseudonym-of-s1', 'f1', 'PATRQT']);
  });

  it('are good for the purposes of the role, narrowed by the token', async () => {
    assert.equal((await actorOf({}, 'BTG')).purpose, 'BTG');
    await assert.rejects(actorOf({}, 'HPAYMT'), refused('purpose-not-claimable'));
    await assert.rejects(actorOf({ purposes: ['TREAT'] }, 'BTG'), refused('purpose-not-claimable'));
    await assert.rejects(actorOf({ purposes: ['HPAYMT'] }), refused('purpose-not-claimable'));
  });

  it(`have at most ${MAX_TOKEN_CHARACTERS} characters`, async () => {
    const sized = async (scopes: number): Promise<string> =>
      await signToken({ ...claims, scope: 'x'.repeat(scopes) }, key.own, NOW);
    // Four characters for each three bytes of the claims.
    const most = Math.floor(((MAX_TOKEN_CHARACTERS - (await sized(0)).length) * 3) / 4);
    const fits = await sized(most - 3);
    assert.ok(fits.length <= MAX_TOKEN_CHARACTERS);
    assert.equal((await authenticate(`Bearer ${fits}`, undefined, rules)).user, claims.subject);
    const over = await sized(most + 3);
    assert.ok(over.length > MAX_TOKEN_CHARACTERS);
    await assert.rejects(authenticate(`Bearer ${over}`, undefined, rules), refused('unauthenticated'));
  });

  it('are refused when missing, foreign, expired, or for somebody else', async () => {
    const other = makeKey('k1');
    await assert.rejects(authenticate(undefined, undefined, rules), refused('unauthenticated'));
    await assert.rejects(authenticate('Bearer x.y.z', undefined, rules), refused('unauthenticated'));
    await assert.rejects(actorOf({}, undefined, other.own), refused('unauthenticated'));
    await assert.rejects(actorOf({ audience: 'http://127.0.0.1:8102/fhir/R4' }), refused('unauthenticated'));
    await assert.rejects(actorOf({ issuer: 'http://elsewhere' }), refused('unauthenticated'));
    await assert.rejects(actorOf({ member: 'northside' }), refused('unauthenticated'));
    await assert.rejects(actorOf({ role: 'king' }), refused('unauthenticated'));
    await assert.rejects(actorOf({ role: 'patient' }), refused('unauthenticated'));
    const token = await signToken(claims, key.own, NOW - (TOKEN_LIFETIME_S + 60) * 1000);
    await assert.rejects(authenticate(`Bearer ${token}`, undefined, rules), refused('unauthenticated'));
  });
});

describe('SMART scopes', () => {
  it('of both versions allow what they name', () => {
    const allow = (scopes: string, type: string, letter: 'r' | 's' | 'c'): boolean =>
      scopesAllow({ scopes: scopes.split(' '), launch: 'ann' }, type, letter);
    assert.ok(allow('user/*.read', 'Observation', 's'));
    assert.ok(!allow('user/*.read', 'Observation', 'c'));
    assert.ok(allow('patient/Observation.rs openid', 'Observation', 'r'));
    assert.ok(!allow('patient/Observation.rs', 'Patient', 'r'));
    assert.ok(!allow('', 'Observation', 'r'));
  });

  it('for one patient reach that patient and the directory alone, and nothing where the token names none', () => {
    const scopes = ['patient/*.rs'];
    const launched = { scopes, launch: 'ann' };
    assert.ok(scopesCover(launched, 'Observation', 'r', 'ann'));
    assert.ok(!scopesCover(launched, 'Observation', 'r', 'ben'));
    assert.ok(!scopesCover(launched, 'Questionnaire', 'r', undefined));
    assert.ok(scopesCover(launched, 'Practitioner', 'r', undefined));
    assert.ok(!scopesReachAll(launched, 'Observation', 's'));
    assert.equal(confinedTo(launched), 'ann');
    assert.ok(!scopesAllow({ scopes }, 'Observation', 'r'));
    assert.ok(!scopesCover({ scopes }, 'Observation', 'r', 'ann'));
    const both = { scopes: ['patient/*.rs', 'user/Observation.r'], launch: 'ann' };
    assert.equal(confinedTo(both), undefined);
    assert.ok(scopesCover(both, 'Observation', 'r', 'ben'));
    assert.ok(!scopesCover(both, 'Condition', 'r', 'ben'));
  });
});

describe('statements', () => {
  const consent = { resourceType: 'Consent', id: 'c1', status: 'active' };
  const subject = { channel: 'health', consent: 'c1', version: 1, replaces: null };

  it('sign the canonical form, whatever the order of members', async () => {
    const { own, shown } = makeKey('k1');
    const statement = await signStatement({ status: 'active', id: 'c1', resourceType: 'Consent' }, subject, own);
    assert.equal(
      await verifyStatement(statement, shown),
      JSON.stringify({ id: 'c1', resourceType: 'Consent', status: 'active' }),
    );
    assert.deepEqual(readStatement(statement), { kid: 'k1', subject });
  });

  it("are refused under another's key, or changed", async () => {
    const [one, other] = [makeKey('k1'), makeKey('k1')];
    const statement = await signStatement(consent, subject, one.own);
    assert.equal(await verifyStatement(statement, other.shown), undefined);
    const [header, , signature] = statement.split('.');
    const forged = `${header!}.${Buffer.from('{"status":"inactive"}').toString('base64url')}.${signature!}`;
    assert.equal(await verifyStatement(forged, one.shown), undefined);
    assert.equal(readStatement('no statement'), undefined);
  });
});

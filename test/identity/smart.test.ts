import { strict as assert } from 'node:assert';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import {
  authorizationRequest,
  Browser,
  exchange,
  REDIRECT,
  sentBack,
  signIn,
  type Endpoints,
} from '../support/smart-app.js';
import { SCOPE, smartSuite } from '../support/smart-suite.js';

describe('SMART App Launch', () => {
  const suite = smartSuite();
  const { drAdams, read, launched, code } = suite;
  const network = suite.network;
  let fhir: string;
  let endpoints: Endpoints;
  let [ann, ben, staff] = ['', '', ''];
  before(() => {
    ({ fhir, endpoints, ann, ben, staff } = suite);
  });

  it('tells apps where to ask, in both places as the server itself says it', async () => {
    const response = await fetch(`${fhir}/.well-known/smart-configuration`, {
      headers: { origin: 'https://app.test' },
    });
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    const said = (await response.json()) as Record<string, unknown>;
    const own = await (await fetch(`${String(said.issuer)}/.well-known/openid-configuration`)).json();
    const named = [
      'issuer',
      'jwks_uri',
      'authorization_endpoint',
      'token_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
    ];
    const listed = [
      'response_types_supported',
      'code_challenge_methods_supported',
      'token_endpoint_auth_methods_supported',
      'token_endpoint_auth_signing_alg_values_supported',
    ];
    for (const name of [...named, ...listed])
      assert.deepEqual(said[name], (own as Record<string, unknown>)[name], name);
    const grants = (own as { grant_types_supported: string[] }).grant_types_supported;
    assert.deepEqual([...(said.grant_types_supported as string[])].sort(), grants.toSorted());
    const { rest } = (await network.ask('stmary', 'metadata')).body as {
      rest: {
        security: {
          service: { coding: { code: string }[] }[];
          extension: { extension: { url: string; valueUri: string }[] }[];
        };
      }[];
    };
    const security = rest[0]!.security;
    assert.equal(security.service[0]!.coding[0]!.code, 'SMART-on-FHIR');
    assert.deepEqual(Object.fromEntries(security.extension[0]!.extension.map(({ url, valueUri }) => [url, valueUri])), {
      authorize: said.authorization_endpoint,
      token: said.token_endpoint,
      introspect: said.introspection_endpoint,
      revoke: said.revocation_endpoint,
    });
  });

  it('alone: a person signs in, names a patient, allows; the token opens that record and no other', async () => {
    const got = await launched();
    assert.deepEqual([got.patient, got.need_patient_banner, got.scope, got.expires_in], [ann, true, SCOPE, 3600]);
    assert.equal(await read(ann, got.access_token), 200);
    assert.equal(await read(ben, got.access_token), 404);
    const keys = createRemoteJWKSet(new URL(String(endpoints.jwks_uri)));
    const { payload, protectedHeader } = await jwtVerify(got.id_token ?? '', keys, {
      audience: 'chart',
      issuer: String(endpoints.issuer),
    });
    assert.deepEqual(
      [payload.sub, payload.fhirUser, protectedHeader.alg],
      ['dr-adams', `${fhir}/Practitioner/adams`, 'RS256'],
    );
    const written = await network.ask('stmary', 'Observation', {
      token: got.access_token,
      body: {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: `Patient/${ann}` },
      },
    });
    assert.equal(written.status, 403, 'the scopes read only');
  });

  it('from an EHR: for the patient open there, once, and for nobody but who opened it', async () => {
    const begin = async (id: string) =>
      await network.ask('stmary', '/auth/launch', {
        token: staff,
        body: { patient: id },
        headers: { 'content-type': 'application/json' },
      });
    const begun = await begin(ben);
    assert.deepEqual([begun.status, begun.body['iss']], [201, fhir]);
    const launch = String(begun.body['launch']);
    const got = await launched('launch patient/Patient.r', { launch });
    assert.deepEqual([got.patient, got.need_patient_banner], [ben, false]);
    assert.deepEqual([await read(ben, got.access_token), await read(ann, got.access_token)], [200, 404]);
    const again = authorizationRequest(endpoints, fhir, { scope: 'launch patient/Patient.r', launch });
    assert.equal(sentBack((await signIn(again, drAdams())).url).get('error'), 'invalid_request');
    const hers = String((await begin(ann)).body['launch']);
    const stolen = authorizationRequest(endpoints, fhir, { scope: 'launch patient/Patient.r', launch: hers });
    assert.equal(
      sentBack((await signIn(stolen, { user: 'ann', password: suite.annsOwn })).url).get('error'),
      'invalid_request',
    );
    assert.equal((await begin('nobody-here')).status, 404);
    assert.equal(
      (
        await network.ask('stmary', '/auth/launch', {
          body: { patient: ann },
          headers: { 'content-type': 'application/json' },
        })
      ).status,
      401,
    );
  });

  it('begins by POST as by GET, with more scopes than an address bears', async () => {
    const scope = [...Array.from({ length: 400 }, (_, n) => `patient/Observation.rs?code=${n}-0000000000000000000000`)];
    const asked = authorizationRequest(endpoints, fhir, { scope: ['launch/patient', ...scope].join(' ') });
    const { origin, pathname, searchParams } = new URL(asked.url);
    const browser = new Browser();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const login = await browser.open(`${origin}${pathname}`, {
      method: 'POST',
      headers,
      body: searchParams.toString(),
    });
    const consent = await browser.submit(login, { user: 'dr-adams', password: suite.adams });
    const back = await browser.submit(consent, { decision: 'allow', patient: ann, scope: scope.slice(0, 2) });
    const got = await exchange(endpoints, sentBack(back.url).get('code') ?? '', asked.verifier);
    assert.equal(got.body.scope, ['launch/patient', ...scope.slice(0, 2)].join(' '), JSON.stringify(got.body));
  });

  it('answers with tokens that are kept in no cache', async () => {
    const { code: fresh, verifier } = await code();
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: fresh,
      code_verifier: verifier,
      redirect_uri: REDIRECT,
      client_id: 'chart',
    });
    const { status, headers } = await fetch(endpoints.token_endpoint, { method: 'POST', body });
    assert.deepEqual([status, headers.get('cache-control'), headers.get('pragma')], [200, 'no-store', 'no-cache']);
  });

  it('by a patient is about the own record, and asks for no patient', async () => {
    const asked = authorizationRequest(endpoints, fhir, { scope: 'launch/patient patient/*.read fhirUser openid' });
    const browser = new Browser();
    const consent = await browser.submit(await browser.open(asked.url), { user: 'ann', password: suite.annsOwn });
    assert.doesNotMatch(consent.text, /name="patient"/);
    const back = await browser.submit(consent, { decision: 'allow', patient: ben });
    const got = await exchange(endpoints, sentBack(back.url).get('code') ?? '', asked.verifier);
    assert.deepEqual([got.body.patient, got.body.scope], [ann, 'launch/patient patient/*.read openid']);
    assert.deepEqual([await read(ann, got.body.access_token), await read(ben, got.body.access_token)], [200, 404]);
  });

  it('grants what the person left ticked, of what the app may have, and nothing that was not asked for', async () => {
    const narrowed = await launched(
      'launch/patient patient/Patient.r patient/Observation.rs',
      {},
      { ...drAdams(), fields: { patient: ann, scope: ['patient/Patient.r', 'user/*.cruds'] } },
    );
    assert.equal(narrowed.scope, 'launch/patient patient/Patient.r');
    const narrow = await launched('launch/patient patient/*.rs patient/Observation.r', { client_id: 'narrow' });
    assert.equal(narrow.scope, 'patient/Observation.r');
    const asked = authorizationRequest(endpoints, fhir, { scope: 'system/*.rs nonsense' });
    assert.equal(sentBack((await signIn(asked, drAdams())).url).get('error'), 'access_denied');
  });

  it('ends with access_denied where the person does not allow it, or names a patient that is not here', async () => {
    const asked = authorizationRequest(endpoints, fhir, { scope: SCOPE });
    const denied = await signIn(asked, { ...drAdams(), fields: { decision: 'deny' } });
    const { error, state } = Object.fromEntries(sentBack(denied.url));
    assert.deepEqual([error, state], ['access_denied', asked.state]);
    const unknown = await signIn(authorizationRequest(endpoints, fhir, { scope: SCOPE }), {
      ...drAdams(),
      fields: { patient: 'nobody-here' },
    });
    assert.equal(unknown.status, 422);
    assert.match(unknown.text, /no such patient/);
  });

  it('refuses who cannot prove to be the app that asked, and codes used before', async () => {
    const refused = async (changes: Record<string, string>) => {
      const fresh = await code();
      const got = await exchange(endpoints, fresh.code, changes.code_verifier ?? fresh.verifier, changes);
      return [got.status, got.body.error];
    };
    assert.deepEqual(await refused({ code_verifier: 'x'.repeat(43) }), [400, 'invalid_grant']);
    assert.deepEqual(await refused({ redirect_uri: `${REDIRECT}/other` }), [400, 'invalid_grant']);
    assert.deepEqual(await refused({ client_id: 'other' }), [400, 'invalid_grant']);
    assert.deepEqual(await refused({ client_id: 'nobody' }), [401, 'invalid_client']);
    const { code: once, verifier } = await code();
    const both = await Promise.all([exchange(endpoints, once, verifier), exchange(endpoints, once, verifier)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400]);
    const { code: replayed, verifier: its } = await code();
    const first = await exchange(endpoints, replayed, its);
    assert.equal(await read(ann, first.body.access_token), 200);
    assert.equal((await exchange(endpoints, replayed, its)).body.error, 'invalid_grant');
    assert.equal(await read(ann, first.body.access_token), 401, 'a replayed code ends what it gave');
  });

  it('sends nobody back to an address that the app did not register, or without PKCE, or for another server', async () => {
    const browser = new Browser();
    const at = async (changes: Record<string, string>) =>
      await browser.open(authorizationRequest(endpoints, fhir, { scope: SCOPE, ...changes }).url);
    for (const changes of [
      { redirect_uri: 'http://127.0.0.1:9/elsewhere' },
      { redirect_uri: '' },
      { client_id: 'nobody' },
    ]) {
      const { status, text, url } = await at(changes);
      assert.equal(status, 400, JSON.stringify(changes));
      assert.ok(url.startsWith(endpoints.authorization_endpoint), url);
      assert.doesNotMatch(text, /<script/);
    }
    const wrong = [
      { code_challenge: '', code_challenge_method: '' },
      { code_challenge_method: 'plain' },
      { aud: 'http://other.test/fhir' },
      { aud: '' },
      { response_type: 'token' },
    ];
    for (const changes of wrong) {
      const { search, hash } = new URL((await at(changes)).url);
      const { error } = Object.fromEntries(new URLSearchParams(search === '' ? hash.slice(1) : search));
      assert.match(String(error), /^(invalid_request|unsupported_response_type)$/, JSON.stringify(changes));
    }
  });
});

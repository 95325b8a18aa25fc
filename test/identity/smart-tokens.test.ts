import { strict as assert } from 'node:assert';

import { addPerson } from '@salus/gateway/commands/user';

import { removePerson } from '../support/sign-in-file.js';
import { post, type Endpoints } from '../support/smart-app.js';
import { SCOPE, smartSuite } from '../support/smart-suite.js';

describe('a token of the authorization server', () => {
  const suite = smartSuite();
  const { launched, read } = suite;
  const network = suite.network;
  let endpoints: Endpoints;
  let [ann, staff] = ['', ''];
  before(() => {
    ({ endpoints, ann, staff } = suite);
  });

  const refresh = (token: string, changes: Record<string, string> = {}) =>
    post(endpoints.token_endpoint, {
      grant_type: 'refresh_token',
      refresh_token: token,
      client_id: 'chart',
      ...changes,
    });

  it('is refreshed with its context, for less but never for more; a refresh token used twice ends them all', async () => {
    const got = await launched();
    const next = await refresh(got.refresh_token ?? '', { scope: 'patient/*.rs' });
    assert.deepEqual(
      [next.status, next.body.patient, next.body.scope],
      [200, ann, 'patient/*.rs'],
      JSON.stringify(next.body),
    );
    assert.equal(await read(ann, next.body.access_token), 200);
    const wider = await refresh(next.body.refresh_token ?? '', { scope: 'patient/*.cruds' });
    assert.deepEqual([wider.status, wider.body.error], [400, 'invalid_scope']);
    assert.equal((await refresh(next.body.refresh_token ?? '', { client_id: 'other' })).body.error, 'invalid_grant');
    assert.equal((await refresh(got.refresh_token ?? '')).body.error, 'invalid_grant');
    assert.equal((await refresh(next.body.refresh_token ?? '')).body.error, 'invalid_grant');
    assert.equal(await read(ann, next.body.access_token), 401);
  });

  it('is refreshed by an app that does not say which one it is, once for each refresh token', async () => {
    const got = await launched();
    const unnamed = async (token: string, more: Record<string, string> = {}) =>
      await post(endpoints.token_endpoint, { grant_type: 'refresh_token', refresh_token: token, ...more });
    const next = await unnamed(got.refresh_token ?? '');
    assert.deepEqual([next.status, next.body.patient], [200, ann], JSON.stringify(next.body));
    assert.equal((await unnamed('nothing')).body.error, 'invalid_request');
    assert.equal((await unnamed(got.refresh_token ?? '')).body.error, 'invalid_grant');
    const twice = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'a', client_id: 'chart' });
    twice.append('client_id', 'other');
    assert.equal((await fetch(endpoints.token_endpoint, { method: 'POST', body: twice })).status, 400);
  });

  it('is refreshed only where the app asked for it', async () => {
    assert.equal((await launched('launch/patient patient/*.rs')).refresh_token, undefined);
    const online = await launched('launch/patient patient/*.rs online_access');
    assert.equal((await refresh(online.refresh_token ?? '')).status, 200);
  });

  it('is refreshed no more once the person is gone from the register', async () => {
    const leaving = await addPerson(network.stateDir, { member: 'stmary', user: 'dr-leaving', role: 'physician' });
    const got = await launched(SCOPE, {}, { user: 'dr-leaving', password: leaving, fields: { patient: ann } });
    assert.equal(got.scope.includes('fhirUser'), false, 'nothing describes this person');
    removePerson(network.stateDir, 'stmary', 'dr-leaving');
    assert.equal((await refresh(got.refresh_token ?? '')).body.error, 'invalid_grant');
  });

  it('is introspected, and counts no more once it is revoked, alone or with what refreshes it', async () => {
    const introspect = async (token: string, client = 'chart') =>
      (await post(endpoints.introspection_endpoint, { token, client_id: client })).body;
    const revoke = async (token: string, client = 'chart') =>
      (await post(endpoints.revocation_endpoint, { token, client_id: client })).status;
    const got = await launched();
    const said = await introspect(got.access_token);
    assert.deepEqual(
      [said['active'], said['sub'], said['client_id'], said['patient'], said['role'], said.scope, said['fhirUser']],
      [true, 'dr-adams', 'chart', ann, 'physician', SCOPE, `${suite.fhir}/Practitioner/adams`],
    );
    assert.equal((await introspect(got.access_token, 'other'))['active'], false);
    assert.equal((await introspect(staff))['active'], false, 'it was not made here');
    assert.equal((await introspect(`${got.access_token.slice(0, -4)}AAAA`))['active'], false);
    await revoke(got.access_token, 'other');
    assert.equal(await read(ann, got.access_token), 200, 'another app revokes nothing');
    assert.equal(await revoke(got.access_token), 200);
    assert.equal((await introspect(got.access_token))['active'], false);
    assert.equal(await read(ann, got.access_token), 401);
    const next = await launched();
    assert.equal(await read(ann, next.access_token), 200);
    assert.equal(await revoke(next.refresh_token ?? ''), 200);
    assert.equal(await read(ann, next.access_token), 401);
    assert.equal((await refresh(next.refresh_token ?? '')).body.error, 'invalid_grant');
  });
});

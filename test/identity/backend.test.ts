import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ASSERTION_S, BACKEND_TOKEN_S } from '@salus/gateway/authorization/offered';
import { addApp } from '@salus/gateway/commands/app';
import { addPerson } from '@salus/gateway/commands/user';
import { CommandError } from '@salus/network/command';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

import { patient } from '../story/people.js';
import { networkOfSuite } from '../support/network.js';
import {
  authorizationRequest,
  discover,
  post,
  REDIRECT,
  sentBack,
  signIn,
  type Endpoints,
} from '../support/smart-app.js';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

describe('SMART Backend Services', () => {
  const network = networkOfSuite();
  let endpoints: Endpoints;
  let ann: string;
  const keys: Record<string, CryptoKey> = {};
  const publicKeys: JWK[] = [];

  before(async () => {
    endpoints = await discover(network.fhir('stmary'));
    for (const alg of ['ES384', 'RS384', 'ES256']) {
      const { privateKey, publicKey } = await generateKeyPair(alg);
      keys[alg] = privateKey;
      publicKeys.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
    }
    const service = { id: 'exporter', name: 'Exporter', redirectUris: [] };
    addApp(network.stateDir, 'stmary', { ...service, role: 'physician', keys: publicKeys, scope: 'system/Patient.rs' });
    addApp(network.stateDir, 'stmary', { id: 'public', name: 'Public', redirectUris: ['http://127.0.0.1:9/callback'] });
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    ann = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
  });

  interface Wish {
    readonly alg?: string;
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly seconds?: number;
    readonly scope?: string;
  }

  async function assertion({ alg = 'ES384', claims = {}, header = {}, seconds = 60 }: Wish = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: 'exporter',
      sub: 'exporter',
      aud: endpoints.token_endpoint,
      jti: randomUUID(),
      exp: now + seconds,
      ...claims,
    };
    return await new SignJWT(payload).setProtectedHeader({ alg, kid: alg, typ: 'JWT', ...header }).sign(keys[alg]!);
  }

  const ask = (client_assertion: string, scope = 'system/Patient.rs') =>
    post(endpoints.token_endpoint, {
      grant_type: 'client_credentials',
      scope,
      client_assertion,
      client_assertion_type: TYPE,
    });
  const refused = async (wish: Wish) => {
    const { status, body } = await ask(await assertion(wish), wish.scope);
    return [status, body.error];
  };

  for (const alg of ['ES384', 'RS384']) {
    it(`get a token for an assertion signed with ${alg}, good for what the service is registered for`, async () => {
      const { status, body } = await ask(await assertion({ alg }), 'system/Patient.rs');
      assert.deepEqual(
        [status, body.scope, body.expires_in, body.refresh_token],
        [200, 'system/Patient.rs', BACKEND_TOKEN_S, undefined],
        JSON.stringify(body),
      );
      assert.equal((await network.ask('stmary', `Patient/${ann}`, { token: body.access_token })).status, 200);
      assert.equal(
        (await network.ask('stmary', `Observation?patient=${ann}`, { token: body.access_token })).status,
        403,
      );
      assert.equal((await network.ask('stmary', 'Patient', { token: body.access_token, body: patient })).status, 403);
    });
  }

  it('use an assertion once, of many at the same moment as well', async () => {
    const used = await assertion();
    assert.equal((await ask(used)).status, 200);
    const again = await ask(used);
    assert.deepEqual([again.status, again.body.error], [401, 'invalid_client']);
    const twice = await assertion();
    const all = await Promise.all(Array.from({ length: 16 }, () => ask(twice)));
    assert.equal(all.filter(({ status }) => status === 200).length, 1);
  });

  it(`are refused an assertion that ends later than in ${ASSERTION_S} seconds, or has ended`, async () => {
    assert.deepEqual(await refused({ seconds: ASSERTION_S + 60 }), [401, 'invalid_client']);
    assert.deepEqual(await refused({ seconds: -60 }), [401, 'invalid_client']);
    assert.equal((await ask(await assertion({ seconds: ASSERTION_S }))).status, 200);
  });

  it('are refused an assertion of another algorithm, service, server or key, or without an id', async () => {
    for (const wish of [
      { alg: 'ES256' },
      { claims: { iss: 'somebody' } },
      { claims: { sub: 'nobody', iss: 'nobody' } },
      { claims: { aud: 'https://other.test/token' } },
      { claims: { jti: undefined } },
      { header: { kid: undefined } },
      { header: { kid: 'RS384' } },
    ]) {
      assert.deepEqual(await refused(wish), [401, 'invalid_client'], JSON.stringify(wish));
    }
    const [head, , signature] = (await assertion()).split('.');
    const [, payload] = (await assertion()).split('.');
    assert.equal((await ask(`${head}.${payload}.${signature}`)).status, 401);
  });

  it('are granted less of what they may have, and nothing else', async () => {
    assert.equal(
      (await ask(await assertion(), 'system/Patient.r system/Observation.rs')).body.scope,
      'system/Patient.r',
    );
    for (const scope of [
      'system/*.rs',
      'system/Patient.cruds',
      'user/Patient.rs',
      'patient/Patient.rs',
      'openid',
      '',
    ]) {
      assert.deepEqual(await refused({ scope }), [400, 'invalid_scope'], scope);
    }
  });

  it('are the way of services alone: no app gets a token without a person', async () => {
    const fields = { grant_type: 'client_credentials', client_id: 'public', scope: 'system/Patient.rs' };
    const { status, body } = await post(endpoints.token_endpoint, fields);
    assert.deepEqual([status, body.error], [400, 'invalid_request']);
  });

  it('have their tokens introspected and revoked', async () => {
    const { access_token: token } = (await ask(await assertion())).body;
    const about = async (endpoint: string) =>
      (
        await post(endpoint, {
          token,
          client_assertion: await assertion({ claims: { aud: endpoint } }),
          client_assertion_type: TYPE,
        })
      ).body;
    const said = await about(endpoints.introspection_endpoint);
    assert.deepEqual(
      [said['active'], said['role'], said['client_id']],
      [true, 'physician', 'exporter'],
      JSON.stringify(said),
    );
    await about(endpoints.revocation_endpoint);
    assert.equal((await network.ask('stmary', `Patient/${ann}`, { token })).status, 401);
    assert.equal((await about(endpoints.introspection_endpoint))['active'], false);
  });

  it('introspect the tokens of others with their own', async () => {
    const introspect = async (token: string, bearer: string) => {
      const headers = { authorization: `Bearer ${bearer}` };
      const response = await fetch(endpoints.introspection_endpoint, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ token }),
      });
      return { status: response.status, said: (await response.json()) as Record<string, unknown> };
    };
    const own = (await ask(await assertion())).body.access_token;
    const other = (await ask(await assertion(), 'system/Patient.r')).body.access_token;
    const { status, said } = await introspect(other, own);
    assert.deepEqual(
      [status, said['active'], said['scope'], said['client_id'], said['sub'], typeof said['exp'], said['iss']],
      [200, true, 'system/Patient.r', 'exporter', 'exporter', 'number', endpoints['issuer']],
    );
    assert.deepEqual((await introspect('nothing', own)).said, { active: false });
    const staff = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    assert.equal((await introspect(other, staff)).status, 401);
  });

  it('may be registered with the address of their keys, and name no other', async () => {
    const host = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: request.url === '/jwks' ? publicKeys : [] }));
    });
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const keysUrl = `http://127.0.0.1:${(host.address() as AddressInfo).port}/jwks`;
    try {
      addApp(network.stateDir, 'stmary', { id: 'hosted', name: 'Hosted', redirectUris: [], role: 'auditor', keysUrl });
      const claims = { iss: 'hosted', sub: 'hosted' };
      assert.equal((await ask(await assertion({ claims }))).status, 200);
      assert.equal((await ask(await assertion({ claims, header: { jku: keysUrl } }))).status, 200);
      assert.deepEqual(await refused({ claims, header: { jku: 'http://127.0.0.1:9/jwks' } }), [401, 'invalid_client']);
    } finally {
      host.close();
      host.closeAllConnections();
    }
  });

  it('prove who they are as apps do that people sign in to and that have keys', async () => {
    const password = await addPerson(network.stateDir, { member: 'stmary', user: 'dr-adams', role: 'physician' });
    const app = { id: 'portal', name: 'Portal', redirectUris: [REDIRECT], keys: publicKeys };
    addApp(network.stateDir, 'stmary', app);
    const fhir = network.fhir('stmary');
    const scope = 'launch/patient patient/Patient.r offline_access';
    const exchanged = async (more: Record<string, string>) => {
      const asked = authorizationRequest(endpoints, fhir, { client_id: 'portal', scope });
      const back = await signIn(asked, { user: 'dr-adams', password, fields: { patient: ann } });
      const fields = { grant_type: 'authorization_code', redirect_uri: REDIRECT, code_verifier: asked.verifier };
      return await post(endpoints.token_endpoint, { ...fields, code: sentBack(back.url).get('code') ?? '', ...more });
    };
    const { status, body } = await exchanged({ client_id: 'portal' });
    assert.deepEqual([status, body.error], [401, 'invalid_client']);
    const proof = async () => ({
      client_assertion: await assertion({ claims: { iss: 'portal', sub: 'portal' } }),
      client_assertion_type: TYPE,
    });
    const got = await exchanged(await proof());
    assert.deepEqual([got.status, got.body.patient], [200, ann], JSON.stringify(got.body));
    const refresh = { grant_type: 'refresh_token', refresh_token: got.body.refresh_token ?? '' };
    assert.equal((await post(endpoints.token_endpoint, refresh)).status, 400, 'without a word on who it is');
    assert.equal((await post(endpoints.token_endpoint, { ...refresh, ...(await proof()) })).status, 200);
  });

  it('are registered with keys and a role, and apps with where to send people back', () => {
    const app = { id: 'x', name: 'X', redirectUris: [] as string[] };
    for (const wrong of [
      app,
      { ...app, role: 'physician' },
      { ...app, role: 'wizard', keys: [{}] },
      { ...app, redirectUris: ['nowhere'] },
      { ...app, id: 'a b', redirectUris: ['http://a.test'] },
    ]) {
      assert.throws(
        () => {
          addApp(network.stateDir, 'stmary', wrong);
        },
        CommandError,
        JSON.stringify(wrong),
      );
    }
  });
});

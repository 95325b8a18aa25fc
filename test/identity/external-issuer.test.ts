import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { parseRoleTable, roleIn } from '@salus/gateway/identity/roles';
import { SettingsError } from '@salus/gateway/settings';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

import { patient } from '../story/people.js';
import { startNetwork, type TestNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';

const TABLE = { claim: 'realm_access.roles', roles: { chiefs: 'physician', wards: 'nurse' } };

describe('the table of roles', () => {
  const table = parseRoleTable(JSON.stringify(TABLE), 'roles.json');

  it('gives the first of a token’s groups that it knows, in its own order', () => {
    const of = (roles: unknown) => roleIn(table, { realm_access: { roles } });
    assert.deepEqual(
      [of(['wards', 'chiefs']), of('wards'), of(['cooks']), of(undefined)],
      ['physician', 'nurse', undefined, undefined],
    );
    assert.equal(roleIn(table, { 'realm_access.roles': ['wards'] }), undefined);
    assert.equal(roleIn(parseRoleTable('{"claim":"__proto__.x","roles":{"y":"nurse"}}', 'f'), {}), undefined);
  });

  it('is refused where it names no role of ours', () => {
    for (const wrong of [
      { ...TABLE, roles: { wards: 'wizard' } },
      { ...TABLE, roles: [] },
      { ...TABLE, more: 1 },
      { roles: {} },
    ]) {
      assert.throws(() => parseRoleTable(JSON.stringify(wrong), 'roles.json'), SettingsError, JSON.stringify(wrong));
    }
    assert.throws(() => parseRoleTable('{', 'roles.json'), SettingsError);
  });
});

/** An OpenID provider as far as a gateway sees it. */
class Issuer {
  readonly #keys: JWK[] = [];
  readonly server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (this.isDown) response.statusCode = 500;
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: this.#keys } : this.metadata()));
  });
  isDown = true;
  url = '';
  #key: CryptoKey | undefined;

  metadata(): Record<string, unknown> {
    const { url } = this;
    return {
      issuer: url,
      jwks_uri: `${url}/jwks`,
      authorization_endpoint: `${url}/a`,
      token_endpoint: `${url}/t`,
      code_challenge_methods_supported: ['S256'],
      secret: 'x',
      revocation_endpoint: 7,
    };
  }

  async open(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    this.#key = privateKey;
    this.#keys.push({ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async token(audience: string, claims: Record<string, unknown>): Promise<string> {
    return await new SignJWT({ scope: 'user/*.cruds', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuer(this.url)
      .setAudience(audience)
      .setSubject('u-1')
      .setExpirationTime('5m')
      .sign(this.#key!);
  }
}

describe('an external issuer', () => {
  const issuer = new Issuer();
  const scratch = scratchFolder();
  let network: TestNetwork;

  before(async function () {
    this.timeout(240_000);
    await issuer.open();
    const roles = join(scratch.path, 'roles.json');
    writeFileSync(roles, JSON.stringify(TABLE));
    const env = { SALUS_TOKEN_ISSUER: issuer.url, SALUS_TOKEN_JWKS: `${issuer.url}/jwks`, SALUS_TOKEN_ROLES: roles };
    network = await startNetwork({ env });
  });

  after(async function () {
    this.timeout(60_000);
    await (network as TestNetwork | undefined)?.stop();
    issuer.server.close();
    issuer.server.closeAllConnections();
    scratch.remove();
  });

  const configuration = async () => await network.ask('stmary', '/fhir/R4/.well-known/smart-configuration');
  const create = async (claims: Record<string, unknown>, audience = network.fhir('stmary')) =>
    (await network.ask('stmary', 'Patient', { token: await issuer.token(audience, claims), body: patient })).status;

  it('is passed on to apps as it describes itself, once it answers', async () => {
    const silent = await configuration();
    assert.deepEqual([silent.status, silent.headers.has('retry-after')], [503, true]);
    const { rest } = (await network.ask('stmary', 'metadata')).body as {
      rest: { security: { service: object[]; extension?: object } }[];
    };
    assert.equal(rest[0]!.security.extension, undefined);
    issuer.isDown = false;
    await new Promise((resolve) => setTimeout(resolve, Number(silent.headers.get('retry-after')) * 1000));
    const { status, body } = await configuration();
    assert.deepEqual(
      [status, body['issuer'], body['token_endpoint'], body['revocation_endpoint'], body['secret']],
      [200, issuer.url, `${issuer.url}/t`, undefined, undefined],
    );
    assert.ok((body['capabilities'] as string[]).includes('permission-v2'));
    assert.match((await network.ask('stmary', 'metadata')).text, new RegExp(`"valueUri":"${issuer.url}/t"`));
  }).timeout(30_000);

  it('says by groups what a person may do, and nothing by other claims', async () => {
    assert.equal(await create({ realm_access: { roles: ['chiefs'] } }), 201);
    assert.equal(await create({ realm_access: { roles: ['cooks'] } }), 401);
    assert.equal(await create({ role: 'physician', member: 'stmary' }), 401);
    assert.equal(await create({ realm_access: { roles: ['chiefs'] }, member: 'northside' }), 401);
    assert.equal(await create({ realm_access: { roles: ['chiefs'] } }, network.fhir('northside')), 401);
  });

  it('takes the place of the development issuer', async () => {
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    assert.equal((await network.ask('stmary', 'Patient', { token })).status, 401);
    assert.equal((await network.ask('stmary', '/auth/authorize')).status, 404);
  });
});

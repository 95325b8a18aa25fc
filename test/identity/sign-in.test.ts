import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LockOut, SIGN_IN_LIMITS } from '@salus/gateway/authorization/lock-out';
import { hashed, isPassword, MAX_PASSWORD_CHARACTERS } from '@salus/gateway/authorization/passwords';
import { SIGN_IN_BODY_LIMIT } from '@salus/gateway/authorization/ports';
import { OPEN_SIGN_INS_LIMIT, SignInStore } from '@salus/gateway/authorization/store';
import { addApp } from '@salus/gateway/commands/app';
import { addPerson } from '@salus/gateway/commands/user';
import { fileSeal } from '@salus/gateway/keys/sealing';

import { patient } from '../story/people.js';
import { networkOfSuite } from '../support/network.js';
import { salus } from '../support/command.js';
import { scratchFolder } from '../support/scratch.js';
import { signInFile } from '../support/sign-in-file.js';
import { authorizationRequest, Browser, discover, exchange, REDIRECT, sentBack, signIn } from '../support/smart-app.js';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const { wrongPasswords, lockedMinutes, attemptsPerMinute } = SIGN_IN_LIMITS;

describe('passwords', () => {
  it('are kept as hashes, and looked at up to a length', async () => {
    const kept = await hashed('secret');
    assert.doesNotMatch(kept, /secret/);
    assert.deepEqual([await isPassword('secret', kept), await isPassword('Secret', kept)], [true, false]);
    assert.equal(await isPassword('secret', undefined), false);
    const longest = 'x'.repeat(MAX_PASSWORD_CHARACTERS);
    assert.equal(await isPassword(longest, await hashed(longest)), true);
    assert.equal(await isPassword(`${longest}x`, await hashed(`${longest}x`)), false);
  });

  it(`are looked at ${wrongPasswords} times for a name, then it is locked for ${lockedMinutes} minutes`, () => {
    const lockOut = new LockOut();
    for (let attempt = 0; attempt < wrongPasswords; attempt += 1) assert.equal(lockOut.attempt('ann', NOW), 0);
    assert.equal(lockOut.attempt('ann', NOW), lockedMinutes * 60);
    assert.equal(lockOut.attempt('ben', NOW), 0);
    const later = NOW + lockedMinutes * 60_000;
    assert.equal(lockOut.attempt('ann', later - 1), 1);
    assert.equal(lockOut.attempt('ann', later), 0);
    lockOut.succeeded('ann');
    for (let attempt = 0; attempt < wrongPasswords; attempt += 1) assert.equal(lockOut.attempt('ann', later), 0);
    assert.ok(lockOut.attempt('ann', later) > 0);
  });

  it(`are looked at ${attemptsPerMinute} times a minute, whoever they are for`, () => {
    const lockOut = new LockOut();
    for (let attempt = 0; attempt < attemptsPerMinute; attempt += 1)
      assert.equal(lockOut.attempt(`n${attempt}`, NOW), 0);
    assert.equal(lockOut.attempt('one-more', NOW), 60);
    assert.equal(lockOut.attempt('one-more', NOW + 60_000), 0);
  });
});

describe('what the authorization server remembers', () => {
  const scratch = scratchFolder();
  const folder = scratch.path;
  const open = () => new SignInStore(folder, fileSeal(join(folder, 'master.key')));
  after(() => {
    scratch.remove();
  });

  it('is found again after a restart, once where it counts once, and is not on the disk in clear', () => {
    const first = open();
    first.keep('AuthorizationCode', 'canary-id', { payload: 'canary-content', grantId: 'canary-grant' }, 60);
    first.close();
    const second = open();
    assert.equal(second.find('AuthorizationCode', 'canary-id')?.payload, 'canary-content');
    assert.deepEqual(
      [second.consume('AuthorizationCode', 'canary-id'), second.consume('AuthorizationCode', 'canary-id')],
      [true, false],
    );
    for (const file of readdirSync(folder))
      assert.doesNotMatch(readFileSync(join(folder, file), 'latin1'), /canary/, file);
    second.forgetGranted('canary-grant');
    assert.equal(second.has('AuthorizationCode', 'canary-id'), false);
    second.close();
  });

  it(`has room for ${OPEN_SIGN_INS_LIMIT} sign-ins under way: of one more the first is forgotten`, () => {
    const store = open();
    for (let made = 0; made <= OPEN_SIGN_INS_LIMIT; made += 1) store.keep('Interaction', `i${made}`, {}, 100 + made);
    assert.deepEqual([store.has('Interaction', 'i0'), store.has('Interaction', 'i1')], [false, true]);
    store.close();
  }).timeout(60_000);
});

describe('the sign-in page', () => {
  const network = networkOfSuite();
  let password: string;
  const asked = async (scope = 'user/*.rs') => {
    const fhir = network.fhir('stmary');
    return authorizationRequest(await discover(fhir), fhir, { scope });
  };

  before(async () => {
    password = await addPerson(network.stateDir, { member: 'stmary', user: 'dr-adams', role: 'physician' });
    await addPerson(network.stateDir, { member: 'stmary', user: 'dr-forgetful', role: 'physician' });
    addApp(network.stateDir, 'stmary', { id: 'chart', name: '<b>Chart</b> & co', redirectUris: [REDIRECT] });
  });

  it('runs no script, is framed by nobody, and escapes what apps are called', async () => {
    const browser = new Browser();
    const login = await browser.open((await asked()).url);
    const consent = await browser.submit(login, { user: 'dr-adams', password });
    for (const { text, headers } of [login, consent]) {
      assert.doesNotMatch(text, /<script|<b>|\son[a-z]+=|style="/);
      assert.match(text, /&lt;b&gt;Chart&lt;\/b&gt; &amp; co/);
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"])
        assert.ok(policy.includes(rule), rule);
      assert.doesNotMatch(policy, /script-src/);
    }
    assert.ok(consent.headers.get('content-security-policy')?.includes(new URL(REDIRECT).origin));
  });

  it('lets in whom `salus user` lets in, to apps that `salus app` registers, while the gateway runs', async () => {
    const { stateDir } = network;
    const made = await salus(stateDir, ['user', '--member', 'stmary', '--user', 'n-1', '--role', 'nurse']);
    assert.equal(made.code, 0, made.err);
    const app = ['app', '--member', 'stmary', '--id', 'new', '--name', 'New app', '--redirect', REDIRECT];
    assert.equal((await salus(stateDir, [...app, '--scope', 'user/Observation.rs'])).code, 0);
    const fhir = network.fhir('stmary');
    const request = authorizationRequest(await discover(fhir), fhir, {
      client_id: 'new',
      scope: 'user/*.rs user/Observation.r',
    });
    const back = await signIn(request, { user: 'n-1', password: made.out.trim() });
    const got = await exchange(await discover(fhir), sentBack(back.url).get('code') ?? '', request.verifier, {
      client_id: 'new',
    });
    assert.equal(got.body.scope, 'user/Observation.r', JSON.stringify(got.body));
    for (const wrong of [
      ['user', '--member', 'stmary', '--user', 'n 2', '--role', 'nurse'],
      ['user', '--member', 'stmary', '--user', 'n-2', '--role', 'wizard'],
      ['user', '--member', 'stmary', '--user', 'n-2', '--role', 'patient'],
      ['user', '--member', 'stmary', '--user', 'n-2', '--role', 'nurse', '--fhir-user', 'nobody'],
      ['app', '--member', 'stmary', '--id', 'without'],
      ['app', '--member', 'nobody', '--id', 'without', '--redirect', REDIRECT],
    ]) {
      const { code, out } = await salus(stateDir, wrong);
      assert.deepEqual([code, out], [2, ''], wrong.join(' '));
    }
  }).timeout(60_000);

  it('belongs to the browser that began it', async () => {
    const { url } = await new Browser().open((await asked()).url);
    assert.equal((await new Browser().open(url)).status, 400);
    const direct = await new Browser().open(`${url}/consent`, {
      method: 'POST',
      body: new URLSearchParams({ decision: 'allow' }),
    });
    assert.equal(direct.status, 400);
  });

  it('goes on to what may be allowed only after the password', async () => {
    const browser = new Browser();
    await signIn(await asked(), { user: 'dr-adams', password }, browser);
    // The browser is known from then on; the password is asked for all the same.
    const login = await browser.open((await asked()).url);
    const skipped = await browser.open(`${login.url}/consent`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'decision=allow&scope=user/*.rs',
    });
    assert.equal(skipped.status, 400);
  });

  it(`takes ${SIGN_IN_BODY_LIMIT} bytes`, async () => {
    const browser = new Browser();
    const login = await browser.open((await asked()).url);
    const send = async (bytes: number) => {
      const body = 'user=nobody&password='.padEnd(bytes, 'x');
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await browser.open(`${login.url}/login`, { method: 'POST', headers, body })).status;
    };
    assert.deepEqual([await send(SIGN_IN_BODY_LIMIT), await send(SIGN_IN_BODY_LIMIT + 1)], [401, 413]);
  });

  it('locks a name out, with the right password too, and nobody else', async () => {
    const browser = new Browser();
    let page = await browser.open((await asked()).url);
    for (let attempt = 0; attempt < wrongPasswords; attempt += 1) {
      page = await browser.submit(page, { user: 'dr-forgetful', password: 'wrong' });
      assert.equal(page.status, 401);
    }
    const right = await addPerson(network.stateDir, { member: 'stmary', user: 'dr-forgetful', role: 'physician' });
    page = await browser.submit(page, { user: 'dr-forgetful', password: right });
    assert.equal(page.status, 429);
    assert.ok(Number(page.headers.get('retry-after')) > 60);
    assert.equal((await browser.submit(page, { user: 'dr-adams', password })).status, 200);
  });

  it('leaves no password, code or token in an address, a log or the file of who may sign in', async () => {
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    const browser = new Browser();
    const request = await asked('patient/*.rs launch/patient offline_access');
    const back = await signIn(request, { user: 'dr-adams', password, fields: { patient: id } }, browser);
    const code = sentBack(back.url).get('code') ?? '';
    const got = (await exchange(await discover(network.fhir('stmary')), code, request.verifier)).body;
    const secrets = [password, got.access_token, got.refresh_token ?? 'none'];
    for (const url of browser.visited) assert.ok(!secrets.some((each) => url.includes(each)), url);
    const inQuery = await network.ask('stmary', `Patient/${id}?access_token=${got.access_token}`);
    assert.equal(inQuery.status, 401, 'a token counts in the header alone');
    assert.ok(!readFileSync(signInFile(network.stateDir, 'stmary'), 'utf8').includes(password));
    const logs = readdirSync(join(network.stateDir, 'log'));
    assert.ok(
      logs.some((file) => file.startsWith('gateway')),
      logs.join(),
    );
    for (const file of logs) {
      const text = readFileSync(join(network.stateDir, 'log', file), 'utf8');
      assert.ok(![...secrets, code, id].some((each) => text.includes(each)), file);
    }
  });
});

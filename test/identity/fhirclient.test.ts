import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { addApp } from '@salus/gateway/commands/app';
import { addPerson } from '@salus/gateway/commands/user';
import { chromium, type Browser, type Page } from 'playwright-core';

import { glucose, patient } from '../story/people.js';
import { networkOfSuite } from '../support/network.js';

const CHROMIUM = '/usr/bin/chromium';
/** As it comes from the registry. */
const library = join(
  dirname(createRequire(import.meta.url).resolve('fhirclient/package.json')),
  'build/fhir-client.js',
);
const axe = createRequire(import.meta.url).resolve('axe-core');
const SCOPES = 'launch/patient patient/*.cruds openid fhirUser offline_access';

/** An app of two pages, on an origin of its own. */
function serveApp(settings: () => object): Server {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://app.test');
    if (pathname === '/fhir-client.js') {
      response.setHeader('content-type', 'text/javascript');
      response.end(readFileSync(library));
      return;
    }
    const act =
      pathname === '/launch'
        ? `FHIR.oauth2.authorize(${JSON.stringify(settings())})`
        : `FHIR.oauth2.ready().then((client) => { window.client = client; document.title = 'ready'; },
             (error) => { document.title = 'failed: ' + error.message; })`;
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>app</title><script src="/fhir-client.js"></script><script>${act}</script>`);
  });
}

describe('the unmodified fhirclient, in Chromium', () => {
  const network = networkOfSuite();
  const faults: string[] = [];
  let [browser, server]: [Browser | undefined, Server | undefined] = [undefined, undefined];
  let page: Page;
  let [origin, ann, password] = ['', '', ''];

  before(async function () {
    this.timeout(60_000);
    if (!existsSync(CHROMIUM)) return this.skip();
    const app = serveApp(() => ({
      clientId: 'chart',
      scope: SCOPES,
      redirectUri: `${origin}/`,
      iss: network.fhir('stmary'),
    }));
    server = app;
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    ann = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    const physician = { member: 'stmary', user: 'dr-adams', role: 'physician', fhirUser: 'Practitioner/adams' };
    password = await addPerson(network.stateDir, physician);
    addApp(network.stateDir, 'stmary', { id: 'chart', name: 'Growth chart', redirectUris: [`${origin}/`] });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  });

  after(async () => {
    await browser?.close();
    server?.close();
    server?.closeAllConnections();
  });

  /** Whether the page fits a phone, and what axe finds wrong with it. */
  async function lookAt(): Promise<void> {
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), true, page.url());
    await page.evaluate(readFileSync(axe, 'utf8'));
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
    assert.deepEqual(
      violations.map(({ id }) => id),
      [],
      page.url(),
    );
  }

  const ask = async (expression: string): Promise<unknown> => await page.evaluate(`(async () => (${expression}))()`);

  it('signs a person in, and comes back with the patient', async () => {
    await page.goto(`${origin}/launch`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await lookAt();
    await page.getByLabel('Name').fill('dr-adams');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Let Growth chart in?' }).waitFor();
    await lookAt();
    await page.getByLabel('For which patient').fill(ann);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForFunction('window.client !== undefined');
    const known = '[client.patient.id, client.getFhirUser(), client.state.tokenResponse.need_patient_banner]';
    assert.deepEqual(await ask(known), [ann, 'Practitioner/adams', true]);
    assert.doesNotMatch(page.url(), /code=|token/);
    assert.deepEqual(faults, []);
  }).timeout(60_000);

  it('creates, reads, searches, patches, looks back and deletes', async () => {
    const made = (await ask(`client.create(${JSON.stringify(glucose(ann, 5))})`)) as {
      id: string;
      meta: { versionId: string };
    };
    assert.equal(made.meta.versionId, '1');
    const url = `Observation/${made.id}`;
    assert.equal(((await ask('client.patient.read()')) as { id: string }).id, ann);
    assert.equal(((await ask(`client.request('${url}')`)) as { id: string }).id, made.id);
    const found = (await ask(`client.request('Observation?patient=${ann}&_count=10', { flat: true })`)) as {
      id: string;
    }[];
    assert.deepEqual(
      found.map(({ id }) => id),
      [made.id],
    );
    const operations = [{ op: 'replace', path: '/status', value: 'amended' }];
    const patched = (await ask(`client.patch('${url}', ${JSON.stringify(operations)})`)) as { status: string };
    assert.equal(patched.status, 'amended');
    const history = (await ask(`client.request('${url}/_history')`)) as { total: number };
    assert.equal(history.total, 2);
    await ask(`client.delete('${url}').then(() => undefined)`);
    assert.match(String(await ask(`client.request('${url}').catch((error) => error.message)`)), /410|[Gg]one/);
  }).timeout(60_000);

  it('refreshes its token, and is refused once it is revoked', async () => {
    const before = await ask('client.state.tokenResponse.access_token');
    await ask('client.refresh().then(() => undefined)');
    assert.notEqual(await ask('client.state.tokenResponse.access_token'), before);
    assert.equal(((await ask('client.patient.read()')) as { id: string }).id, ann);
    const revoked = await ask(`(async () => {
      const { revocation_endpoint: at } = await (await fetch(client.state.serverUrl + '/.well-known/smart-configuration')).json();
      const body = new URLSearchParams({ token: client.state.tokenResponse.refresh_token, client_id: 'chart' });
      return (await fetch(at, { method: 'POST', body })).status;
    })()`);
    assert.equal(revoked, 200);
    assert.match(
      String(await ask(`client.request('Patient/${ann}').catch((error) => 'refused: ' + error.message)`)),
      /^refused/,
    );
  }).timeout(60_000);
});

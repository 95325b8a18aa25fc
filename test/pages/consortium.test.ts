import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';

import { type TestNetwork, startNetwork } from '../support/network.js';
import { projectRoot } from '../support/shared.js';
import { patient } from '../story/people.js';

const chromiumPath = '/usr/bin/chromium';
const hasChromium = existsSync(chromiumPath);
const axePath = createRequire(import.meta.url).resolve('axe-core');

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

describe(hasChromium ? 'the pages, in Chromium' : `the pages (pending: there is no ${chromiumPath})`, () => {
  let network: TestNetwork;
  let browser: Browser;
  let origin: string;
  let token: string;
  const complaints: string[] = [];

  before(async function () {
    if (!hasChromium) this.skip();
    network = await startNetwork();
    origin = new URL(network.fhir('stmary')).origin;
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
        ...['--disable-background-networking', '--disable-component-update'],
      ],
    });
  });

  after(async () => {
    // Neither is there when Chromium is absent.
    await (browser as Browser | undefined)?.close();
    await (network as TestNetwork | undefined)?.stop();
  });

  /** Opens a page in a context of its own, does the work, closes it; whatever the console says is kept. */
  async function on(path: string, work: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(`${path}: ${message.text()}`);
      });
      page.on('pageerror', (error) => complaints.push(`${path}: ${error.message}`));
      await page.goto(`${origin}${path}`);
      await work(page);
    } finally {
      await context.close();
    }
  }

  async function written(): Promise<{ txId: string; block: string }> {
    const answer = await network.ask('stmary', 'Patient', { token, body: patient });
    assert.equal(answer.status, 201, answer.text);
    return { txId: answer.headers.get('x-tx-id') ?? '', block: answer.headers.get('x-block') ?? '' };
  }

  async function pathsOfAll(): Promise<string[]> {
    const { txId, block } = await written();
    return ['/', '/ledger', `/ledger/blocks/${block}`, `/ledger/transactions/${txId}`, '/ledger/blocks/0'];
  }

  it('says at the start who this member is, what runs and what to try', async () => {
    await on('/', async (page) => {
      assert.equal(await page.locator('h1').textContent(), "St. Mary's Hospital");
      const text = await page.locator('main').innerText();
      for (const part of [/StmaryMSP/, /hospital/, /ready, \d+ of \d+ blocks applied/, /Northside/]) {
        assert.match(text, part);
      }
      if (network.consortium.engine === 'embedded') assert.match(text, /Development only.*embedded ledger/s);
      else assert.match(text, /Hyperledger Fabric/);
    });
  });

  it('has links at the start that lead somewhere', async () => {
    await on('/', async (page) => {
      const links = await page.evaluate<string[]>('[...document.links].map((link) => link.href)');
      assert.ok(links.length > 8);
      for (const link of new Set(links.map((each) => each.replace(/#.*$/, '')))) {
        assert.equal((await fetch(link)).status, 200, link);
      }
    });
  });

  it('gives commands at the start that work as they stand', async () => {
    await on('/', async (page) => {
      const commands = await page.locator('pre').allInnerTexts();
      const environment = { ...process.env, SALUS_STATE: network.stateDir };
      const script = commands.join('\n');
      const { stdout } = await promisify(execFile)('bash', ['-ec', script], { cwd: projectRoot, env: environment });
      assert.match(stdout, /^HTTP\/1.1 201 /m);
      assert.match(stdout, /^X-Tx-Id: [0-9a-f]{64}/im);
      assert.match(stdout, /"type":"searchset"/);
    });
  });

  it('lists blocks, transactions and endorsers on the ledger page', async () => {
    const { txId, block } = await written();
    await on('/ledger', async (page) => {
      const item = page.locator(`[data-block="${block}"]`);
      const text = await item.innerText();
      assert.match(text, /ehr:write/);
      assert.match(text, /by StmaryMSP/);
      assert.match(text, /valid/);
      assert.match(text, /ago \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)|now \(/);
      assert.deepEqual(await item.locator('.endorsers li').first().allInnerTexts(), ['StmaryMSP']);
      assert.equal(await item.locator(`a[href="/ledger/transactions/${txId}"]`).count(), 1);
      assert.equal(await item.locator(`code[title="${txId}"]`).count(), 1);
    });
  });

  it('shows a new write without being reloaded', async () => {
    await on('/ledger', async (page) => {
      await page.getByText('Live.').waitFor();
      await page.evaluate("document.body.setAttribute('data-same', 'yes')");
      const { block } = await written();
      await page.locator(`[data-block="${block}"]`).waitFor();
      assert.equal(await page.locator('body').getAttribute('data-same'), 'yes');
      const first = Number(await page.locator('#blocks > li').first().getAttribute('data-block'));
      assert.ok(first >= Number(block));
    });
  });

  it('finds a transaction by its id and shows who signed what', async () => {
    const { txId, block } = await written();
    await on('/ledger', async (page) => {
      await page.getByLabel('Block number or transaction id').fill(txId);
      await page.getByRole('button', { name: 'Find' }).click();
      await page.waitForURL(`**/ledger/transactions/${txId}`);
      const text = await page.locator('main').innerText();
      for (const part of [txId, `Block ${block}`, 'ehr:write', 'VALID', 'of-stmary'])
        assert.ok(text.includes(part), part);
      assert.match(text, /StmaryMSP\s+signature verified/);
      assert.doesNotMatch(text, /CANARY/);
    });
  });

  it('says so when there is no such transaction', async () => {
    const answer = await fetch(`${origin}/ledger/transactions/${'0'.repeat(64)}`, { headers: { accept: 'text/html' } });
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /Not on this ledger/);
  });

  it('works without script', async () => {
    const { txId, block } = await written();
    const visit = async (page: Page): Promise<void> => {
      assert.match(await page.locator('noscript').innerText(), /reload/);
      await page.locator(`[data-block="${block}"] a[href="/ledger/transactions/${txId}"]`).click();
      assert.match(await page.locator('main').innerText(), /signature verified/);
    };
    await on('/ledger', visit, { javaScriptEnabled: false });
  });

  it('fits a phone of 375 pixels', async () => {
    for (const path of await pathsOfAll()) {
      const fits = async (page: Page): Promise<void> => {
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 375, path);
      };
      await on(path, fits, { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true });
    }
  });

  it('has nothing that axe finds wrong, by day and by night', async () => {
    const { txId } = await written();
    for (const path of ['/', '/ledger', `/ledger/transactions/${txId}`]) {
      // The policy keeps scripts of others out; axe comes in as the test's own.
      const check = async (page: Page): Promise<void> => {
        await page.addScriptTag({ path: axePath });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate<AxeResult>('axe.run()');
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
          assert.deepEqual(found, [], `${path} ${colorScheme}`);
        }
      };
      await on(path, check, { bypassCSP: true });
    }
  }).timeout(300_000);

  it('lets nothing in but its own style and script, and the console has nothing to say', async () => {
    const policy = (await fetch(origin, { headers: { accept: 'text/html' } })).headers.get('content-security-policy');
    assert.match(policy ?? '', /default-src 'none'/);
    assert.doesNotMatch(policy ?? '', /unsafe|\*/);
    for (const path of await pathsOfAll()) await on(path, (page) => page.waitForLoadState('load'));
    assert.deepEqual(complaints, []);
  });
});

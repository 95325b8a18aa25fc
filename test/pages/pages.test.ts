import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { common } from '@hyperledger/fabric-protos';
import { buildApp } from '@salus/gateway/app';
import { decodeBareBlock } from '@salus/gateway/ledger/blocks';
import { inspectBlock } from '@salus/gateway/ledger/inspect';
import { LiveBlocks } from '@salus/gateway/ledger/live';
import { trustRootsOf } from '@salus/gateway/ledger/trust';
import { makeMeters } from '@salus/gateway/metrics';
import { MAX_LISTENERS, MOST_BLOCKS } from '@salus/gateway/pages/routes';
import type { Ledger, LedgerBlock } from '@salus/gateway/ports';
import { standingOf } from '@salus/gateway/start';
import { pino } from 'pino';
import { chromium, type Browser, type Page } from 'playwright-core';

import { exampleSettings } from '../support/example-settings.js';
import { projectRoot } from '../support/shared.js';
import { recordedBlocks } from '../support/vectors.js';

const CHROMIUM = '/usr/bin/chromium';
/** Blocks of the recorded chain that are there before the page is opened. */
const SEEN = 12;
const PHONE = { width: 360, height: 740 };

describe('the pages of a gateway', () => {
  const raw = recordedBlocks(join(projectRoot, 'test/ledger/vectors')).map((bytes) =>
    common.Block.deserializeBinary(bytes),
  );
  const roots = trustRootsOf(raw[0]!);
  const live = new LiveBlocks();
  let next = Promise.withResolvers<LedgerBlock>();
  let server: Server;
  let base: string;
  /** Blocks that the projection has applied. */
  let applied = SEEN;

  /** A ledger whose stream is the recorded chain: the first blocks at once, one more when the test says so. */
  const recorded: Ledger = {
    submit: () => Promise.reject(new Error('only read here')),
    evaluate: () => Promise.reject(new Error('only read here')),
    async *blocks() {
      for (const block of raw.slice(0, SEEN)) yield decodeBareBlock(block, 'one');
      yield await next.promise;
    },
  };

  before(async () => {
    const stream = live.watch(recorded).blocks(0, new AbortController().signal)[Symbol.asyncIterator]();
    for (let index = 0; index < SEEN; index += 1) await stream.next();
    void stream.next();
    const app = buildApp({
      settings: exampleSettings(),
      log: pino({ level: 'silent' }),
      meters: makeMeters('stmary', 'gateway0'),
      live,
      inspector: {
        block: (number) => Promise.resolve(inspectBlock(raw[number]!, 'one', roots)),
        transaction: (txId) =>
          Promise.resolve(
            raw.flatMap((block) => inspectBlock(block, 'one', roots).transactions).find((each) => each.txId === txId),
          ),
      },
      standing: () => {
        const faults = { unreadable: 1, unindexed: 0 };
        return standingOf(
          { projection: { block: applied - 1, awaited: 2, faults }, live, contents: { lost: 0 } },
          true,
        );
      },
      fhir: (_request, response) => {
        response.status(404).json({});
      },
      epcis: (_request, response) => {
        response.status(404).json({});
      },
      supply: (_request, response) => {
        response.status(404).json({});
      },
      verify: (_request, response) => {
        response.status(404).json({});
      },
      cdsHooks: (_request, response) => {
        response.status(404).json({});
      },
      history: () => Promise.resolve(undefined),
    });
    server = createServer(app);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it('answer programs in JSON and people in HTML under the same path', async () => {
    const program = await fetch(`${base}/ledger/blocks/5`, { headers: { accept: 'application/json' } });
    assert.equal(((await program.json()) as { number: number }).number, 5);
    const person = await fetch(`${base}/ledger/blocks/5`, { headers: { accept: 'text/html' } });
    assert.match(await person.text(), /<h1>Block 5<\/h1>/);
  });

  it('let no script but their own run, and nobody frame them', async () => {
    for (const path of ['/', '/ledger', '/ledger/blocks/5']) {
      const response = await fetch(`${base}${path}`, { headers: { accept: 'text/html' } });
      const policy = response.headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
        assert.ok(policy.includes(rule), `${path}: ${rule}`);
      }
      assert.doesNotMatch(await response.text(), /<script(?![^>]*src=)|\son[a-z]+=|style="/);
    }
  });

  it('say 404 for blocks and transactions that are not there', async () => {
    for (const path of [
      '/ledger/blocks/99999',
      '/ledger/blocks/x',
      `/ledger/transactions/${'0'.repeat(64)}`,
      '/nothing',
    ]) {
      assert.equal((await fetch(`${base}${path}`)).status, 404, path);
    }
  });

  it('name nobody as the creator of the first block, and no block before it', async () => {
    for (const path of ['/ledger', '/ledger/blocks/0']) {
      const text = await (await fetch(`${base}${path}`, { headers: { accept: 'text/html' } })).text();
      assert.doesNotMatch(text, /<span>by <\/span>|<code><\/code>|<code title=""|signature not verified/, path);
    }
  });

  it('list the newest blocks for programs, as many as asked for', async () => {
    for (const [query, count] of [
      ['?count=3', 3],
      [`?count=${MOST_BLOCKS + 1}`, SEEN],
      ['?count=-5', SEEN],
      ['', SEEN],
    ] as const) {
      const answer = await (await fetch(`${base}/ledger/blocks${query}`)).json();
      assert.equal((answer as { blocks: unknown[] }).blocks.length, count, query);
    }
  });

  it('stream blocks to so many at once, and ask one more to come back', async () => {
    const leave = Array.from({ length: MAX_LISTENERS }, () => live.onBlock(() => undefined));
    const late = await fetch(`${base}/ledger/events`);
    assert.equal(late.status, 503);
    assert.ok(late.headers.has('retry-after'));
    leave.pop()?.();
    const stopped = new AbortController();
    assert.equal((await fetch(`${base}/ledger/events`, { signal: stopped.signal })).status, 200);
    stopped.abort();
    for (const each of leave) each();
  });

  it('show liveness, readiness, metrics and the request id', async () => {
    assert.equal((await fetch(`${base}/livez`)).status, 200);
    const id = randomUUID();
    const ready = await fetch(`${base}/readyz`, { headers: { 'x-request-id': id } });
    assert.equal(ready.headers.get('x-request-id'), id);
    assert.deepEqual(await ready.json(), {
      status: 'ready',
      channels: { health: { height: SEEN, channelHeight: SEEN, awaited: 2, unreadable: 1, unindexed: 0, lost: 0 } },
    });
    applied = SEEN - 1;
    const behind = await fetch(`${base}/readyz`);
    assert.equal(behind.status, 503);
    assert.deepEqual(await behind.json(), {
      status: 'behind',
      channels: { health: { height: SEEN - 1, channelHeight: SEEN, awaited: 2, unreadable: 1, unindexed: 0, lost: 0 } },
    });
    assert.equal((await fetch(`${base}/livez`)).status, 200, 'behind is not dead');
    applied = SEEN;
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /salus_http_request_seconds_count\{[^}]*area="livez"/);
    const strange = await fetch(`${base}/livez`, { headers: { 'x-request-id': 'Smith-1970' } });
    assert.notEqual(strange.headers.get('x-request-id'), 'Smith-1970');
    assert.equal(strange.headers.get('x-correlation-id'), 'Smith-1970');
    const long = await fetch(`${base}/livez`, { headers: { 'x-request-id': 'x'.repeat(129) } });
    assert.equal(long.headers.get('x-correlation-id'), null);
  });

  describe('in Chromium', () => {
    let browser: Browser;

    before(async function () {
      this.timeout(60_000);
      if (!existsSync(CHROMIUM)) return this.skip();
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    });

    after(async () => {
      // Absent where Chromium is.
      await (browser as Browser | undefined)?.close();
    });

    async function open(path: string, javaScriptEnabled = true): Promise<{ page: Page; faults: string[] }> {
      const context = await browser.newContext({ viewport: PHONE, javaScriptEnabled });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      page.on('pageerror', (error) => faults.push(error.message));
      await page.goto(`${base}${path}`);
      return { page, faults };
    }

    it('fit a phone, have a language, one heading, landmarks, and break no rule of their own', async function () {
      this.timeout(60_000);
      for (const path of ['/', '/ledger', '/ledger/blocks/5']) {
        const { page, faults } = await open(path);
        const found = await page.evaluate<Record<string, unknown>>(`({
          overflow: document.documentElement.scrollWidth - window.innerWidth,
          language: document.documentElement.lang,
          headings: document.querySelectorAll('h1').length,
          landmarks: ['header', 'nav', 'main', 'footer'].filter((name) => document.querySelector(name) !== null).length,
          styled: getComputedStyle(document.querySelector('main')).paddingLeft,
        })`);
        assert.deepEqual(found, { overflow: 0, language: 'en', headings: 1, landmarks: 4, styled: '20px' }, path);
        assert.deepEqual(faults, [], path);
        await page.close();
      }
    });

    it('let the keyboard skip to the content', async function () {
      this.timeout(60_000);
      const { page } = await open('/');
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content');
      await page.close();
    });

    it('lead from the newest block to who signed it', async function () {
      this.timeout(60_000);
      const { page } = await open('/ledger');
      assert.equal(await page.locator('ol.blocks > li').count(), SEEN);
      await page.locator('ol.blocks > li h3 a').first().click();
      assert.match((await page.locator('h1').textContent()) ?? '', new RegExp(`Block ${SEEN - 1}`));
      assert.match((await page.locator('main').textContent()) ?? '', /signature verified/);
      await page.close();
    });

    it('show a new block on top as it is committed', async function () {
      this.timeout(60_000);
      const { page, faults } = await open('/ledger');
      next.resolve(decodeBareBlock(raw[SEEN]!, 'one'));
      await page.locator(`ol.blocks > li:first-child[data-block="${SEEN}"]`).waitFor();
      assert.match((await page.locator('#live').textContent()) ?? '', new RegExp(`Newest block: ${SEEN}`));
      assert.deepEqual(faults, []);
      next = Promise.withResolvers<LedgerBlock>();
      await page.close();
    });

    it('work without script', async function () {
      this.timeout(60_000);
      const { page } = await open('/ledger', false);
      assert.ok((await page.locator('ol.blocks > li').count()) >= SEEN);
      assert.match((await page.locator('noscript').textContent()) ?? '', /reload/);
      await page.close();
    });
  });
});

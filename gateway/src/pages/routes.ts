/** Pages, their assets, and the ledger for programs: one path, HTML to browsers and JSON to the rest. */
import { readFileSync } from 'node:fs';

import type { TrialView } from '@salus/chaincode/trial/api';
import { Router, urlencoded, type Request, type Response } from 'express';

import { outcomeOf } from '../fhir/outcome.js';
import type { InspectedBlock, InspectedTransaction } from '../ledger/inspect.js';
import type { LiveBlocks } from '../ledger/live.js';
import type { GatewaySettings } from '../settings.js';
import { landingPage, type Standing } from './landing.js';
import { messagePage, PAGE_SCRIPT, type PageOwner } from './layout.js';
import { blockItem, blockPage, FIND_PATH, ledgerPage, LEDGER_SCRIPT, transactionPage } from './ledger.js';
import type { LedgerBlock } from '../ports.js';
import { trialPage } from '../trial/page.js';
import { SCAN_DEEDS, type ScanAnswer, type ScanWish } from '../supply/scan.js';
import { SCAN_PATH, scanPage } from '../supply/scan-page.js';
import { answerRecord, diagnosticsOf, FORM_LIMIT, recordFormPage, type AskList } from './record.js';
import { ICON, STYLE } from './style.js';

/** Blocks that one answer lists. */
export const MOST_BLOCKS = 200;
const DEFAULT_BLOCKS = 50;
/** Live connections at once; more are asked to come back later. */
export const MAX_LISTENERS = 100;

const TX_ID = /^[0-9a-f]{64}$/;

const NO_PAGE = ['No such page', 'Nothing lies under this address.'] as const;
const NOT_ON_LEDGER = [
  'Not on this ledger',
  'There is no such block, transaction or trial here. A block has a number; a transaction id has 64 hexadecimal digits.',
] as const;

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What the pages show, read through the seams of the rooms that know it. */
export interface PagePorts {
  readonly settings: GatewaySettings;
  readonly live: LiveBlocks;
  readonly inspector: {
    block(number: number): Promise<InspectedBlock | undefined>;
    transaction(txId: string): Promise<InspectedTransaction | undefined>;
  };
  readonly standing: () => Standing;
  /** A resource's versions as the ledger has them; undefined for whoever may not know. Throws Refusal. */
  readonly history: (request: Request, type: string, id: string) => Promise<object | undefined>;
  /** A trial as everybody may see it; undefined where there is none of this name. */
  readonly trial?: (name: string) => Promise<TrialView | undefined>;
  /** A patient's list of who asked for and read the record, to whoever a token stands for. Throws Refusal. */
  readonly audit?: AskList;
  /** Answers a scan by whoever a token stands for. Throws Refusal. */
  readonly scan?: (token: string, wish: ScanWish) => Promise<ScanAnswer>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** The router for `/`, `/assets`, `/ledger`, `/record`, `/scan` and `/trials`. */
export function pageRoutes(ports: PagePorts): Router {
  const { settings, live, inspector } = ports;
  const owner: PageOwner = { member: settings.member, title: settings.title, channel: settings.channel };
  const router = Router();
  router.get('/', (_request, response) => {
    sendPage(response, landingPage(settings, ports.standing()));
  });
  assets(router);
  router.get('/ledger', (request, response) => {
    if (wantsPage(request)) sendPage(response, ledgerPage(owner, live.recent.slice(0, DEFAULT_BLOCKS)));
    else response.json({ channel: settings.channel, height: live.height, blocks: '/ledger/blocks' });
  });
  router.get('/ledger/blocks', (request, response) => {
    const asked = typeof request.query.count === 'string' ? wholeNumber(request.query.count) : undefined;
    const count = Math.min(MOST_BLOCKS, asked ?? DEFAULT_BLOCKS);
    response.json({
      height: live.height,
      blocks: live.recent.slice(0, count).map(({ transactions, ...block }) => ({
        ...block,
        transactions: transactions.map(({ elsewhere, ...each }) => ({ ...each, writes: elsewhere.writes })),
      })),
    });
  });
  router.get('/ledger/events', (request, response) => {
    stream(live, seenOf(request), response);
  });
  router.get(FIND_PATH, (request, response) => {
    find(owner, request, response);
  });
  router.get('/ledger/blocks/:number', async (request, response) => {
    const number = wholeNumber(request.params.number);
    const block = number === undefined || number >= live.height ? undefined : await inspector.block(number);
    answer(owner, request, response, block && { found: block, page: () => blockPage(owner, block, live.height) });
  });
  router.get('/ledger/transactions/:txId', async (request, response) => {
    const { txId } = request.params;
    const found = TX_ID.test(txId) ? await inspector.transaction(txId) : undefined;
    answer(owner, request, response, found && { found, page: () => transactionPage(owner, found) });
  });
  router.get('/ledger/history/:type/:id', async (request, response) => {
    await history(ports, request, response);
  });
  record(router, ports, owner);
  scan(router, ports, owner);
  router.get('/trials/:trial', async (request, response) => {
    const found = await ports.trial?.(request.params.trial);
    answer(owner, request, response, found && { found, page: () => trialPage(owner, found) });
  });
  router.use((request, response, next) => {
    if (wantsPage(request)) sendPage(response, messagePage(owner, ...NO_PAGE), 404);
    else next();
  });
  return router;
}

/** Who read a record: the form is for all, the answer for whom the token in it, or in the header, stands for. */
function record(router: Router, { settings, audit, now = Date.now }: PagePorts, owner: PageOwner): void {
  router.get('/record', (_request, response) => {
    sendPage(response, recordFormPage(owner));
  });
  if (audit === undefined) return;
  const titleOf = (name: string): string => settings.members.find((each) => each.name === name)?.title ?? name;
  router.post('/record', urlencoded({ extended: false, limit: FORM_LIMIT }), async (request, response) => {
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '') ?? [];
    const sent = { token, ...(request.body as Record<string, unknown> | undefined) };
    const { status, text } = await answerRecord({ owner, titleOf, ask: audit, now }, sent);
    sendPage(response, text, status);
  });
}

/** Scans at the counter: works without script, and the form keeps the token for the next pack in the page alone. */
function scan(router: Router, ports: PagePorts, owner: PageOwner): void {
  router.get(SCAN_PATH, (_request, response) => {
    sendPage(response, scanPage(owner, {}));
  });
  router.post(SCAN_PATH, urlencoded({ extended: false, limit: FORM_LIMIT }), async (request, response) => {
    const sent = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const given = (name: string): string => (typeof sent[name] === 'string' ? sent[name] : '');
    const form = { token: given('token').trim(), place: given('place').trim() };
    try {
      const deed = SCAN_DEEDS.find((each) => each === given('deed')) ?? 'verify';
      const answer = await ports.scan?.(form.token, { code: given('code'), deed, place: form.place });
      sendPage(response, scanPage(owner, form, answer));
    } catch (error) {
      const { status, resource } = outcomeOf(error);
      sendPage(response, scanPage(owner, form, { problem: diagnosticsOf(resource) }), status);
    }
  });
}

async function history(ports: PagePorts, request: Request, response: Response): Promise<void> {
  const { type = '', id = '' } = request.params as { type?: string; id?: string };
  try {
    const found = await ports.history(request, type, id);
    if (found === undefined) response.status(404).json({ error: 'not-found' });
    else response.json(found);
  } catch (error) {
    const { status, resource } = outcomeOf(error);
    response.status(status).json(resource);
  }
}

function assets(router: Router): void {
  const compiled = (name: string): string => readFileSync(new URL(`./browser/${name}.js`, import.meta.url), 'utf8');
  const files: readonly (readonly [path: string, type: string, content: string])[] = [
    ['/assets/style.css', 'css', STYLE],
    ['/assets/icon.svg', 'svg', ICON],
    ['/favicon.ico', 'svg', ICON],
    [PAGE_SCRIPT, 'js', compiled('page')],
    [LEDGER_SCRIPT, 'js', compiled('ledger')],
  ];
  for (const [path, type, content] of files) {
    router.get(path, (_request, response) => {
      response.type(type).set('Cache-Control', 'max-age=3600').send(content);
    });
  }
}

/** What the form asks for: a block by its number, a transaction by its id. */
function find(owner: PageOwner, request: Request, response: Response): void {
  const asked = typeof request.query.q === 'string' ? request.query.q.trim().toLowerCase() : '';
  if (TX_ID.test(asked)) response.redirect(303, `/ledger/transactions/${asked}`);
  else if (wholeNumber(asked) !== undefined) response.redirect(303, `/ledger/blocks/${asked}`);
  else answer(owner, request, response, undefined);
}

interface Answer {
  readonly found: object;
  readonly page: () => string;
}

function answer(owner: PageOwner, request: Request, response: Response, known: Answer | undefined): void {
  if (known === undefined) {
    if (wantsPage(request)) sendPage(response, messagePage(owner, ...NOT_ON_LEDGER), 404);
    else response.status(404).json({ error: 'not-found' });
  } else if (wantsPage(request)) sendPage(response, known.page());
  else response.json(known.found);
}

/** Number of the newest block the page has; what came after it is sent first. */
function seenOf(request: Request): number {
  const { after } = request.query;
  const seen = request.get('last-event-id') ?? (typeof after === 'string' ? after : undefined);
  return seen === undefined ? Infinity : (wholeNumber(seen) ?? Infinity);
}

function stream(live: LiveBlocks, seen: number, response: Response): void {
  if (live.listeners >= MAX_LISTENERS) {
    response.status(503).set('Retry-After', '30').json({ error: 'too-many-listeners' });
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': connected\n\n');
  const send = (block: LedgerBlock): void => {
    const data = JSON.stringify({ number: block.number, html: blockItem(block).text });
    response.write(`event: block\nid: ${block.number}\ndata: ${data}\n\n`);
  };
  for (const block of live.recent.filter(({ number }) => number > seen).reverse()) send(block);
  const stop = live.onBlock(send);
  const end = (): void => {
    response.end();
  };
  live.ended.addEventListener('abort', end);
  response.on('close', () => {
    stop();
    live.ended.removeEventListener('abort', end);
  });
}

function wantsPage(request: Request): boolean {
  return request.accepts(['json', 'html']) === 'html';
}

function sendPage(response: Response, text: string, status = 200): void {
  response.status(status).set('Content-Security-Policy', POLICY).type('html').send(text);
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

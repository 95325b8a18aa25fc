/** `salus load`: posts FHIR transaction Bundles, several at a time; interrupted and repeated it makes no duplicate. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Command, CommandError, type CommandIo } from '@salus/network/command';

import { fhirBase } from '../identity/issuer.js';
import { memberSettings } from './members.js';
import { mintToken } from './token.js';

/** Bundles under way at once: small ones share transactions at the gateway, of large ones a few keep it busy. */
const UNDER_WAY = { least: 4, most: 64, bytes: 2_000_000 } as const;
/** Tries of one Bundle while the gateway is away. */
const maxTries = 20;
/** How long a Bundle waits, ms, for a gateway that is busy, or does not know the outcome yet. */
const PATIENCE_MS = 300_000;
/** What a gateway answers that does not know yet what became of a write. */
const UNKNOWN = 202;

interface Report {
  loaded: number;
  resources: number;
  alreadyThere: number;
  /** Of the Bundles that were loaded now. */
  bytes: number;
  /** How many Bundles each transaction took, by its id. */
  readonly transactions: Map<string, number>;
  /** How often the gateway said to wait, or could not say what became of a Bundle. */
  waits: number;
  readonly failed: string[];
}

/** `salus load <paths>`; ends with counts, rate and what it cost, exit code 1 when a Bundle was refused. */
export const load: Command = {
  name: 'load',
  summary: 'post FHIR Bundles (files, or folders of .json files) to a member',
  arguments: [{ name: 'paths', summary: 'files or folders', required: true, variadic: true }],
  options: [
    { flags: '--member <name>', summary: 'the member that takes them', required: true },
    { flags: '--user <id>', summary: 'who loads them', default: 'loader' },
  ],
  async run(input, io) {
    const files = input.args.flatMap(bundleFiles);
    if (files.length === 0) throw new CommandError('no .json file found in what was given', 2);
    const member = String(input.options['member']);
    const fhir = fhirBase(memberSettings(io.stateDir, member).baseUrl);
    const token = await mintToken(io.stateDir, { member, user: String(input.options['user']), role: 'admin' });
    const counts = { loaded: 0, resources: 0, alreadyThere: 0, bytes: 0, waits: 0 };
    const report: Report = { ...counts, transactions: new Map(), failed: [] };
    const began = performance.now();
    const interrupted = (): void => {
      io.err(`${report.loaded} of ${files.length} Bundles loaded; load the same again: no duplicate is made`);
      process.exit(1);
    };
    process.once('SIGINT', interrupted);
    await inWindow(files, async (file, body) => {
      await loadBundle(basename(file), body, { fhir, token, report });
      io.progress(progressLine(report, files.length, began));
    });
    process.off('SIGINT', interrupted);
    return finish(report, files.length, began, io);
  },
};

function bundleFiles(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new CommandError(`there is no file or folder ${path}`, 2);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => join(path, file));
}

/** Reads each file when there is room for it among those under way. Throws what the first one that fails throws. */
async function inWindow(files: readonly string[], load: (file: string, body: Buffer) => Promise<void>): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let bytes = 0;
  const hasRoom = (more: number): boolean =>
    underWay.size < UNDER_WAY.least || (underWay.size < UNDER_WAY.most && bytes + more <= UNDER_WAY.bytes);
  for (const file of files) {
    const body = readFileSync(file);
    while (!hasRoom(body.length)) await Promise.race(underWay);
    bytes += body.length;
    const loading = load(file, body).finally(() => {
      bytes -= body.length;
      underWay.delete(loading);
    });
    underWay.add(loading);
    // Whoever waits for it hears of a failure.
    loading.catch(() => undefined);
  }
  await Promise.all(underWay);
}

async function loadBundle(
  name: string,
  body: Buffer,
  { fhir, token, report }: { readonly fhir: string; readonly token: string; readonly report: Report },
): Promise<void> {
  const { response, wasUnknown } = await postUntilKnown(fhir, body, token, () => (report.waits += 1));
  const answer = (await response.json()) as { entry?: unknown[]; issue?: { diagnostics?: string }[] };
  if (response.status !== 200) {
    report.failed.push(`${name}: ${response.status} ${answer.issue?.[0]?.diagnostics ?? ''}`);
    return;
  }
  report.loaded += 1;
  // What an earlier try of this load made is told as a replay, too.
  if (response.headers.get('idempotent-replayed') === 'true' && !wasUnknown) {
    report.alreadyThere += 1;
    return;
  }
  report.resources += answer.entry?.length ?? 0;
  report.bytes += body.length;
  took(report, response.headers.get('x-tx-id') ?? '');
}

function took({ transactions }: Report, txId: string): void {
  transactions.set(txId, (transactions.get(txId) ?? 0) + 1);
}

/** A Bundle's final answer, and whether an earlier try may have taken effect. */
export interface Known {
  readonly response: Response;
  readonly wasUnknown: boolean;
}

/** Posts a Bundle until its outcome is known. The content names the attempt: sent again, it takes effect once. Throws CommandError. */
export async function postUntilKnown(fhir: string, body: Buffer, token: string, onWait: () => void): Promise<Known> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/fhir+json',
    'idempotency-key': `load-${createHash('sha256').update(body).digest('hex')}`,
    prefer: 'return=minimal',
  };
  const until = Date.now() + PATIENCE_MS;
  let wasUnknown = false;
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(fhir, { method: 'POST', headers, body: new Uint8Array(body) }).catch(() => undefined);
    if (response !== undefined && (isFinal(response) || Date.now() > until)) return { response, wasUnknown };
    if (response === undefined && tries >= maxTries) throw new CommandError(`${fhir} does not answer: npm start`);
    wasUnknown ||= response === undefined || response.status === UNKNOWN;
    await response?.arrayBuffer();
    onWait();
    await sleep(waitOf(tries, response));
  }
}

/** Milliseconds until the next try: as long as the gateway says, or longer each time. */
function waitOf(tries: number, response: Response | undefined): number {
  const told = 1_000 * Number(response?.headers.get('retry-after') ?? 0);
  return Math.max(told, Math.min(2_000, 100 * 2 ** tries) * (0.5 + Math.random() / 2));
}

function isFinal({ status }: Response): boolean {
  return ![UNKNOWN, 429, 503].includes(status);
}

function progressLine(report: Report, total: number, began: number): string {
  const done = report.loaded + report.failed.length;
  const bar = '#'.repeat(Math.round((done / total) * 30)).padEnd(30, '.');
  return `[${bar}] ${done}/${total} Bundles, ${report.resources} resources, ${rate(report, began)} a second`;
}

function rate(report: Report, began: number): string {
  return (report.resources / Math.max(0.001, (performance.now() - began) / 1000)).toFixed(0);
}

function finish(report: Report, total: number, began: number, io: CommandIo): number {
  io.progress('');
  for (const failure of report.failed) io.err(failure);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  io.out(`${report.loaded} of ${total} Bundles loaded in ${seconds} s: ${report.resources} resources created,`);
  io.out(`${rate(report, began)} a second; ${report.alreadyThere} Bundles were there already`);
  const megabytes = (report.bytes / 1e6).toFixed(1);
  io.out(`${report.transactions.size} transactions, ${megabytes} MB sent; told to wait ${report.waits} times`);
  const most = Math.max(0, ...report.transactions.values());
  if (most > 1) io.out(`Bundles that were under way together shared transactions, up to ${most} in one`);
  if (report.failed.length === 0) return 0;
  io.err(`${report.failed.length} Bundles failed; mend them and load the same folder again: no duplicate is made`);
  return 1;
}

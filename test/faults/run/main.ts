/**
 * Faults at random moments under load: `npm run faults -- --minutes N --seed S [--injections N]`. Every kind comes in
 * turn, in an order from the seed. Ends with a table of what was done and how long until writes were acknowledged again,
 * and a verdict over the whole history; exit code 1 when anything was lost, done twice, left open or read unseen.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { mulberry32 } from '../../support/campaigns.js';
import type { FaultWorld } from './acts.js';
import { escaped } from './canaries.js';
import { type FaultyConsortium, startConsortium } from './consortium.js';
import { FAULTS } from './faults.js';
import { givenArguments, runIsolated } from './isolation.js';
import { judge } from './judge.js';
import { Reader } from './reader.js';
import { type Injection, report, reportEscapes, residentMiB } from './report.js';
import { Writer } from './writer.js';

const MINUTE_MS = 60_000;
/** Nobody waits longer than this for the next acknowledgement after a fault is healed. */
const PATIENCE_MS = 180_000;
/** Values of one writer begin so far after those of the one before. */
const STRIDE = 1_000_000;
const WRITERS = ['stmary', 'stmary', 'northside', 'stmary'];

interface Wishes {
  readonly minutes: number;
  readonly seed: number;
  readonly injections: number;
}

function wanted(): Wishes {
  const { values } = parseArgs({
    args: givenArguments(),
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      injections: { type: 'string', default: 'Infinity' },
    },
  });
  return { minutes: Number(values.minutes), seed: Number(values.seed), injections: Number(values.injections) };
}

async function main(): Promise<number> {
  const exit = runIsolated();
  if (exit !== undefined) return exit;
  const wishes = wanted();
  const consortium = await startConsortium();
  let code = 1;
  try {
    code = await injectAndJudge(consortium, wishes);
  } finally {
    await consortium.stop();
    code = Math.max(code, reportEscapes(escaped(consortium.prepared.stateDir)));
    consortium.discard(code !== 0);
  }
  if (code !== 0) console.log(`state and logs are kept in ${consortium.prepared.stateDir}`);
  return code;
}

async function injectAndJudge(consortium: FaultyConsortium, { minutes, seed, injections }: Wishes): Promise<number> {
  const random = mulberry32(seed);
  const writers = WRITERS.map((member, index) => new Writer(consortium, member, (index + 1) * STRIDE));
  for (const writer of writers) await writer.start();
  const reader = new Reader(consortium, writers[0]!);
  await reader.start();
  const world: FaultWorld = { consortium, writers, reader, random };
  const resident = residentMiB(consortium);
  const end = Date.now() + minutes * MINUTE_MS;
  const runs: Injection[] = [];
  while (runs.length < injections && Date.now() < end) {
    for (const kind of shuffled(Object.keys(FAULTS), random)) {
      if (runs.length >= injections || Date.now() >= end) break;
      runs.push(await injectOne(kind, world));
    }
  }
  for (const writer of writers) await writer.stop(PATIENCE_MS);
  await reader.stop();
  const verdict = await judge(consortium, writers, reader);
  console.log(`seed ${seed}; started in ${consortium.startSeconds.toFixed(0)} s, ${resident}`);
  return report({ runs, writers, reader, verdict });
}

async function injectOne(kind: string, world: FaultWorld): Promise<Injection> {
  const { consortium, writers, random } = world;
  await sleep(random() * 1_000);
  const began = Date.now();
  const healed = FAULTS[kind]!(world);
  // Of each writer the first write that began after the fault: the quickest is the next commit, and the slowest of them
  // is what the fault cost.
  const waits = Promise.all(writers.map((writer) => writer.goesOn(began, PATIENCE_MS)));
  const came = await healed;
  const each = await waits;
  const ended = consortium.ended();
  await Promise.all(ended.map((name) => consortium.start(name)));
  const injection = { kind, came, next: Math.min(...each), all: Math.max(...each), ended: ended.length };
  const note = `${came ? '' : ', but it did not come about'}${ended.length > 0 ? `; ended: ${ended.join(' ')}` : ''}`;
  console.error(`${new Date().toISOString()} ${kind}: ${injection.next} to ${injection.all} ms${note}`);
  return injection;
}

function shuffled(kinds: readonly string[], random: () => number): string[] {
  return kinds
    .map((kind) => ({ kind, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
}

process.exit(await main());

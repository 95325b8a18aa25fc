/**
 * Faults at random moments under load: `npm run faults -- --minutes N --seed S [--injections N]`. Every kind comes in
 * turn, in an order from the seed. Ends with a table of what was done and how long until a write was acknowledged again,
 * and a verdict over the whole history; exit code 1 when anything was lost, done twice or left open.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { mulberry32 } from '../../support/campaigns.js';
import { startConsortium } from './consortium.js';
import { type FaultWorld, FAULTS } from './faults.js';
import { judge } from './judge.js';
import { Writer } from './writer.js';

const MINUTE_MS = 60_000;
/** Nobody waits longer than this for the next acknowledgement after a fault is healed. */
const PATIENCE_MS = 180_000;
/** Values of one writer begin so far after those of the one before. */
const STRIDE = 1_000_000;
const WRITERS = ['stmary', 'stmary', 'northside', 'stmary'];

/** What one kind of fault did: milliseconds from the fault to the next acknowledged write, of each injection. */
type Times = Map<string, number[]>;

function wanted(): { readonly minutes: number; readonly seed: number; readonly injections: number } {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      injections: { type: 'string', default: 'Infinity' },
    },
  });
  return { minutes: Number(values.minutes), seed: Number(values.seed), injections: Number(values.injections) };
}

async function main(): Promise<number> {
  const { minutes, seed, injections } = wanted();
  const random = mulberry32(seed);
  const consortium = await startConsortium();
  let code = 1;
  try {
    const writers = WRITERS.map((member, index) => new Writer(consortium, member, (index + 1) * STRIDE));
    for (const writer of writers) await writer.start();
    const end = Date.now() + minutes * MINUTE_MS;
    const times: Times = new Map();
    for (let done = 0; done < injections && Date.now() < end;) {
      for (const kind of shuffled(Object.keys(FAULTS), random)) {
        if (done++ >= injections || Date.now() >= end) break;
        await injectOne(kind, { consortium, random }, writers, times);
      }
    }
    for (const writer of writers) await writer.stop(PATIENCE_MS);
    code = report(times, writers, await judge(consortium, writers), seed);
  } finally {
    await consortium.stop(code !== 0);
  }
  if (code !== 0) console.log(`state and logs are kept in ${consortium.prepared.stateDir}`);
  return code;
}

async function injectOne(kind: string, world: FaultWorld, writers: readonly Writer[], times: Times): Promise<void> {
  await sleep(world.random() * 1_000);
  const began = Date.now();
  const healed = FAULTS[kind]!(world);
  // Of each writer the first write that began after the fault; the slowest of them is what the fault cost.
  const waits = Promise.all(writers.map((writer) => writer.goesOn(began, PATIENCE_MS)));
  await healed;
  const wait = Math.max(...(await waits));
  times.set(kind, [...(times.get(kind) ?? []), wait]);
  console.error(`${new Date().toISOString()} ${kind}: ${Math.round(wait)} ms`);
}

function shuffled(kinds: readonly string[], random: () => number): string[] {
  return kinds
    .map((kind) => ({ kind, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
}

/** Prints table and verdict; returns the exit code. */
function report(
  times: Times,
  writers: readonly Writer[],
  verdict: Readonly<Record<string, number>>,
  seed: number,
): number {
  const all = [...times.values()].flat();
  const row = (kind: string, waits: readonly number[]) =>
    `| ${[kind.padEnd(46), String(waits.length).padStart(5), seconds(waits, 0.5), seconds(waits, 0.99)].join(' | ')} |`;
  console.log(
    `seed ${seed}\n\n| ${'fault'.padEnd(46)} | times | p50 s  | p99 s  |\n|${'-'.repeat(48)}|------:|-------:|-------:|`,
  );
  for (const [kind, waits] of [...times].sort(([one], [other]) => one.localeCompare(other)))
    console.log(row(kind, waits));
  console.log(`${row('all', all)}\n`);
  const history = writers.flatMap((writer) => writer.history);
  const told = (wish: string) => history.filter((write) => write.told === wish).length;
  console.log(`${history.length} writes: ${told('acknowledged')} acknowledged, ${told('refused')} refused`);
  const never = all.filter((wait) => wait === Infinity).length;
  const violations = { ...verdict, 'faults after which a writer never went on': never };
  for (const [what, count] of Object.entries(violations)) console.log(`${String(count).padStart(6)} ${what}`);
  return Object.values(violations).every((count) => count === 0) ? 0 : 1;
}

function seconds(waits: readonly number[], share: number): string {
  const sorted = [...waits].sort((one, other) => one - other);
  const wait = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return (wait / 1000).toFixed(2).padStart(6);
}

process.exit(await main());

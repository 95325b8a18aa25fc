/**
 * Faults at random moments under load: `npm run faults -- --minutes N --seed S [--injections N] [--only PART]`. Every
 * kind, or each whose name has that part, comes in turn, in an order from the seed. Clients and injector write a history; the judge, a program of its own, reads it, asks
 * the healed network and searches what it leaves, and prints the table and what is wrong. Exit code 1 when anything is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mulberry32 } from '../../support/campaigns.js';
import { History } from '../judge/history.js';
import { startLoad } from '../load/load.js';
import type { FaultWorld } from './acts.js';
import { type FaultyConsortium, startConsortium } from './consortium.js';
import { FAULTS } from './faults.js';
import { givenArguments, runIsolated } from './isolation.js';
import { residentMiB } from './resident.js';

const MINUTE_MS = 60_000;
/** Nobody waits longer than this for the next acknowledgement after a fault is healed. */
const PATIENCE_MS = 180_000;
/** How long after a fault the slowest client is waited for before the next one. */
const RESPITE_MS = 5_000;
const JUDGE = fileURLToPath(new URL('../judge/main.js', import.meta.url));

interface Wishes {
  readonly minutes: number;
  readonly seed: number;
  readonly injections: number;
  readonly kinds: readonly string[];
}

function wanted(): Wishes {
  const { values } = parseArgs({
    args: givenArguments(),
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      injections: { type: 'string', default: 'Infinity' },
      only: { type: 'string', default: '' },
    },
  });
  const kinds = Object.keys(FAULTS).filter((kind) => kind.includes(values.only));
  if (kinds.length === 0) throw new Error(`no kind of fault is named ${values.only}`);
  const { minutes, seed, injections } = values;
  return { minutes: Number(minutes), seed: Number(seed), injections: Number(injections), kinds };
}

async function main(): Promise<number> {
  const exit = runIsolated();
  if (exit !== undefined) return exit;
  const wishes = wanted();
  const consortium = await startConsortium();
  const { stateDir } = consortium.prepared;
  const [history, evidence] = ['history.jsonl', 'evidence.json'].map((name) => join(consortium.folder, name));
  let code = 1;
  try {
    await inject(consortium, wishes, history ?? '');
    const gathered = await judge('gather', stateDir, history, evidence);
    await consortium.stop();
    if (gathered === 0 && (await judge('words', stateDir, evidence)) === 0)
      code = await judge('verdict', history, evidence);
  } finally {
    await consortium.stop();
    consortium.discard(code !== 0);
  }
  if (code !== 0) console.log(`history, evidence, state and logs are kept in ${consortium.folder}`);
  return code;
}

/** Runs the judge's program; resolves with its exit code. */
async function judge(...args: readonly (string | undefined)[]): Promise<number> {
  const program = spawn(process.execPath, [JUDGE, ...args.map(String)], { stdio: 'inherit' });
  const [code] = (await once(program, 'exit')) as [number | null];
  return code ?? 1;
}

async function inject(consortium: FaultyConsortium, wishes: Wishes, file: string): Promise<void> {
  const { minutes, seed, injections, kinds } = wishes;
  const random = mulberry32(seed);
  const history = History.open(file);
  const load = await startLoad(consortium.members, history);
  const world: FaultWorld = { consortium, ...load, random };
  console.log(`seed ${seed}; started in ${consortium.startSeconds.toFixed(0)} s, ${residentMiB(consortium)}`);
  const end = Date.now() + minutes * MINUTE_MS;
  let made = 0;
  let last: FaultPast = { everybody: Promise.resolve() };
  while (made < injections && Date.now() < end) {
    for (const kind of shuffled(kinds, random)) {
      if (made >= injections || Date.now() >= end) break;
      made += 1;
      last = await injectOne(kind, world, history);
    }
  }
  // Else a client that had not begun anything since the last fault would seem never to go on.
  await last.everybody;
  await load.stop(PATIENCE_MS);
  history.close();
}

/** A fault that was made. */
interface FaultPast {
  /** Resolves when every client went on after it, or nobody waits longer. */
  readonly everybody: Promise<unknown>;
}

async function injectOne(kind: string, world: FaultWorld, history: History): Promise<FaultPast> {
  const { consortium, writers, random } = world;
  await sleep(random() * 1_000);
  const at = Date.now();
  const healed = FAULTS[kind]!(world);
  // The next fault comes when somebody's write that began after this one is acknowledged, and everybody's or a while has
  // passed: what it cost the slowest the judge sees in the history.
  const waits = writers.map((writer) => writer.goesOn(at, PATIENCE_MS));
  // What does not start again in time is a finding for the judge, whom the run must reach.
  const came = await healed.catch((error: unknown) => {
    console.error(`${kind}: ${String(error)}`);
    return false;
  });
  const next = await Promise.race(waits);
  const everybody = Promise.all(waits);
  await Promise.race([everybody, sleep(RESPITE_MS)]);
  const ended = consortium.ended();
  await Promise.all(ended.map((name) => consortium.start(name)));
  history.append({ line: 'fault', at, kind, came, ended: ended.length });
  const note = `${came ? '' : ', but it did not come about'}${ended.length > 0 ? `; ended: ${ended.join(' ')}` : ''}`;
  console.error(`${new Date().toISOString()} ${kind}: ${next} ms${note}`);
  return { everybody };
}

function shuffled(kinds: readonly string[], random: () => number): string[] {
  return kinds
    .map((kind) => ({ kind, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
}

process.exit(await main());

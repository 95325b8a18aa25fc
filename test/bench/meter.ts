/** Measures an operation: rate, latency and the CPU time that every process spent on it. */
import { readFileSync } from 'node:fs';

export interface Wish {
  readonly name: string;
  /** Operations under way at once. */
  readonly concurrency: number;
  /** Operations in all, after a tenth as many to warm up. */
  readonly count: number;
  /** Units of work in one operation, such as resources of a Bundle. */
  readonly units?: number;
  run(index: number): Promise<void>;
}

export interface Measure {
  readonly name: string;
  readonly concurrency: number;
  /** Units a second. */
  readonly rate: number;
  /** Milliseconds of one operation. */
  readonly p50: number;
  readonly p90: number;
  /** CPU-milliseconds of one unit, by kind of process. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** Clock ticks a second in /proc (USER_HZ is 100 on every Linux we run on). */
const ticksPerSecond = 100;

/** CPU time that processes have used, in milliseconds: user and system of all their threads. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOfOne(pid), 0);
}

function cpuOfOne(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Process ids by kind of process. */
export type Processes = Readonly<Record<string, readonly number[]>>;

/** `orderer.acme` and `orderer.stmary` are both of the kind `orderer`, `peer0.stmary` of the kind `peer`. */
export function byKind(processes: readonly { readonly name: string; readonly pid: number }[]): Processes {
  const kindOf = (name: string): string => name.replace(/\d*\..*$/, '');
  const kinds = [...new Set(processes.map(({ name }) => kindOf(name)))];
  const pidsOf = (kind: string) => processes.filter(({ name }) => kindOf(name) === kind).map(({ pid }) => pid);
  return Object.fromEntries(kinds.map((kind) => [kind, pidsOf(kind)]));
}

/** Runs the operation and measures it, with what the processes used; this process is `client`. */
export async function measure(wish: Wish, processes: Processes): Promise<Measure> {
  await runAll(wish, Math.ceil(wish.count / 10), 0, () => undefined);
  const watched = Object.entries({ ...processes, client: [process.pid] });
  const before = watched.map(([, pids]) => cpuOf(pids));
  const latencies: number[] = [];
  const began = performance.now();
  await runAll(wish, wish.count, Math.ceil(wish.count / 10), (milliseconds) => latencies.push(milliseconds));
  const seconds = (performance.now() - began) / 1000;
  const units = wish.count * (wish.units ?? 1);
  const cpu = watched.map(([kind, pids], index) => [kind, (cpuOf(pids) - (before[index] ?? 0)) / units] as const);
  latencies.sort((a, b) => a - b);
  return {
    name: wish.name,
    concurrency: wish.concurrency,
    rate: units / seconds,
    p50: quantile(latencies, 0.5),
    p90: quantile(latencies, 0.9),
    cpu: Object.fromEntries(cpu),
  };
}

/** Rounds of wishes in turn. */
const ROUNDS = 5;

/** Measures wishes in turn, so that all see the machine alike: of each the round with the middle p50. */
export async function inTurn(
  wishes: readonly { readonly wish: Wish; readonly watched: Processes }[],
): Promise<Measure[]> {
  const rounds: Measure[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const measures: Measure[] = [];
    for (const { wish, watched } of wishes) measures.push(await measure(wish, watched));
    rounds.push(measures);
  }
  return wishes.map((_, at) => middle(rounds.flatMap((measures) => measures.slice(at, at + 1))));
}

async function runAll(wish: Wish, count: number, from: number, done: (ms: number) => void): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = from + next;
      next += 1;
      const began = performance.now();
      await wish.run(index);
      done(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: wish.concurrency }, worker));
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** The round with the middle p50. */
export function middle(rounds: readonly Measure[]): Measure {
  const found = [...rounds].sort((one, other) => one.p50 - other.p50)[Math.floor(rounds.length / 2)];
  if (found === undefined) throw new Error('no rounds');
  return found;
}

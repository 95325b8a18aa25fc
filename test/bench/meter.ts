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
  const units = wish.count * (wish.units ?? 1);
  const latencies: number[] = [];
  const began = performance.now();
  const { cpu } = await cpuWhile({ ...processes, client: [process.pid] }, units, () =>
    runAll(wish, wish.count, Math.ceil(wish.count / 10), (milliseconds) => latencies.push(milliseconds)),
  );
  return measured(wish, { latencies, seconds: (performance.now() - began) / 1000, units, cpu });
}

/** Does work, and says how much CPU time the processes used for each of its units meanwhile, in milliseconds. */
export async function cpuWhile<T>(processes: Processes, units: number, work: () => Promise<T>) {
  const watched = Object.entries(processes);
  const before = watched.map(([, pids]) => cpuOf(pids));
  const result = await work();
  const used = watched.map(([kind, pids], at) => [kind, (cpuOf(pids) - (before[at] ?? 0)) / units] as const);
  return { result, cpu: Object.fromEntries(used) };
}

/** What was seen of an operation. */
interface Seen {
  /** Milliseconds of each, in any order. */
  readonly latencies: readonly number[];
  readonly seconds: number;
  readonly units: number;
  readonly cpu: Measure['cpu'];
}

/** A measure of what was seen. */
export function measured({ name, concurrency }: Pick<Wish, 'name' | 'concurrency'>, seen: Seen): Measure {
  const sorted = [...seen.latencies].sort((a, b) => a - b);
  const [p50, p90] = [quantile(sorted, 0.5), quantile(sorted, 0.9)];
  return { name, concurrency, rate: seen.units / seen.seconds, p50, p90, cpu: seen.cpu };
}

/** Rounds of wishes in turn. */
const ROUNDS = 5;

/** Takes measures in turn, so that all see the machine alike: of each the round with the middle p50. */
export async function inTurn(takes: readonly (() => Promise<Measure>)[]): Promise<Measure[]> {
  const rounds: Measure[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const measures: Measure[] = [];
    for (const take of takes) measures.push(await take());
    rounds.push(measures);
  }
  return takes.map((_, at) => middle(rounds.flatMap((measures) => measures.slice(at, at + 1))));
}

/** Runs the operation so often, as many at once as it wishes; tells of each how long it took. */
export async function runAll(wish: Wish, count: number, from: number, done: (ms: number) => void): Promise<void> {
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

/** Tells what a run did: the table of faults, and the verdict. */
import { readFileSync } from 'node:fs';
import type { FaultyConsortium } from './consortium.js';
import type { Verdict } from './judge.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** One fault as it was injected. */
export interface Injection {
  readonly kind: string;
  /** Whether what the kind is about came about. */
  readonly came: boolean;
  /** Milliseconds until a write that began after the fault was acknowledged; Infinity = not in time. */
  readonly next: number;
  /** Milliseconds until each writer had one. */
  readonly all: number;
  /** Gateways that had ended by themselves. */
  readonly ended: number;
}

interface Run {
  readonly runs: readonly Injection[];
  readonly writers: readonly Writer[];
  readonly reader: Reader;
  readonly verdict: Verdict;
}

const KIND_WIDTH = 40;
const COLUMNS = ['times', 'as meant', 'next p50', 'next p99', 'all p50', 'all p99'];

/** Prints table and verdict; returns the exit code. */
export function report({ runs, writers, reader, verdict }: Run): number {
  const kinds = [...new Set(runs.map(({ kind }) => kind))].sort((one, other) => one.localeCompare(other));
  console.log(`\n| ${['fault (times in s)'.padEnd(KIND_WIDTH), ...COLUMNS].join(' | ')} |`);
  console.log(`|${'-'.repeat(KIND_WIDTH + 2)}|${COLUMNS.map((name) => `${'-'.repeat(name.length + 1)}:`).join('|')}|`);
  const injected = (kind: string) => runs.filter((run) => run.kind === kind);
  for (const kind of kinds) console.log(row(kind, injected(kind)));
  console.log(`${row('all', runs)}\n`);
  const history = writers.flatMap((writer) => writer.history);
  const told = (wish: string) => history.filter((write) => write.told === wish).length;
  console.log(`${history.length} writes: ${told('acknowledged')} acknowledged, ${told('refused')} refused`);
  const again = history.filter(({ statuses }) => statuses.length > 1).length;
  const across = reader.shown.filter(({ remote }) => remote).length;
  console.log(`${again} asked again under their key; ${reader.shown.length} reads, ${across} of them across members`);
  const violations = {
    ...verdict,
    'faults after which a writer never went on': runs.filter(({ all }) => all === Infinity).length,
    'gateways that ended by themselves': runs.reduce((sum, { ended }) => sum + ended, 0),
    'kinds that never came about': kinds.filter((kind) => injected(kind).every(({ came }) => !came)).length,
  };
  for (const [what, count] of Object.entries(violations)) console.log(`${String(count).padStart(6)} ${what}`);
  return Object.values(violations).every((count) => count === 0) ? 0 : 1;
}

function row(kind: string, runs: readonly Injection[]): string {
  const next = runs.map((run) => run.next);
  const all = runs.map((run) => run.all);
  const meant = runs.filter(({ came }) => came).length;
  const values = [runs.length, meant, ...[next, all].flatMap((each) => [seconds(each, 0.5), seconds(each, 0.99)])];
  return `| ${[kind.padEnd(KIND_WIDTH), ...values.map((value, at) => String(value).padStart(COLUMNS[at]!.length))].join(' | ')} |`;
}

function seconds(waits: readonly number[], share: number): string {
  const sorted = [...waits].sort((one, other) => one - other);
  const wait = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return (wait / 1000).toFixed(1);
}

/** Prints where a hospital's content is that must not be there; returns the exit code. */
export function reportEscapes(files: readonly string[]): number {
  console.log(`${String(files.length).padStart(6)} files outside a hospital's own that hold its words`);
  for (const file of files) console.log(`       ${file}`);
  return files.length === 0 ? 0 : 1;
}

/** What the processes have in memory at this moment, by kind. */
export function residentMiB(consortium: FaultyConsortium): string {
  const { nodes, gateways } = consortium;
  const kinds = new Map<string, { count: number; kib: number }>();
  for (const name of [...nodes.pids.keys(), ...gateways.keys()]) {
    const kind = name.replace(/\d*\..*/, '');
    const status = readFileSync(`/proc/${consortium.pid(name)}/status`, 'utf8');
    const { count, kib } = kinds.get(kind) ?? { count: 0, kib: 0 };
    kinds.set(kind, { count: count + 1, kib: kib + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) });
  }
  const parts = [...kinds].map(([kind, { count, kib }]) => `${count} ${kind}s ${Math.round(kib / 1024)} MiB`);
  const sum = [...kinds.values()].reduce((total, { kib }) => total + kib, 0);
  return `resident under load: ${parts.join(', ')}; ${Math.round(sum / 1024)} MiB in all`;
}

/** Tells what a run did: the table of faults, what clients were told, and what is wrong. */
import type { Evidence } from './evidence.js';
import { type AskedLine, type FaultLine, type HistoryLine, linesOf, type ToldLine } from './history.js';
import { verdictOf } from './verdict.js';

/** A fault with what it cost. */
interface Cost extends FaultLine {
  /** Milliseconds until a write that began after the fault was acknowledged to any client; Infinity = never. */
  readonly next: number;
  /** Milliseconds until each client had one. */
  readonly all: number;
}

const KIND_WIDTH = 40;
const COLUMNS = ['times', 'as meant', 'next p50', 'next p99', 'all p50', 'all p99'];
/** Cases of each violation that are named. */
const NAMED = 5;

/** Prints table and verdict; returns the exit code. */
export function report(lines: readonly HistoryLine[], evidence: Evidence): number {
  const faults = costsOf(lines);
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort((one, other) => one.localeCompare(other));
  if (faults.length > 0) printTable(faults, kinds);
  printWrites(lines);
  const wrong = verdictOf(lines, evidence);
  const neverMeant = kinds.filter((kind) => faults.every((fault) => fault.kind !== kind || !fault.came));
  const violations: Readonly<Record<string, readonly string[]>> = {
    ...wrong,
    'faults after which a client never went on': faults.filter(({ all }) => all === Infinity).map(({ kind }) => kind),
    'gateways that ended by themselves': faults.flatMap(({ kind, ended }) => Array.from({ length: ended }, () => kind)),
    'kinds that never came about': neverMeant,
  };
  for (const [what, cases] of Object.entries(violations)) {
    console.log(
      `${String(cases.length).padStart(6)} ${what}${cases.length === 0 ? '' : `: ${cases.slice(0, NAMED).join(', ')}`}`,
    );
  }
  if (evidence.escaped === undefined) console.log('       the files of the stopped network were not searched');
  return Object.values(violations).every(({ length }) => length === 0) ? 0 : 1;
}

/** What each fault cost, by the writes that were asked for after it. */
function costsOf(lines: readonly HistoryLine[]): Cost[] {
  const told = new Map(linesOf(lines, 'told').map((each) => [each.key, each]));
  const byClient = Map.groupBy(linesOf(lines, 'asked'), ({ client }) => client);
  return linesOf(lines, 'fault').map((fault) => {
    const waits = [...byClient.values()].map((writes) => waitOf(writes, told, fault.at));
    return { ...fault, next: Math.min(...waits), all: Math.max(...waits) };
  });
}

function waitOf(writes: readonly AskedLine[], told: ReadonlyMap<string, ToldLine>, since: number): number {
  const ends = writes
    .filter(({ at, key }) => at >= since && told.get(key)?.told === 'acknowledged')
    .map(({ key }) => told.get(key)?.at ?? Infinity);
  return (ends[0] ?? Infinity) - since;
}

function printTable(faults: readonly Cost[], kinds: readonly string[]): void {
  console.log(`\n| ${['fault (times in s)'.padEnd(KIND_WIDTH), ...COLUMNS].join(' | ')} |`);
  console.log(`|${'-'.repeat(KIND_WIDTH + 2)}|${COLUMNS.map((name) => `${'-'.repeat(name.length + 1)}:`).join('|')}|`);
  for (const kind of kinds)
    console.log(
      row(
        kind,
        faults.filter((fault) => fault.kind === kind),
      ),
    );
  console.log(`${row('all', faults)}\n`);
}

function row(kind: string, faults: readonly Cost[]): string {
  const next = faults.map((fault) => fault.next);
  const all = faults.map((fault) => fault.all);
  const meant = faults.filter(({ came }) => came).length;
  const values = [faults.length, meant, ...[next, all].flatMap((each) => [seconds(each, 0.5), seconds(each, 0.99)])];
  return `| ${[kind.padEnd(KIND_WIDTH), ...values.map((value, at) => String(value).padStart(COLUMNS[at]!.length))].join(' | ')} |`;
}

function seconds(waits: readonly number[], share: number): string {
  const sorted = [...waits].sort((one, other) => one - other);
  const wait = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return (wait / 1000).toFixed(1);
}

function printWrites(lines: readonly HistoryLine[]): void {
  const asked = linesOf(lines, 'asked');
  const told = new Map(linesOf(lines, 'told').map((each) => [each.key, each.told]));
  const answers = Map.groupBy(linesOf(lines, 'answered'), ({ key }) => key);
  for (const [kind, writes] of Map.groupBy(asked, (write) => write.kind)) {
    const count = (wish: string) => writes.filter(({ key }) => told.get(key) === wish).length;
    const again = writes.filter(({ key }) => (answers.get(key)?.length ?? 0) > 1).length;
    console.log(
      `${kind}: ${writes.length}, ${count('acknowledged')} acknowledged, ${count('failed')} failed, ${again} asked again`,
    );
  }
  const failed = linesOf(lines, 'answered').filter(({ key }) => told.get(key) === 'failed');
  const reasons = Map.groupBy(failed, ({ status, code }) => `${status} ${code ?? ''}`.trim());
  if (reasons.size > 0) {
    console.log(`answered failed: ${[...reasons].map(([reason, all]) => `${reason} ${all.length}`).join(', ')}`);
  }
  const shown = linesOf(lines, 'shown');
  console.log(
    `${shown.length} reads that showed something, ${shown.filter(({ remote }) => remote).length} across members`,
  );
}

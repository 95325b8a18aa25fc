/** `.salus/run.json`: which supervisor holds a state folder. It is the lock that keeps two from sharing one. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { CommandError } from '../command.js';

/** What `run.json` says of the consortium that runs. */
export interface RunFile {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (field 22 of /proc/<pid>/stat): pids are used again. */
  readonly startTime: string;
  readonly engine: string;
  readonly ready: boolean;
  readonly children: readonly RecordedProcess[];
}

/** How long a killed process may take to vanish, and how often to look, in milliseconds. */
const endTimeout = 10_000;
const poll = 50;

const pathOf = (stateDir: string): string => join(stateDir, 'run.json');

/** A process as it is remembered on disk. */
export interface RecordedProcess {
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
}

/** Where the processes of a native Fabric network are remembered: a list of RecordedProcess. */
export const fabricProcessesOf = (stateDir: string): string => join(stateDir, 'fabric.json');

/** Where the Fabric CA servers that a supervisor started are remembered: a list of RecordedProcess. */
export const authorityProcessesOf = (stateDir: string): string => join(stateDir, 'fabric-ca.json');
/** The same of members that are about to join, while their join is proposed. */
export const joiningProcessesOf = (stateDir: string): string => join(stateDir, 'fabric-ca-joining.json');
/** Every such record. */
const RECORDS = [fabricProcessesOf, authorityProcessesOf, joiningProcessesOf];

/** The supervisor that runs now, or undefined; a file left by one that died is removed. */
export function readRunFile(stateDir: string): RunFile | undefined {
  const found = readJson(pathOf(stateDir)) as RunFile | undefined;
  return found !== undefined && isAlive(found) ? found : undefined;
}

/** Ends what a supervisor that was killed left running: its children, Fabric's nodes, members' Fabric CA servers. */
export async function endOrphans(stateDir: string): Promise<number> {
  if (readRunFile(stateDir) !== undefined) return 0;
  const run = readJson(pathOf(stateDir)) as RunFile | undefined;
  const ended = await endRecorded([...(run?.children ?? []), ...nodesOf(stateDir)]);
  for (const place of [pathOf, ...RECORDS]) rmSync(place(stateDir), { force: true });
  return ended;
}

/** Ends the nodes that a native network was killed over, unless a supervisor runs them. */
export async function endOrphanNodes(stateDir: string): Promise<number> {
  return readRunFile(stateDir) === undefined ? endNodes(stateDir) : 0;
}

/** Ends the nodes that a native network left when it ended by itself: whoever starts it again needs their ports. */
export async function endNodes(stateDir: string): Promise<number> {
  const ended = await endRecorded(recordedIn(fabricProcessesOf(stateDir)));
  rmSync(fabricProcessesOf(stateDir), { force: true });
  return ended;
}

/** The processes that run from a state folder, gateways before the ledger; of one member, where one is named. */
export function runningProcesses(stateDir: string, member?: string): RecordedProcess[] {
  const run = readRunFile(stateDir);
  return [...(run?.children ?? [])]
    .reverse()
    .concat(nodesOf(stateDir))
    .filter(isAlive)
    .filter(({ name }) => member === undefined || name.endsWith(`.${member}`));
}

/** What a native network started: its nodes, and its members' Fabric CA servers. */
function nodesOf(stateDir: string): RecordedProcess[] {
  return RECORDS.flatMap((place) => recordedIn(place(stateDir)));
}

function recordedIn(file: string): RecordedProcess[] {
  return (readJson(file) as RecordedProcess[] | undefined) ?? [];
}

/** Ends the processes that still run, recognised by pid and start time, and waits until they are gone. */
async function endRecorded(recorded: readonly RecordedProcess[]): Promise<number> {
  const orphans = recorded.filter(isAlive);
  for (const each of orphans) signal(each, 'SIGKILL');
  // What nobody reaps stays in the process table, but holds no port.
  for (let waited = 0; waited < endTimeout && orphans.some(isAlive); waited += poll) await sleep(poll);
  return orphans.length;
}

/** Sends a signal to a process unless it has ended, also just now. */
export function signal(to: RecordedProcess, name: NodeJS.Signals): void {
  try {
    if (isAlive(to)) process.kill(to.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What a file that other processes write and delete holds; undefined when there is none, also when it vanishes meanwhile. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Throws CommandError when another supervisor holds the state folder. */
export function refuseSecond(stateDir: string): void {
  const other = readRunFile(stateDir);
  if (other === undefined || other.pid === process.pid) return;
  throw new CommandError(
    `a consortium already runs from this state folder (pid ${other.pid}); stop it with: npm run salus -- down`,
  );
}

/** Takes the state folder for this process. */
export function writeRunFile(stateDir: string, run: Omit<RunFile, 'pid' | 'startTime'>): void {
  refuseSecond(stateDir);
  const content: RunFile = { ...run, pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  // Other commands poll this file: they must find the old one or the new one, never half of it.
  const next = `${pathOf(stateDir)}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(content, undefined, 2)}\n`);
  renameSync(next, pathOf(stateDir));
}

/** Frees the state folder. */
export function removeRunFile(stateDir: string): void {
  rmSync(pathOf(stateDir), { force: true });
}

/** Start time of a process, or undefined when there is none of that pid. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Whether a process that was remembered runs, or is halted, and no other has its number by now. */
export function isAlive(process_: Pick<RecordedProcess, 'pid' | 'startTime'>): boolean {
  return startTimeOf(process_.pid) === process_.startTime;
}

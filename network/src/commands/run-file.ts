/** `.salus/run.json`: which supervisor holds a state folder. It is the lock that keeps two from sharing one. */
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
/**
 * Where the process that runs a native network's nodes says that it follows upgrades: a RecordedProcess. One of a release before that
 * is ended by the signal that tells of an upgrade.
 */
export const followerOf = (stateDir: string): string => join(stateDir, 'follower.json');
/** Every record of processes that others end. */
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

/**
 * Takes the state folder for this process, and ends what one that was killed left running. Of two that start at once one has it;
 * throws CommandError for the other, which has touched nothing in it then.
 */
export async function takeStateFolder(stateDir: string, engine: string): Promise<void> {
  mkdirSync(stateDir, { recursive: true });
  const left = takeRunFile(stateDir, engine);
  await endRecorded([...left, ...nodesOf(stateDir)]);
  for (const place of RECORDS) rmSync(place(stateDir), { force: true });
  writeRunFile(stateDir, { engine, ready: false, children: [] });
}

/**
 * Deletes what a state folder holds that this process has taken. What says so stays, with what others who would take it write beside it, and
 * the logs, which may be open.
 */
export function emptyStateFolder(stateDir: string): void {
  for (const entry of readdirSync(stateDir)) {
    if (entry !== 'log' && !entry.startsWith('run.json'))
      rmSync(join(stateDir, entry), { recursive: true, force: true });
  }
}

/** Makes `run.json` where there is none but a dead one's. Returns the children of that one, who stay in it until they are ended. */
function takeRunFile(stateDir: string, engine: string): readonly RecordedProcess[] {
  const [path, aside, next] = ['', `.left.${process.pid}`, `.${process.pid}`].map(
    (end) => `${pathOf(stateDir)}${end}`,
  ) as [string, string, string];
  let children: readonly RecordedProcess[] = [];
  for (;;) {
    refuseSecond(stateDir);
    writeFileSync(next, contentOf({ engine, ready: false, children }));
    try {
      // Fails where there is one, as renaming does not.
      linkSync(next, path);
      return children;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(next, { force: true });
    }
    children = [...children, ...movedAway(path, aside)];
  }
}

/** Moves a dead supervisor's file away, and returns whom it names; one of a supervisor that came first meanwhile is put back. */
function movedAway(path: string, aside: string): readonly RecordedProcess[] {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const moved = readJson(aside) as RunFile | undefined;
  if (moved !== undefined && isAlive(moved) && moved.pid !== process.pid) renameSync(aside, path);
  else rmSync(aside, { force: true });
  return moved?.children ?? [];
}

function contentOf(run: Omit<RunFile, 'pid' | 'startTime'>): string {
  const content: RunFile = { ...run, pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Throws CommandError when another supervisor holds the state folder. */
function refuseSecond(stateDir: string): void {
  const other = readRunFile(stateDir);
  if (other === undefined || other.pid === process.pid) return;
  throw new CommandError(
    `a consortium already runs from this state folder (pid ${other.pid}); stop it with: npm run salus -- down`,
  );
}

/** Takes the state folder for this process. */
export function writeRunFile(stateDir: string, run: Omit<RunFile, 'pid' | 'startTime'>): void {
  refuseSecond(stateDir);
  // Other commands poll this file: they must find the old one or the new one, never half of it.
  const next = `${pathOf(stateDir)}.${process.pid}`;
  writeFileSync(next, contentOf(run));
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

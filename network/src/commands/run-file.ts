/** `.salus/run.json`: which supervisor holds a state folder. It is the lock that keeps two from sharing one. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CommandError } from '../command.js';

export interface RunFile {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (field 22 of /proc/<pid>/stat): pids are used again. */
  readonly startTime: string;
  readonly engine: string;
  readonly ready: boolean;
  readonly children: readonly { readonly name: string; readonly pid: number; readonly startTime: string }[];
}

const pathOf = (stateDir: string): string => join(stateDir, 'run.json');

/** The supervisor that runs now, or undefined; a file left by one that died is removed. */
export function readRunFile(stateDir: string): RunFile | undefined {
  if (!existsSync(pathOf(stateDir))) return undefined;
  const found = JSON.parse(readFileSync(pathOf(stateDir), 'utf8')) as RunFile;
  return isAlive(found) ? found : undefined;
}

/** Ends what a supervisor that was killed left running: its children, recognised by pid and start time. */
export function endOrphans(stateDir: string): number {
  if (!existsSync(pathOf(stateDir)) || readRunFile(stateDir) !== undefined) return 0;
  const dead = JSON.parse(readFileSync(pathOf(stateDir), 'utf8')) as RunFile;
  const orphans = dead.children.filter(isAlive);
  for (const orphan of orphans) process.kill(orphan.pid, 'SIGKILL');
  rmSync(pathOf(stateDir));
  return orphans.length;
}

/** Takes the state folder for this process. */
export function writeRunFile(stateDir: string, run: Omit<RunFile, 'pid' | 'startTime'>): void {
  const other = readRunFile(stateDir);
  if (other !== undefined && other.pid !== process.pid) {
    throw new CommandError(
      `a consortium already runs from this state folder (pid ${other.pid}); stop it with: npm run salus -- down`,
    );
  }
  const content: RunFile = { ...run, pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  writeFileSync(pathOf(stateDir), `${JSON.stringify(content, undefined, 2)}\n`);
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

function isAlive(process_: { readonly pid: number; readonly startTime: string }): boolean {
  return startTimeOf(process_.pid) === process_.startTime;
}

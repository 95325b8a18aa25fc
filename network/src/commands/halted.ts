/** Has processes stand still while their files are copied: for one copy at a time, and none stays halted for good. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import { CommandError } from '../command.js';
import { writePublic } from '../identity/files.js';
import { isAlive, readJson, type RecordedProcess, runningProcesses, signal, startTimeOf } from './run-file.js';

/** What `halted.json` in the state folder says: who has whom stand still. */
interface Standstill {
  readonly pid: number;
  readonly startTime: string;
  readonly halted: readonly RecordedProcess[];
}

/** What is said while a backup holds the state folder. */
export const UNDER_WAY = 'a backup of this state folder is under way';
const POLL_MS = 50;
/** SQLite's code for a file that another process has locked. */
const SQLITE_BUSY = 5;

const recordOf = (stateDir: string): string => join(stateDir, 'halted.json');
const lockOf = (stateDir: string): string => join(stateDir, 'halted.lock');

/**
 * Halts what runs from a state folder, or a member's part of it, acts, and has it go on. Halted processes leave files as a
 * power failure at that moment would, and ledgers and databases come back from that. Being told to end meanwhile waits
 * until they run again. Throws a CommandError while another one does the same: who is done first would have the processes
 * go on under the other's copy.
 */
export function whileHalted<T>(stateDir: string, member: string | undefined, act: () => T): T {
  const free = lock(stateDir);
  if (free === undefined) throw new CommandError(`${UNDER_WAY}: repeat when it is done`);
  const later = (): void => undefined;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const each of signals) process.on(each, later);
  try {
    goOn(stateDir);
    const halted = runningProcesses(stateDir, member);
    const { pid } = process;
    writePublic(recordOf(stateDir), JSON.stringify({ pid, startTime: startTimeOf(pid) ?? '', halted }));
    for (const each of halted) signal(each, 'SIGSTOP');
    return act();
  } finally {
    goOn(stateDir);
    for (const each of signals) process.off(each, later);
    free();
  }
}

/** Has go on what a killed backup left halted; returns how many processes that were. */
export function resumeLeft(stateDir: string): number {
  if (!existsSync(recordOf(stateDir))) return 0;
  const free = lock(stateDir);
  if (free === undefined) return 0;
  try {
    return goOn(stateDir);
  } finally {
    free();
  }
}

/** Whether a backup holds the state folder. */
export function backupUnderWay(stateDir: string): boolean {
  const standstill = readJson(recordOf(stateDir)) as Standstill | undefined;
  return standstill !== undefined && isAlive(standstill);
}

/** Throws a CommandError while a backup holds the state folder. */
export function refuseDuringBackup(stateDir: string): void {
  if (backupUnderWay(stateDir)) throw new CommandError(`${UNDER_WAY}: repeat when it is done`);
}

/** Resolves once no backup holds the state folder, and what a killed one had left halted goes on. */
export async function standstillOver(stateDir: string): Promise<void> {
  while (backupUnderWay(stateDir)) await sleep(POLL_MS);
  resumeLeft(stateDir);
}

/** Whoever calls it has the lock. */
function goOn(stateDir: string): number {
  const standstill = readJson(recordOf(stateDir)) as Standstill | undefined;
  const halted = standstill?.halted.filter(isAlive) ?? [];
  for (const each of halted) signal(each, 'SIGCONT');
  rmSync(recordOf(stateDir), { force: true });
  return halted.length;
}

/** Returns how to free it; undefined while another process has it. The operating system frees it when its holder dies. */
function lock(stateDir: string): (() => void) | undefined {
  const file = new DatabaseSync(lockOf(stateDir));
  try {
    file.exec('BEGIN EXCLUSIVE');
    return () => {
      file.close();
    };
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

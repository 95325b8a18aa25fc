/** Child processes of a running consortium: started one by one, watched, stopped in reverse. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

import { CommandError } from '../command.js';

/** How long a child may take to say that it is ready, in milliseconds: more than a machine busy with other things needs. */
const readyTimeout = 180_000;
/** How long a child may take to stop before it is killed, in milliseconds. */
const stopTimeout = 10_000;

/** A process to start: a Node script, its arguments and environment, and where its output goes. */
export interface ChildPlan {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** A process that was started. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves once the process says that it is ready; rejects with a CommandError when it does not. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended, with what it ended by. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts a Node program, which says with a JSON line that it is ready; all it prints goes to its log file. */
export function startChild(plan: ChildPlan): Child {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  const log = createWriteStream(plan.logFile, { flags: 'a' });
  const process_ = spawn(process.execPath, [plan.script, ...plan.args], {
    env: { ...process.env, ...plan.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches the supervisor alone, which then stops the children in order.
    detached: true,
  });
  process_.stderr.pipe(log, { end: false });
  const ended = new Promise<string>((resolve) => {
    process_.once('exit', (code, signal) => {
      resolve(signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`);
    });
    process_.once('error', (error) => {
      resolve(error.message);
    });
  });
  const readyLine = new Promise<true>((resolve) => {
    createInterface({ input: process_.stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      if (isReadyLine(line)) resolve(true);
    });
  });
  const stop = (): Promise<void> => stopChild(process_, ended);
  const ready = becomeReady(plan, readyLine, ended);
  // Whoever awaits it hears of a failure; a supervisor that is stopping already does not.
  ready.catch(() => undefined);
  return { name: plan.name, pid: process_.pid ?? 0, ready, ended, stop };
}

async function becomeReady(plan: ChildPlan, ready: Promise<true>, ended: Promise<string>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`no ready line within ${readyTimeout / 1000} s`);
    }, readyTimeout);
  });
  const outcome = await Promise.race([ready, ended, timeout]);
  clearTimeout(timer);
  if (outcome === true) return;
  throw new CommandError(`${plan.name} did not start (${outcome}); its log says why: ${plan.logFile}`);
}

function isReadyLine(line: string): boolean {
  if (!line.startsWith('{')) return false;
  try {
    return (JSON.parse(line) as { ready?: unknown }).ready === true;
  } catch {
    return false;
  }
}

async function stopChild(process_: ChildProcess, ended: Promise<string>): Promise<void> {
  if (process_.exitCode !== null || process_.signalCode !== null) return;
  process_.kill('SIGTERM');
  const timer = setTimeout(() => process_.kill('SIGKILL'), stopTimeout);
  await ended;
  clearTimeout(timer);
}

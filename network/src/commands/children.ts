/** Child processes of a running consortium: started one by one, watched, stopped in reverse. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Interface, createInterface } from 'node:readline';

import { CommandError } from '../command.js';

/**
 * How long a child that is not ready yet may go without getting further, in milliseconds: more than a machine busy with
 * other things needs. One that says how far it is, as a gateway does that rebuilds its index, has as long as it takes.
 */
const READY_TIMEOUT_MS = 180_000;
/** How long a child may take to stop before it is killed, in milliseconds. */
const stopTimeout = 10_000;

/** A process to start: a Node script, its arguments and environment, and where its output goes. */
export interface ChildPlan {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Hears how far it is while it is not ready, and what befalls processes of its own. */
  readonly progress?: (line: string) => void;
  /** Other than READY_TIMEOUT_MS, for tests. */
  readonly readyTimeoutMs?: number;
}

/** A process that was started. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Resolves once the process says that it is ready; rejects with a CommandError when it does not. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended, with what it ended by. */
  readonly ended: Promise<string>;
  /** Resolves with a sentence when it says that it gives up: nobody need start it again. */
  readonly failed: Promise<string>;
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
  const lines = createInterface({ input: process_.stdout });
  lines.on('line', (line) => log.write(`${line}\n`));
  const failed = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const said = parsed(line);
      if (said?.notice !== undefined) plan.progress?.(said.notice);
      if (said?.failed !== undefined) resolve(said.failed);
    });
  });
  const stop = (): Promise<void> => stopChild(process_, ended);
  const ready = becomeReady(plan, lines, ended);
  // Whoever awaits it hears of a failure; a supervisor that is stopping already does not.
  ready.catch(() => undefined);
  return { name: plan.name, pid: process_.pid ?? 0, startedAt: Date.now(), ready, ended, failed, stop };
}

async function becomeReady(plan: ChildPlan, lines: Interface, ended: Promise<string>): Promise<void> {
  const over = new AbortController();
  const { name, logFile, progress, readyTimeoutMs = READY_TIMEOUT_MS } = plan;
  const spoken = new Promise<true | string>((resolve) => {
    const timer = setTimeout(() => {
      resolve(`neither ready nor further in ${readyTimeoutMs / 1000} s`);
    }, readyTimeoutMs);
    const heard = (line: string): void => {
      const said = parsed(line);
      if (said?.ready === undefined) return;
      timer.refresh();
      if (said.ready) resolve(true);
      else progress?.(`${name}: ${said.member} has ${said.height} of ${said.of} blocks`);
    };
    lines.on('line', heard);
    over.signal.addEventListener('abort', () => {
      lines.off('line', heard);
      clearTimeout(timer);
    });
  });
  const outcome = await Promise.race([spoken, ended]);
  over.abort();
  if (outcome === true) return;
  throw new CommandError(`${name} did not start (${outcome}); its log says why: ${logFile}`);
}

/**
 * What a child says on its standard output: that it is ready, or how many of the channel's blocks a member's index has; what
 * befell a process of its own; or that it gives up.
 */
interface Said {
  readonly notice?: string;
  readonly failed?: string;
  readonly ready?: boolean;
  readonly member?: string;
  readonly height?: number;
  readonly of?: number;
}

function parsed(line: string): Said | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Said;
  } catch {
    return undefined;
  }
}

async function stopChild(process_: ChildProcess, ended: Promise<string>): Promise<void> {
  if (process_.exitCode !== null || process_.signalCode !== null) return;
  process_.kill('SIGTERM');
  const timer = setTimeout(() => process_.kill('SIGKILL'), stopTimeout);
  await ended;
  clearTimeout(timer);
}

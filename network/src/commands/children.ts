/** Child processes of a running consortium: started one by one, watched, stopped in reverse. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

import { CommandError } from '../command.js';

/** How long a child may take to say that it is ready, in milliseconds. */
const readyTimeout = 60_000;
/** How long a child may take to stop before it is killed, in milliseconds. */
const stopTimeout = 10_000;

export interface ChildPlan {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, with what it ended by. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts a Node program and waits for its JSON ready line; everything it prints goes to its log file. */
export async function startChild(plan: ChildPlan): Promise<Child> {
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
  const child: Child = { name: plan.name, pid: process_.pid ?? 0, ended, stop: () => stopChild(process_, ended) };
  await becomeReady(process_, child, plan, (line) => log.write(`${line}\n`));
  return child;
}

async function becomeReady(
  process_: ChildProcess,
  child: Child,
  plan: ChildPlan,
  log: (line: string) => void,
): Promise<void> {
  if (process_.stdout === null) throw new Error('the child has no standard output');
  const lines = createInterface({ input: process_.stdout });
  const ready = new Promise<true>((resolve) => {
    lines.on('line', (line) => {
      log(line);
      if (isReadyLine(line)) resolve(true);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`no ready line within ${readyTimeout / 1000} s`);
    }, readyTimeout);
  });
  const outcome = await Promise.race([ready, child.ended, timeout]);
  clearTimeout(timer);
  if (outcome === true) return;
  await child.stop();
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

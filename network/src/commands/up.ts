import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Command, CommandError, type CommandInput } from '../command.js';
import { exportedState, isExported, readNetwork } from '../prepare.js';
import { startOptions } from './options.js';
import { readRunFile } from './run-file.js';
import { HOW_TO_STOP } from './start.js';
import { requireWritable } from './state-folder.js';
import { tokenToTry } from './token-to-try.js';

/** Told to whoever would begin anew. */
const RUNS = 'the consortium runs, and nothing of it was deleted; stop it first with: npm run salus -- down';
/** How long a start in the background may take, in milliseconds. */
const patience = 120_000;

/** `salus up`: returns once every gateway answers, or with exit code 1 and what the start said. */
export const up: Command = {
  name: 'up',
  summary: 'like start, in the background',
  options: startOptions,
  async run(input, io) {
    requireWritable(io.stateDir);
    if (readRunFile(io.stateDir)?.ready === true) {
      if (input.options['fresh'] === true) throw new CommandError(RUNS);
      io.out('already up');
      return 0;
    }
    const logDir = join(io.stateDir, 'log');
    mkdirSync(logDir, { recursive: true });
    const logFile = join(logDir, 'start.log');
    // A name of its own until it has the folder: another start may be on its way.
    const ownLog = join(logDir, `start.${process.pid}.log`);
    const supervisor = startSupervisor(input, ownLog);
    const failure = await readyOrFailure(supervisor, io.stateDir);
    const log = readFileSync(ownLog, 'utf8').trimEnd();
    const other = readRunFile(io.stateDir);
    const isOthers = other !== undefined && other.pid !== supervisor.pid;
    if (isOthers) rmSync(ownLog);
    else renameSync(ownLog, logFile);
    if (failure === undefined) {
      supervisor.unref();
      io.out(log.replace(HOW_TO_STOP, 'to stop it: npm run salus -- down; everything is kept for the next start'));
      // The log is kept, so the start that wrote it shows none.
      const own = isExported(io.stateDir) ? exportedState(io.stateDir) : readNetwork(io.stateDir);
      for (const line of await tokenToTry(own.topology, io)) io.out(line);
      return 0;
    }
    io.err(log);
    const kept = isOthers ? '' : ` and in ${logFile}`;
    throw new CommandError(`the consortium did not come up (${failure}); what it said is above${kept}`);
  },
};

function startSupervisor(input: CommandInput, logFile: string): ChildProcess {
  const args = [process.argv[1] ?? '', 'start'];
  if (input.options['fresh'] === true) args.push('--fresh');
  if (typeof input.options['engine'] === 'string') args.push('--engine', input.options['engine']);
  const log = openSync(logFile, 'w');
  return spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
}

/** Undefined once the supervisor is ready, else why it is not. */
async function readyOrFailure(supervisor: ChildProcess, stateDir: string): Promise<string | undefined> {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    await sleep(50);
    if (supervisor.signalCode !== null) return supervisor.signalCode;
    if (supervisor.exitCode !== null) return `exit code ${supervisor.exitCode}`;
    const running = readRunFile(stateDir);
    if (running !== undefined && running.pid === supervisor.pid && running.ready) return undefined;
  }
  return `not ready after ${patience / 1000} s`;
}

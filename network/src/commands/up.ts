import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, truncateSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Command, CommandError } from '../command.js';
import { startOptions } from './options.js';
import { readRunFile } from './run-file.js';

/** How long a start in the background may take, in milliseconds. */
const patience = 120_000;

export const up: Command = {
  name: 'up',
  summary: 'like start, in the background',
  options: startOptions,
  async run(input, io) {
    if (readRunFile(io.stateDir)?.ready === true) {
      io.out('already up');
      return 0;
    }
    const logDir = join(io.stateDir, 'log');
    mkdirSync(logDir, { recursive: true });
    const logFile = join(logDir, 'start.log');
    if (existsSync(logFile)) truncateSync(logFile);
    const log = openSync(logFile, 'a');
    const args = [process.argv[1] ?? '', 'start'];
    if (input.options['fresh'] === true) args.push('--fresh');
    if (typeof input.options['engine'] === 'string') args.push('--engine', input.options['engine']);
    const supervisor = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
    const ended = { by: undefined as string | undefined };
    supervisor.once('exit', (code, signal) => {
      ended.by = signal ?? `exit code ${code ?? 0}`;
    });
    for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
      if (ended.by !== undefined) break;
      const running = readRunFile(io.stateDir);
      if (running?.pid === supervisor.pid && running?.ready === true) {
        supervisor.unref();
        io.out(readFileSync(logFile, 'utf8').trimEnd());
        return 0;
      }
    }
    io.err(readFileSync(logFile, 'utf8').trimEnd());
    throw new CommandError(`the consortium did not come up (${ended.by ?? 'too slow'}); logs: ${logDir}`);
  },
};

import { setTimeout as sleep } from 'node:timers/promises';

import { type Command, CommandError } from '../command.js';
import { backupUnderWay, UNDER_WAY } from './halted.js';
import { endOrphans, readRunFile } from './run-file.js';

/** How long a running consortium may take to stop, in milliseconds. */
const patience = 40_000;

/** `salus down`: also ends what a killed supervisor left behind. */
export const down: Command = {
  name: 'down',
  summary: 'stop the running consortium; its state stays',
  async run(_input, io) {
    const orphans = await endOrphans(io.stateDir);
    if (orphans > 0) io.out(`ended ${orphans} processes that a killed supervisor had left`);
    const running = readRunFile(io.stateDir);
    if (running === undefined) {
      io.out('nothing runs from this state folder');
      return 0;
    }
    if (backupUnderWay(io.stateDir)) io.out(`${UNDER_WAY}: what runs is stopped once it is done`);
    process.kill(running.pid, 'SIGTERM');
    let end = Date.now() + patience;
    while (Date.now() < end) {
      await sleep(50);
      // The supervisor waits for it, and so do we.
      if (backupUnderWay(io.stateDir)) end = Date.now() + patience;
      if (readRunFile(io.stateDir) === undefined) {
        io.out('stopped');
        return 0;
      }
    }
    throw new CommandError(`pid ${running.pid} has not stopped after ${patience / 1000} s; see ${io.stateDir}/log`);
  },
};

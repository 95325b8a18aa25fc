import { type Command, CommandError } from '../command.js';
import { readEndpoints } from '../endpoints.js';
import { endOrphans, readRunFile, type RecordedProcess, runningProcesses } from './run-file.js';
import { requireWritable } from './state-folder.js';

/** `salus backup <folder>`; exit code 1 when the folder holds something already. */
export const backup: Command = {
  name: 'backup',
  summary: 'copy what a member needs to come back, or everything; what runs stands still meanwhile and goes on',
  arguments: [{ name: 'folder', summary: 'where to write it', required: true }],
  options: [{ flags: '--member <name>', summary: 'which member (on Fabric); without it, everything' }],
  async run({ args: [folder = ''], options }, io) {
    const member = options['member'] === undefined ? undefined : String(options['member']);
    requireOwnLedger(io.stateDir, member);
    const { backUp } = await import('../backup.js');
    const began = Date.now();
    whileHalted(runningProcesses(io.stateDir, member), () => {
      backUp(io.stateDir, folder, member);
    });
    io.out(
      `wrote ${folder} in ${((Date.now() - began) / 1000).toFixed(1)} s; it holds keys: keep it as you keep those`,
    );
    return 0;
  },
};

/** `salus restore <folder>`; never writes over a state that is there. */
export const restore: Command = {
  name: 'restore',
  summary: 'put a backup back where its place is empty; the next start goes on from it',
  arguments: [{ name: 'folder', summary: 'the backup', required: true }],
  async run({ args: [folder = ''] }, io) {
    if (readRunFile(io.stateDir) !== undefined) {
      throw new CommandError('the consortium runs; stop it first with: npm run salus -- down');
    }
    requireWritable(io.stateDir);
    await endOrphans(io.stateDir);
    const { restore: putBack } = await import('../backup.js');
    const { member = 'everything', takenAt } = putBack(io.stateDir, folder);
    io.out(`restored ${member} as of ${takenAt}; start it with: npm start`);
    return 0;
  },
};

/** The embedded ledger is one for all members: nobody's part of it can come back alone. */
function requireOwnLedger(stateDir: string, member: string | undefined): void {
  const engine = readEndpoints(stateDir)?.engine;
  if (engine === undefined) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  if (engine === 'embedded' && member !== undefined) {
    throw new CommandError('on the embedded ledger all members share one ledger: back up everything, without --member');
  }
}

/**
 * Halted processes leave files as a power failure at that moment would, and ledgers and databases come back from that.
 * Being told to end meanwhile waits until they run again.
 */
function whileHalted(processes: readonly RecordedProcess[], act: () => void): void {
  const later = (): void => undefined;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, later);
  try {
    for (const { pid } of processes) process.kill(pid, 'SIGSTOP');
    act();
  } finally {
    for (const { pid } of processes) process.kill(pid, 'SIGCONT');
    for (const signal of signals) process.off(signal, later);
  }
}

import type { BackupPart } from '../backup.js';
import { type Command, CommandError, type CommandInput, type CommandIo } from '../command.js';
import { keepsInVolumes, ownComposeCommand } from '../compose/containers.js';
import { readEndpoints } from '../endpoints.js';
import { busyPorts } from './free-ports.js';
import { refuseDuringBackup, whileHalted } from './halted.js';
import { lostLogNotice } from '../lost-log.js';
import { exportedState, readNetwork } from '../prepare.js';
import { endOrphans, readRunFile } from './run-file.js';
import { requireWritable } from './state-folder.js';

/** `salus backup <folder>`; exit code 1 when the folder holds something already. */
export const backup: Command = {
  name: 'backup',
  summary: 'copy what a member needs to come back, or everything; what runs stands still meanwhile and goes on',
  arguments: [{ name: 'folder', summary: 'where to write it', required: true }],
  options: [
    { flags: '--member <name>', summary: 'which member (its ledger on Fabric alone); without it, everything' },
    { flags: '--keys', summary: 'the key stores alone, in a folder of their own below this one' },
    { flags: '--keep <count>', summary: 'with --keys: delete all but the newest so many there, of the same members' },
    { flags: '--without-keys', summary: 'all but the key stores' },
  ],
  async run({ args: [folder = ''], options }, io) {
    const member = options['member'] === undefined ? undefined : String(options['member']);
    const part = partOf(options);
    const keep = options['keep'] === undefined ? undefined : countOf(options['keep'], part);
    requireOwnLedger(io.stateDir, part === 'keys' ? undefined : member);
    await requireStoppedContainers(io.stateDir);
    const { backUp, backUpKeys, keepNewest } = await import('../backup.js');
    const began = Date.now();
    const target = whileHalted(io.stateDir, member, () => {
      if (part === 'keys') return backUpKeys(io.stateDir, folder, member);
      backUp(io.stateDir, folder, member, part);
      return folder;
    });
    const secret =
      part === 'without-keys'
        ? 'it holds no content and no key of any, but identities, and who read whose record: keep it as you keep those'
        : 'it holds keys: keep it as you keep those';
    io.out(`wrote ${target} in ${((Date.now() - began) / 1000).toFixed(1)} s; ${secret}`);
    if (keep !== undefined) io.out(`deleted ${keepNewest(io.stateDir, folder, keep, member)} older ones`);
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
    refuseDuringBackup(io.stateDir);
    await requireStoppedContainers(io.stateDir);
    requireWritable(io.stateDir);
    await endOrphans(io.stateDir);
    const { restore: putBack } = await import('../backup.js');
    const { member = 'everything', part, takenAt } = putBack(io.stateDir, folder);
    const what = part === 'keys' ? 'the keys of ' : '';
    const next = part === 'without-keys' ? 'restore the keys, too' : 'start it with: npm start';
    io.out(`restored ${what}${member} as of ${takenAt}; ${next}`);
    if (part !== 'keys') tellOfLostLogs(io);
    return 0;
  },
};

function tellOfLostLogs(io: CommandIo): void {
  for (const { name } of readNetwork(io.stateDir).topology.members) {
    const notice = lostLogNotice(io.stateDir, name);
    if (notice !== undefined) io.out(notice);
  }
}

function partOf({ keys, withoutKeys }: CommandInput['options']): BackupPart {
  if (keys === true && withoutKeys === true) throw new CommandError('--keys and --without-keys exclude each other', 2);
  if (keys === true) return 'keys';
  return withoutKeys === true ? 'without-keys' : 'all';
}

function countOf(given: unknown, part: BackupPart): number {
  const count = Number(given);
  if (part === 'keys' && Number.isSafeInteger(count) && count > 0) return count;
  throw new CommandError('--keep takes how many, at least 1, and goes with --keys', 2);
}

/** Containers write to a member's own folder, too; they cannot be halted from here, so they must not run. */
async function requireStoppedContainers(stateDir: string): Promise<void> {
  const compose = ownComposeCommand(stateDir);
  if (compose === undefined || readRunFile(stateDir) !== undefined) return;
  const busy = await busyPorts(exportedState(stateDir).topology, 'fabric');
  if (busy === undefined) return;
  throw new CommandError(
    `containers run from this folder: ${busy}. Stop them with: ${compose} stop; repeat this; then: ${compose} up --detach`,
  );
}

/** The embedded ledger is one for all members: nobody's part of it can come back alone. */
function requireOwnLedger(stateDir: string, member: string | undefined): void {
  if (keepsInVolumes(stateDir)) {
    throw new CommandError(
      `what the containers of ${stateDir} keep lies in Docker's volumes, not in this folder: stop them and copy the volumes ` +
        'beside it (docs/containers.md says how)',
    );
  }
  const engine = readEndpoints(stateDir)?.engine;
  if (engine === undefined) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  if (engine === 'embedded' && member !== undefined) {
    throw new CommandError('on the embedded ledger all members share one ledger: back up everything, without --member');
  }
}

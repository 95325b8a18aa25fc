import { rmSync } from 'node:fs';

import { type Command, CommandError } from '../command.js';
import { refuseDuringBackup } from './halted.js';
import { emptyStateFolder, readRunFile, takeStateFolder } from './run-file.js';

/** `salus reset`: asks first unless told `--yes`; refuses while the consortium runs. */
export const reset: Command = {
  name: 'reset',
  summary: 'delete the state folder: keys, ledger and all records',
  options: [{ flags: '--yes', summary: 'do it without asking' }],
  async run(input, io) {
    if (readRunFile(io.stateDir) !== undefined) {
      throw new CommandError('the consortium runs; stop it first with: npm run salus -- down');
    }
    if (input.options['yes'] !== true) {
      throw new CommandError(`this deletes ${io.stateDir} for good; say so with: npm run salus -- reset --yes`, 2);
    }
    refuseDuringBackup(io.stateDir);
    // Whoever starts meanwhile is told that somebody has the folder, until there is nothing in it to lose.
    await takeStateFolder(io.stateDir, 'none');
    emptyStateFolder(io.stateDir);
    rmSync(io.stateDir, { recursive: true, force: true });
    io.out(`deleted ${io.stateDir}`);
    return 0;
  },
};

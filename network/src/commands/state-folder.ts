import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { CommandError } from '../command.js';

/** Throws a CommandError unless files can be made in the state folder, or it in the nearest folder above that exists. */
export function requireWritable(stateDir: string): void {
  let nearest = stateDir;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    // Tried out: permissions alone do not tell of a file system that is read only, full, or no place for files.
    rmSync(mkdtempSync(join(nearest, '.salus-')), { recursive: true, force: true });
  } catch (error) {
    throw new CommandError(
      `the state folder ${stateDir} cannot be used: nothing can be written to ${nearest} ` +
        `(${(error as NodeJS.ErrnoException).code ?? String(error)}). Name a folder of your own in SALUS_STATE`,
    );
  }
}

/** The `salus` command as users run it: a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from './shared.js';

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `salus` with arguments against a state folder (and topology, when given); resolves with what it printed. */
export function salus(stateDir: string, args: readonly string[], topology?: string): Promise<CommandResult> {
  const cli = join(projectRoot, 'network', 'dist', 'cli.js');
  const env = {
    ...process.env,
    SALUS_STATE: stateDir,
    ...(topology === undefined ? {} : { SALUS_TOPOLOGY: topology }),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

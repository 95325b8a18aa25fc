/** The `salus` command as users run it: a process of its own. */
import { type ChildProcess, execFile } from 'node:child_process';
import { join } from 'node:path';

import { projectRoot } from './shared.js';

/** What may differ of a command from that of this release. */
export interface SalusOptions {
  readonly release?: string;
  readonly started?: (child: ChildProcess) => void;
}

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs `salus` with arguments against a state folder (and topology, when given); resolves with what it printed. `release` is the folder
 * of another release than this one's; `started` is given the process.
 */
export function salus(
  stateDir: string,
  args: readonly string[],
  topology?: string,
  { release = projectRoot, started = () => undefined }: SalusOptions = {},
): Promise<CommandResult> {
  const cli = join(release, 'network', 'dist', 'cli.js');
  const env = {
    ...process.env,
    SALUS_STATE: stateDir,
    ...(topology === undefined ? {} : { SALUS_TOPOLOGY: topology }),
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
    started(child);
  });
}

/** What the verbs share that check a file against the blocks of a peer of one's own. */
import { existsSync, readFileSync } from 'node:fs';

import { type Command, type CommandIo, CommandError } from '@salus/network/command';

/** Their one option. */
export const BLOCKS_OF: NonNullable<Command['options']> = [
  { flags: '--member <name>', summary: 'whose peer delivers the blocks', default: 'authority' },
];

/** The text of the file that is checked. Throws CommandError where there is none. */
export function textOf(file = ''): string {
  if (!existsSync(file)) throw new CommandError(`there is no file ${file}`, 2);
  return readFileSync(file, 'utf8');
}

/** Prints a sentence for each finding, or what holds; the exit code, 1 where there are findings. */
export function verdict(io: CommandIo, findings: readonly string[], holds: string): number {
  for (const finding of findings) io.err(finding);
  io.out(findings.length === 0 ? holds : 'not verified');
  return findings.length === 0 ? 0 : 1;
}

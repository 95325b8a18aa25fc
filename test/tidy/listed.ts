import { execFileSync } from 'node:child_process';

import { projectRoot } from '../support/shared.js';

/** The project's files, committed or not yet, that match any of git's patterns; all without a pattern. */
export function listed(...patterns: string[]): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns];
  return execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '');
}

/** The sources of the three packages. */
export const sources = (): string[] => listed('chaincode/src/*.ts', 'gateway/src/*.ts', 'network/src/*.ts');

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const projectRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Path of shared input beside the project, or undefined where a clone lacks it. */
export function sharedPath(path: string): string | undefined {
  const full = join(projectRoot, '..', 'shared', path);
  return existsSync(full) ? full : undefined;
}

/** Path of shared input; without it the running test shows as pending with the reason. */
export function sharedOrPending(test: Mocha.Context, path: string): string {
  const found = sharedPath(path);
  if (found !== undefined) return found;
  const title = test.test ?? test.currentTest;
  if (title !== undefined) title.title += ` (pending: ../shared/${path} is not on this machine)`;
  return test.skip();
}

/** What code this is: a digest by which members see whether they run the same. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Folder of the chaincode package: `dist` and the lockfile lie in it. */
export const codeRoot = join(__dirname, '..', '..');
/** In a package's label, behind name and version: the digest of the code that it is for. */
const LABEL = /-([0-9a-f]{64}):/;

/**
 * SHA-256, lower-case hex, over the built JavaScript (every file below `dist`, by path) and the lockfile that pins what it
 * runs on. Built from the same sources with the same compiler it is the same on every machine.
 */
export function digestOf(root: string): string {
  const files = [...scriptsOf(root), join(root, 'package-lock.json')];
  const named = files.map((file) => ({ file, name: relative(root, file).split(sep).join('/') }));
  const whole = createHash('sha256');
  for (const { file, name } of named.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    whole.update(`${name} ${createHash('sha256').update(readFileSync(file)).digest('hex')}\n`);
  }
  return whole.digest('hex');
}

/** The built JavaScript of the package in this folder. */
export function scriptsOf(root: string): string[] {
  return readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** The digest of the code on this disk. Throws unless a package id (`<name>_<version>-<digest>:<hash>`) is of it. */
export function checkedCode(packageId: string): string {
  const [, named] = LABEL.exec(packageId) ?? [];
  const own = digestOf(codeRoot);
  if (named === own) return own;
  throw new Error(
    `the package ${packageId} is for ${named === undefined ? 'code that it does not name' : 'other code'}; the code here ` +
      `is ${own}. Build it (npm run build) and start again, so that its own package is installed and approved`,
  );
}

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const PUBLIC = 0o644;
const READ_BY_OTHERS = 0o044;

/** Writes a file that anybody on the machine may read: whole or not at all. Unchanged content is left alone. */
export function writePublic(file: string, content: string | Uint8Array): void {
  if (existsSync(file) && Buffer.from(content).equals(readFileSync(file))) return;
  replace(file, content, PUBLIC);
}

/** Writes a file that its owner alone may read: whole or not at all. */
export function writeSecret(file: string, content: string | Uint8Array): void {
  replace(file, content, OWNER_ONLY);
}

/** Writes what takes the place of a file, for whoever could read that. */
export function rewrite(file: string, content: string): void {
  const isSecret = (statSync(file).mode & READ_BY_OTHERS) === 0;
  if (isSecret) writeSecret(file, content);
  else writePublic(file, content);
}

function replace(file: string, content: string | Uint8Array, mode: number): void {
  mkdirSync(dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER });
  const draft = `${file}.new`;
  writeFileSync(draft, content, { mode });
  renameSync(draft, file);
}

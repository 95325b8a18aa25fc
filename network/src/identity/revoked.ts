/** What an organisation has revoked, as it keeps it beside its authority. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePublic } from './files.js';
import { type KeyFiles, layout } from './layout.js';

/** Where certificate and key of an identity lie while its successor has taken its place and it is yet to be revoked. */
export function pendingFiles(dir: string, identity: string): KeyFiles {
  const folder = layout.revoking(dir);
  return { cert: join(folder, `${identity}.pem`), key: join(folder, `${identity}.key`) };
}

/** The revocation lists (PEM) in force of an organisation, by its folder. */
export function revocationLists(dir: string): string[] {
  const folder = layout.revocationLists(dir);
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')) : [];
}

/** Writes revocation lists (PEM) into a folder, one a file. */
export function writeLists(folder: string, lists: readonly string[]): void {
  for (const [index, list] of lists.entries()) writePublic(join(folder, `${index}.pem`), list);
}

/**
 * The files beside the ledger, in a folder of the member's that its gateways share, and in keys.db whose they are: each
 * row names a file, the version key (by its salt) that it lies under, and the request that it is kept for.
 */
import { hash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { Refusal } from '../ledger/refusal.js';
import type { ContentFile } from './beside.js';
import { inLazyTransaction } from './database.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS content_files (
  salt BLOB NOT NULL, name TEXT NOT NULL, gateway TEXT NOT NULL, request TEXT NOT NULL, kept INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (salt, name)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS content_files_unsettled ON content_files (gateway, kept) WHERE settled = 0;
CREATE INDEX IF NOT EXISTS content_files_by_name ON content_files (name);
`;

/** A file, and the salt of the version whose key it lies under. */
export interface KeptFile extends ContentFile {
  readonly salt: Uint8Array;
}

/** For whom files are kept: by which gateway, and the outbox's key of the request. */
export interface FileOwner {
  readonly gateway: string;
  readonly request: string;
}

/** A version whose files were kept and which nobody saw on the ledger yet. */
export interface UnsettledFiles {
  readonly salt: Uint8Array;
  readonly ledgerKey: string;
  readonly request: string;
  readonly names: readonly string[];
}

/** Files by the hash of their bytes. */
export class ContentFiles {
  readonly #folder: string;
  readonly #sql: Record<keyof typeof SQL, StatementSync>;
  /** Files that no row names: since when, ms since 1970, that is known. */
  #unnamed: ReadonlyMap<string, number> = new Map();

  constructor(
    dataDir: string,
    private readonly database: DatabaseSync,
    private readonly durable: () => Promise<void>,
  ) {
    this.#folder = join(dataDir, 'content');
    database.exec(SCHEMA);
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#sql = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  /**
   * Keeps files whose version keys are kept already; on the disk on return, their rows before them: no file is there that
   * no row names. Throws Refusal not-kept where the disk does not take them, not-found where a key was destroyed meanwhile.
   */
  async keep(files: readonly KeptFile[], { gateway, request }: FileOwner): Promise<void> {
    inLazyTransaction(this.database, () => {
      for (const { salt, name } of files) this.#sql.insert.run(salt, name, gateway, request, Date.now());
    });
    try {
      await this.durable();
      for (const file of files) await this.#write(file);
    } catch (error) {
      throw new Refusal('unavailable', 'not-kept', NOT_KEPT, { cause: error });
    }
    // An erasure deletes what was there when it destroyed the keys: not what came behind it.
    this.requireKeys(files);
  }

  /** Throws Refusal not-found where the key of one of these was destroyed. */
  requireKeys(files: readonly Pick<KeptFile, 'salt'>[]): void {
    if (files.every(({ salt }) => this.#sql.hasKey.get(salt) !== undefined)) return;
    throw new Refusal('not-found', 'not-found', 'no such patient is known here');
  }

  /** The bytes of a file; undefined where it is not there, cannot be read, or is not what it is named by. */
  read(name: string): Uint8Array | undefined {
    try {
      const bytes = readFileSync(this.#file(name));
      return hash('sha256', bytes, 'hex') === name ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  isThere(name: string): boolean {
    return existsSync(this.#file(name));
  }

  /** Deletes the files of versions that never came to be, or never will; what cannot be deleted now stays for `dropKeyless`. */
  drop(salts: readonly Uint8Array[]): void {
    for (const salt of salts) {
      const names = this.#sql.ofSalt.all(salt).map(({ name }) => name as string);
      if (names.length === 0) continue;
      try {
        this.#delete(names);
        this.#sql.forget.run(salt);
      } catch {
        continue;
      }
    }
  }

  /**
   * Deletes the files whose version keys are destroyed; throws where one cannot be. Their rows stay until `before` (ms since 1970): a gateway that was
   * just writing one may yet be killed before it looks whether it may.
   */
  dropKeyless(before = 0): void {
    const rows = this.#sql.keyless.all() as unknown as { salt: Uint8Array; name: string; kept: number }[];
    this.#delete(rows.map(({ name }) => name));
    for (const { salt, kept } of rows) if (kept < before) this.#sql.forget.run(salt);
  }

  /**
   * Deletes files that no row names, such as an older backup brings back, and that were seen so before an instant (ms since
   * 1970) and ever since: whoever began with the wrong keys.db has until then to see it.
   */
  async dropUnnamed(before: number, now: number): Promise<void> {
    const unnamed = new Map<string, number>();
    for await (const path of this.#paths()) {
      if (this.#sql.isNamed.get(nameOf(path)) !== undefined) continue;
      const since = this.#unnamed.get(path) ?? now;
      if (since < before) await rm(join(this.#folder, path), { force: true });
      else unnamed.set(path, since);
    }
    this.#unnamed = unnamed;
  }

  /** What a gateway kept files for before an instant (ms since 1970) and was not seen on the ledger. */
  unsettled(gateway: string, before: number): UnsettledFiles[] {
    const rows = this.#sql.unsettled.all(gateway, before) as unknown as UnsettledRow[];
    return rows.map(({ salt, ledger_key, request }) => {
      const names = this.#sql.ofSalt.all(salt).map(({ name }) => name as string);
      return { salt, ledgerKey: ledger_key, request, names };
    });
  }

  /** The version was seen on the ledger: its files stay for as long as its key does. */
  settle(salt: Uint8Array): void {
    this.#sql.settle.run(salt);
  }

  /** Of all files, from the folder; none where there is no folder yet. */
  async *#paths(): AsyncGenerator<string> {
    if (!existsSync(this.#folder)) return;
    for (const folder of await readdir(this.#folder, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      for (const name of await readdir(join(this.#folder, folder.name))) yield join(folder.name, name);
    }
  }

  async #write({ name, bytes }: ContentFile): Promise<void> {
    const file = this.#file(name);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(draftOf(file), 'w', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draftOf(file), file);
    // The folders, too, were they made by another writer: it may not have come to this yet.
    for (const folder of [dirname(file), this.#folder, dirname(this.#folder)]) await syncFolder(folder);
  }

  #delete(names: readonly string[]): void {
    for (const name of names) {
      for (const each of [this.#file(name), draftOf(this.#file(name))]) rmSync(each, { force: true });
    }
  }

  #file(name: string): string {
    return join(this.#folder, name.slice(0, 2), name);
  }
}

const NOT_KEPT = 'the disk does not take the content: nothing was written; ask again';

const SQL = {
  insert: 'INSERT INTO content_files (salt, name, gateway, request, kept) VALUES (?, ?, ?, ?, ?)',
  hasKey: 'SELECT 1 FROM version_keys WHERE salt = ?',
  isNamed: 'SELECT 1 FROM content_files WHERE name = ?',
  ofSalt: 'SELECT name FROM content_files WHERE salt = ?',
  forget: 'DELETE FROM content_files WHERE salt = ?',
  settle: 'UPDATE content_files SET settled = 1 WHERE salt = ?',
  keyless: `SELECT f.salt, f.name, f.kept FROM content_files f LEFT JOIN version_keys k ON k.salt = f.salt
    WHERE k.salt IS NULL`,
  unsettled: `SELECT DISTINCT f.salt, f.request, k.ledger_key FROM content_files f JOIN version_keys k ON k.salt = f.salt
    WHERE f.settled = 0 AND f.gateway = ? AND f.kept < ?`,
} as const;

interface UnsettledRow {
  readonly salt: Uint8Array;
  readonly ledger_key: string;
  readonly request: string;
}

const DRAFT = '.part';

/** A file while it is written: until it is whole it has another name. */
function draftOf(file: string): string {
  return `${file}${DRAFT}`;
}

/** What a row would name it by, whole or not. */
function nameOf(path: string): string {
  return basename(path, DRAFT);
}

/** What was renamed in a folder is on the disk (fsync(2)). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens a database file for writing: write-ahead log, deleted bytes overwritten. Makes it and its folder if absent. What
 * is written survives the death of the process; what must survive loss of power is written `durably`.
 */
export function openForWriting(file: string, schema: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file);
  // The log is copied into the file every 32 MiB: sooner, a load would wait for the disk twice as often.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 8192; PRAGMA synchronous = NORMAL');
  // Room for the pages that a large block changes: without it each is written and read again before the commit.
  db.exec('PRAGMA secure_delete = ON; PRAGMA cache_size = -16000');
  db.exec(schema);
  return db;
}

/** Runs a step as one transaction: all of it or nothing. */
export function atomically<T>(db: DatabaseSync, step: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = step();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** Like `atomically`, and on return everything written so far is on the disk. */
export function durably<T>(db: DatabaseSync, step: () => T): T {
  db.exec('PRAGMA synchronous = FULL');
  try {
    return atomically(db, step);
  } finally {
    db.exec('PRAGMA synchronous = NORMAL');
  }
}

/** A BLOB column as a Buffer, without copying. */
export function blob(value: unknown): Buffer {
  const bytes = value as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A BLOB column that may be NULL. */
export function optionalBlob(value: unknown): Buffer | undefined {
  return value === null || value === undefined ? undefined : blob(value);
}

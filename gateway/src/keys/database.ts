/** Opens the gateway's SQLite files alike: write-ahead log, readable by their owner only. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Milliseconds to wait for another gateway of the member that is writing. */
const BUSY_MS = 5_000;

/** Opens or makes a database. Its commits are on disk (fsync) when they return. */
export function openDatabase(file: string, schema: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  chmodSync(file, 0o600);
  // The log is copied into the file every 32 MiB: sooner, a load would wait for the disk twice as often.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 8192; PRAGMA synchronous = FULL');
  database.exec('PRAGMA foreign_keys = ON');
  // What is deleted is overwritten: a key once destroyed is on no free page.
  database.exec('PRAGMA secure_delete = ON');
  database.exec(schema);
  return database;
}

/** Empties the write-ahead log into the file. Throws when a reader keeps it from doing so. */
export function truncateLog(database: DatabaseSync): void {
  const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  if (busy !== 0) throw new Error('the write-ahead log is in use: try again');
}

/** SQLITE_FULL and SQLITE_IOERR (https://www.sqlite.org/rescode.html): the disk takes nothing more, for now perhaps. */
const DISK_FAILURES: ReadonlySet<number> = new Set([13, 10]);

/** Whether SQLite or a wait for the disk failed because of the disk: the same may succeed once there is room again. */
export function isDiskFailure(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  // The primary code is the low byte.
  if (errcode !== undefined) return DISK_FAILURES.has(errcode & 0xff);
  return (error as NodeJS.ErrnoException).syscall === 'fdatasync';
}

/** Runs `work` in one transaction, the one under way if there is one; an error undoes it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  if (isInTransaction(database)) return work();
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (isInTransaction(database)) database.exec('ROLLBACK');
    throw error;
  }
}

function isInTransaction(database: DatabaseSync): boolean {
  return database.isTransaction;
}

/** Runs `work` in one transaction that a power failure may undo, until the log was brought to the disk. */
export function inLazyTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('PRAGMA synchronous = NORMAL');
  try {
    return inTransaction(database, work);
  } finally {
    database.exec('PRAGMA synchronous = FULL');
  }
}

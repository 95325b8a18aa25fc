/** The tables of a gateway's projection. Everything in them can be derived from the ledger again. */
import type { DatabaseSync } from 'node:sqlite';

import { definePhrases } from './search/words.js';

/**
 * `resource` numbers resources in the order of their first version (rid), `version` holds every text; `term` is a
 * dictionary of indexed values, `posting` says which resources have them; `span`, `amount` and `pair` are ranges,
 * `word` says where in a resource each word stands and `worded` which words it has.
 * Posting tables come second by rid, so that an update or a purge finds all rows of a resource. `awaited` has the values
 * that blocks came without, `said` where each fact was said last while there are any, `fault` what cannot be read or indexed.
 * `posted` has the search parameters that SearchParameters ask for, `deriving` for which of them rows are still made or taken away.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS checkpoint (
  one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash TEXT NOT NULL, form TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS resource (
  rid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, vid INTEGER NOT NULL, version INTEGER NOT NULL,
  deleted INTEGER NOT NULL, updated INTEGER NOT NULL, patient TEXT, UNIQUE (type, id)
) STRICT;
CREATE INDEX IF NOT EXISTS resource_by_type ON resource (type, deleted, rid);
CREATE INDEX IF NOT EXISTS resource_by_update ON resource (type, deleted, updated, rid);
CREATE INDEX IF NOT EXISTS resource_by_patient ON resource (patient, type, deleted, rid) WHERE patient IS NOT NULL;
CREATE TABLE IF NOT EXISTS version (
  vid INTEGER PRIMARY KEY AUTOINCREMENT, rid INTEGER NOT NULL, version INTEGER NOT NULL, updated TEXT NOT NULL,
  deleted INTEGER NOT NULL, text TEXT NOT NULL, tx_id TEXT NOT NULL, block INTEGER NOT NULL, ledger_key TEXT NOT NULL,
  patient TEXT, author TEXT, beside INTEGER NOT NULL DEFAULT 0, UNIQUE (rid, version)
) STRICT;
CREATE INDEX IF NOT EXISTS version_by_key ON version (ledger_key);
CREATE TABLE IF NOT EXISTS term (
  tid INTEGER PRIMARY KEY, parameter INTEGER NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, t TEXT NOT NULL,
  UNIQUE (parameter, a, b, t)
) STRICT;
CREATE INDEX IF NOT EXISTS term_by_b ON term (parameter, b) WHERE b <> '';
CREATE INDEX IF NOT EXISTS term_by_text ON term (parameter, t) WHERE t <> '';
CREATE TABLE IF NOT EXISTS posting (
  tid INTEGER NOT NULL, rid INTEGER NOT NULL, parameter INTEGER NOT NULL, PRIMARY KEY (tid, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS posting_by_resource ON posting (rid, parameter);
CREATE TABLE IF NOT EXISTS span (
  parameter INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS span_by_end ON span (parameter, high);
CREATE INDEX IF NOT EXISTS span_by_resource ON span (rid, parameter);
CREATE TABLE IF NOT EXISTS amount (
  parameter INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, unit INTEGER NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY (parameter, low, high, unit, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS amount_by_end ON amount (parameter, high);
CREATE INDEX IF NOT EXISTS amount_by_resource ON amount (rid, parameter);
CREATE TABLE IF NOT EXISTS pair (
  left INTEGER NOT NULL, right INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL, rid INTEGER NOT NULL,
  parameter INTEGER NOT NULL, PRIMARY KEY (left, right, low, high, rid)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pair_by_resource ON pair (rid, parameter);
CREATE TABLE IF NOT EXISTS word (
  tid INTEGER NOT NULL, rid INTEGER NOT NULL, narrative INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (tid, rid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS worded (rid INTEGER PRIMARY KEY, tids TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS fact (
  space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS awaited (
  block INTEGER NOT NULL, tx INTEGER NOT NULL, collection TEXT NOT NULL, key_hash TEXT NOT NULL, hash TEXT NOT NULL,
  PRIMARY KEY (block, tx, collection, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS awaited_by_key ON awaited (collection, key_hash);
CREATE TABLE IF NOT EXISTS fault (
  ledger_key TEXT PRIMARY KEY, kind TEXT NOT NULL, block INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posted (
  rid INTEGER PRIMARY KEY, id TEXT NOT NULL, block INTEGER NOT NULL, definition TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS deriving (
  number INTEGER PRIMARY KEY, type TEXT NOT NULL, next INTEGER NOT NULL, last INTEGER NOT NULL, done INTEGER NOT NULL,
  total INTEGER NOT NULL, gone INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS said (
  space TEXT NOT NULL, key TEXT NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL, PRIMARY KEY (space, key)
) STRICT, WITHOUT ROWID;
`;

/**
 * Makes the tables and the function that phrases are found by, in a database of an earlier time, too: whose versions named
 * no writers, or had all content on the ledger, so that there is none to add.
 */
export function makeTables(database: DatabaseSync): void {
  definePhrases(database);
  database.exec(SCHEMA);
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all('version');
  for (const [name, form] of ADDED) {
    if (!columns.some((each) => each.name === name)) database.exec(`ALTER TABLE version ADD COLUMN ${name} ${form}`);
  }
  database.exec('CREATE INDEX IF NOT EXISTS version_beside ON version (vid) WHERE beside > 0');
}

/** Columns of versions that came later. */
const ADDED = [
  ['author', 'TEXT'],
  ['beside', 'INTEGER NOT NULL DEFAULT 0'],
] as const;

/** The tables with what current texts are found by. */
export const INDEX_TABLES = ['posting', 'span', 'amount', 'pair', 'word', 'worded', 'term'] as const;

/** Every table with rows derived from the ledger, in an order that respects nothing but reading. */
export const DERIVED_TABLES = [
  ...INDEX_TABLES,
  ...['version', 'resource', 'fact', 'awaited', 'said', 'fault', 'posted', 'deriving', 'checkpoint'],
] as const;

/**
 * The embedded SQLite's settings: a crash may lose the newest transactions, never a part of one. Pages of 8 KiB hold most
 * resources whole, and the log is copied into the file every 32 MiB: a load then writes each page of the index fewer times.
 */
export const PRAGMAS = `
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA wal_autocheckpoint = 4096;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -16000;
PRAGMA temp_store = MEMORY;
`;

/** What every member of the channel holds alike: blocks, public state, hashes of private state. */
export const PUBLIC_SCHEMA = `
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (
  number INTEGER PRIMARY KEY, header_hash BLOB NOT NULL, commit_hash BLOB NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tx (
  id BLOB PRIMARY KEY, block INTEGER NOT NULL, tx INTEGER NOT NULL, code INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (
  namespace TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, metadata BLOB,
  block INTEGER NOT NULL, tx INTEGER NOT NULL, PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hashed (
  namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, metadata BLOB,
  block INTEGER NOT NULL, tx INTEGER NOT NULL, PRIMARY KEY (namespace, collection, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  namespace TEXT NOT NULL, key BLOB NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL,
  PRIMARY KEY (namespace, key, block, tx)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS expiry (
  at INTEGER NOT NULL, namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL, block INTEGER NOT NULL,
  PRIMARY KEY (at, namespace, collection, key, block)
) STRICT, WITHOUT ROWID;
`;

/**
 * What one member alone holds. A value is kept per block until no reader needs the older one: rows are written before
 * the public store commits their block, and those above its height are dropped on opening. Values lie in a table with row
 * numbers: inside the tree of their keys, long ones would cost twice as much to write. Which write sets hold a key is
 * told by its values, and by `part_key` for those that are no row of `value` (any more).
 */
export const PRIVATE_SCHEMA = `
CREATE TABLE IF NOT EXISTS value (
  namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL,
  hash BLOB NOT NULL, value BLOB, superseded INTEGER, PRIMARY KEY (namespace, collection, key, block)
) STRICT;
CREATE INDEX IF NOT EXISTS value_by_hash ON value (namespace, collection, hash);
CREATE INDEX IF NOT EXISTS value_superseded ON value (superseded) WHERE superseded IS NOT NULL;
CREATE INDEX IF NOT EXISTS value_deleted ON value (block) WHERE value IS NULL;
CREATE TABLE IF NOT EXISTS part (
  block INTEGER NOT NULL, tx INTEGER NOT NULL, namespace TEXT NOT NULL, collection TEXT NOT NULL, bytes BLOB NOT NULL,
  expires INTEGER, PRIMARY KEY (block, tx, namespace, collection)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_expires ON part (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS part_key (
  namespace TEXT NOT NULL, collection TEXT NOT NULL, hash BLOB NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL,
  PRIMARY KEY (namespace, collection, hash, block, tx)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge (
  namespace TEXT NOT NULL, collection TEXT NOT NULL, hash BLOB NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL,
  PRIMARY KEY (namespace, collection, hash, block, tx)
) STRICT, WITHOUT ROWID;
`;

/** Applies verified blocks: every change and the checkpoint in one database transaction. */
import type { DatabaseSync } from 'node:sqlite';

import type { JsonObject } from '../fhir/json.js';
import { inTransaction } from '../keys/database.js';
import { VALID } from '../ledger/blocks.js';
import { blockHeaderHash } from '../ledger/header-hash.js';
import type { LedgerBlock, LedgerTransaction } from '../ports.js';
import { generatedSearch, indexerOf, isResourceType } from './generated.js';
import { IndexStore } from './index-store.js';
import type { Change, FactChange, Open, Projector, VersionChange } from './projector.js';
import type { Statements } from './statements.js';
import { IndexRows } from './values/rows.js';

export interface Checkpoint {
  readonly number: number;
  /** Hex, header hash of that block. */
  readonly hash: string;
}

/** The projection and the ledger do not belong together, or the ledger is not what it was. */
export class ProjectionError extends Error {
  constructor(what: string) {
    super(`${what}; nothing was applied. Rebuild the projection with: npm run salus -- rebuild`);
    this.name = 'ProjectionError';
  }
}

export interface ApplierOptions {
  readonly projectors: readonly Projector[];
  readonly open: Open;
  /** The server's base URL with a slash at its end. */
  readonly base: string;
}

/** Blocks without a change that may go unmarked: that many are read again after a crash, and none is applied twice. */
const UNMARKED_LIMIT = 64;

/** A change and where it comes from. */
interface Placed {
  readonly change: Change;
  readonly txId: string;
  readonly block: number;
}

export class BlockApplier {
  private readonly index: IndexStore;
  /** Number of the block whose checkpoint was written last by this process. */
  private marked: number | undefined;

  constructor(
    private readonly database: DatabaseSync,
    private readonly statements: Statements,
    private readonly options: ApplierOptions,
  ) {
    this.index = new IndexStore(statements);
  }

  /**
   * Applies blocks that follow `last`, all or none; where they change nothing, only memory learns of them for a while.
   * Returns the new checkpoint. Throws ProjectionError.
   */
  apply(blocks: readonly LedgerBlock[], last: Checkpoint | undefined): Checkpoint | undefined {
    let checkpoint = last;
    const changes: Placed[] = [];
    for (const block of blocks) {
      verify(block, checkpoint);
      for (const transaction of block.transactions) this.collect(transaction, block.number, changes);
      checkpoint = { number: block.number, hash: block.hash };
    }
    if (checkpoint !== undefined && !(changes.length === 0 && this.mayWait(checkpoint))) {
      this.write(changes, checkpoint);
    }
    return checkpoint;
  }

  /** Writes the checkpoint of what was applied if it is not written yet. */
  flush(last: Checkpoint | undefined): void {
    if (last !== undefined && last.number !== this.marked) this.mark(last);
  }

  /** Derives every index row anew from the current texts, after the compiled parameters changed. */
  reindex(): void {
    this.database.exec('BEGIN IMMEDIATE');
    for (const table of ['posting', 'span', 'amount', 'pair', 'term']) this.database.exec(`DELETE FROM ${table}`);
    this.index.forget();
    const current = this.statements.of(
      'SELECT r.rid, r.type, v.text FROM resource r JOIN version v ON v.vid = r.vid WHERE r.deleted = 0 ORDER BY r.rid',
    );
    for (const row of current.iterate()) this.indexText(row.rid as number, row.type as string, row.text as string);
    this.statements.run('UPDATE checkpoint SET form = ?', generatedSearch().stamp);
    this.database.exec('COMMIT');
  }

  /** Drops the versions under these ledger keys, all or none. */
  drop(ledgerKeys: readonly string[]): void {
    inTransaction(this.database, () => {
      for (const ledgerKey of ledgerKeys) this.forget(ledgerKey);
    });
  }

  /** To be called when the tables were emptied. */
  reset(): void {
    this.index.forget();
    this.marked = undefined;
  }

  private mayWait({ number }: Checkpoint): boolean {
    return this.marked !== undefined && number - this.marked < UNMARKED_LIMIT;
  }

  private write(changes: readonly Placed[], checkpoint: Checkpoint): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      for (const placed of changes) this.change(placed);
      this.mark(checkpoint);
      this.database.exec('COMMIT');
    } catch (error) {
      this.database.exec('ROLLBACK');
      this.reset();
      throw error;
    }
  }

  private mark({ number, hash }: Checkpoint): void {
    this.marked = number;
    this.statements.run(
      'INSERT OR REPLACE INTO checkpoint (one, number, hash, form) VALUES (1, ?, ?, ?)',
      number,
      hash,
      generatedSearch().stamp,
    );
  }

  private collect(transaction: LedgerTransaction, block: number, changes: Placed[]): void {
    if (transaction.code !== VALID) return;
    const placed = { ...transaction, block };
    for (const write of transaction.writes) {
      for (const project of this.options.projectors) {
        for (const change of project(write, placed, this.options.open)) {
          changes.push({ change, txId: transaction.txId, block });
        }
      }
    }
  }

  private change({ change, txId, block }: Placed): void {
    if (change.kind === 'version') this.version(change, txId, block);
    else if (change.kind === 'fact') this.fact(change);
    else this.forget(change.ledgerKey);
  }

  private fact({ space, key, value }: FactChange): void {
    if (value === undefined) this.statements.run('DELETE FROM fact WHERE space = ? AND key = ?', space, key);
    else this.statements.run('INSERT OR REPLACE INTO fact VALUES (?, ?, ?)', space, key, value);
  }

  private version(change: VersionChange, txId: string, block: number): void {
    const known = this.statements.get('SELECT rid FROM resource WHERE type = ? AND id = ?', change.type, change.id);
    const rid = (known?.rid as number | undefined) ?? this.newResource(change);
    const { version, lastUpdated, text, ledgerKey } = change;
    const patient = change.patient ?? null;
    const deleted = change.deleted ? 1 : 0;
    const vid = this.statements.insert(
      'INSERT INTO version (rid, version, updated, deleted, text, tx_id, block, ledger_key, patient) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[rid, version, lastUpdated, deleted, text, txId, block, ledgerKey, patient],
    );
    if (known === undefined) this.statements.run('UPDATE resource SET vid = ? WHERE rid = ?', vid, rid);
    else {
      this.statements.run(
        'UPDATE resource SET vid = ?, version = ?, deleted = ?, updated = ?, patient = ? WHERE rid = ?',
        ...[vid, version, deleted, Date.parse(lastUpdated), patient, rid],
      );
    }
    if (known !== undefined) this.index.remove(rid);
    if (!change.deleted) this.indexText(rid, change.type, text);
  }

  /** All but its vid, which is in no index and known once the version lies there. */
  private newResource({ type, id, version, deleted, lastUpdated, patient }: VersionChange): number {
    return this.statements.insert(
      'INSERT INTO resource (type, id, vid, version, deleted, updated, patient) VALUES (?, ?, 0, ?, ?, ?, ?)',
      ...[type, id, version, deleted ? 1 : 0, Date.parse(lastUpdated), patient ?? null],
    );
  }

  private indexText(rid: number, type: string, text: string): void {
    if (!isResourceType(type)) return;
    const rows = new IndexRows(this.options.base);
    indexerOf(type).index(JSON.parse(text) as JsonObject, rows);
    this.index.add(rid, rows);
  }

  /** Drops the version under a ledger key; the resource is then what a rebuild would find: the newest version left. */
  private forget(ledgerKey: string): void {
    for (const { vid, rid } of this.statements.all('SELECT vid, rid FROM version WHERE ledger_key = ?', ledgerKey)) {
      this.statements.run('DELETE FROM version WHERE vid = ?', vid as number);
      const current = this.statements.get(
        'SELECT 1 FROM resource WHERE rid = ? AND vid = ?',
        rid as number,
        vid as number,
      );
      if (current !== undefined) this.fallBack(rid as number);
    }
  }

  private fallBack(rid: number): void {
    this.index.remove(rid);
    const { type } = this.statements.get('SELECT type FROM resource WHERE rid = ?', rid) as { type: string };
    const left = this.statements.get('SELECT * FROM version WHERE rid = ? ORDER BY version DESC LIMIT 1', rid);
    if (left === undefined) {
      this.statements.run('DELETE FROM resource WHERE rid = ?', rid);
      return;
    }
    const { vid, version, deleted, updated, patient, text } = left as unknown as VersionRow;
    this.statements.run(
      'UPDATE resource SET vid = ?, version = ?, deleted = ?, updated = ?, patient = ? WHERE rid = ?',
      ...[vid, version, deleted, Date.parse(updated), patient, rid],
    );
    if (deleted === 0) this.indexText(rid, type, text);
  }
}

interface VersionRow {
  readonly vid: number;
  readonly version: number;
  readonly deleted: number;
  readonly updated: string;
  readonly patient: string | null;
  readonly text: string;
}

function verify(block: LedgerBlock, last: Checkpoint | undefined): void {
  const expected = last === undefined ? 0 : last.number + 1;
  if (block.number !== expected) throw new ProjectionError(`block ${block.number} came where ${expected} was due`);
  if (last !== undefined && block.previousHash !== last.hash) {
    throw new ProjectionError(`block ${block.number} does not follow the block that was applied before it`);
  }
  const hash = blockHeaderHash(
    block.number,
    Buffer.from(block.previousHash, 'hex'),
    Buffer.from(block.dataHash, 'hex'),
  ).toString('hex');
  if (hash !== block.hash) throw new ProjectionError(`the header hash of block ${block.number} is wrong`);
}

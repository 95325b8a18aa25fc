/** A gateway's derived view of its member's ledger: every version of every resource, a search index, domains' facts. */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { truncateLog } from '../keys/database.js';
import { Refusal } from '../ledger/refusal.js';
import type { Held, LedgerBlock, StoredVersion } from '../ports.js';
import { Asked, type Fact } from './asked.js';
import { BlockApplier, ProjectionError, type ApplierOptions, type Checkpoint } from './block-applier.js';
import { digestOf } from './digest.js';
import type { FaultCounts } from './faults.js';
import { generatedSearch } from './generated.js';
import { historyCondition, type HistoryEntry, type HistoryQuery } from './history.js';
import { attachingOf, referredBy } from './named.js';
import type { PostedParameters } from './posted/store.js';
import { Search, WORK_LIMITS, type WorkLimits } from './search/search.js';
import { DERIVED_TABLES, makeTables, PRAGMAS } from './schema.js';
import { snapshotOf, type SnapshotPage, type SnapshotQuery } from './snapshot.js';
import { Statements } from './statements.js';
import { StoredRows, VERSION_COLUMNS, type Join } from './stored.js';
import { Waiters } from './waiters.js';

/** Where the database lies and what fills it. */
export interface ProjectionOptions extends ApplierOptions {
  /** Path of the database file, or `:memory:`. */
  readonly path: string;
  /** Instead of WORK_LIMITS. */
  readonly searchLimits?: WorkLimits;
  /** Reads what lies beside the ledger; absent = nothing is there. */
  readonly join?: Join;
}

/** Opens the database, applies blocks and answers reads. One process writes it; it can be derived again from the ledger. */
export class Projection {
  readonly search: Search;
  private readonly statements: Statements;
  private readonly stored: StoredRows;
  private readonly database: DatabaseSync;
  private readonly applier: BlockApplier;
  private readonly waiters = new Waiters();
  private readonly asked = new Asked();
  private last: Checkpoint | undefined;

  /** Opens or makes the database. Throws ProjectionError when it holds rows and no checkpoint. */
  constructor(private readonly options: ProjectionOptions) {
    this.database = new DatabaseSync(options.path);
    // It holds the record in clear: readable by its owner only.
    if (options.path !== ':memory:') chmodSync(options.path, 0o600);
    this.database.exec(PRAGMAS);
    makeTables(this.database);
    this.statements = new Statements(this.database);
    this.stored = new StoredRows(options.join);
    this.search = new Search(this.statements, options.base, this.stored, options.searchLimits);
    this.applier = new BlockApplier(this.database, this.statements, options);
    this.last = this.readCheckpoint();
  }

  get base(): string {
    return this.options.base;
  }

  /** The last block applied; undefined before the first. */
  get checkpoint(): Checkpoint | undefined {
    return this.last;
  }

  /** What it can be searched by. */
  get parameters(): PostedParameters {
    return this.applier.parameters;
  }

  /** See BlockApplier.derive. */
  derive(milliseconds: number): boolean {
    return this.applier.derive(milliseconds);
  }

  /** Number of the last block applied, -1 before the first. */
  get block(): number {
    return this.last?.number ?? -1;
  }

  /** Applies the blocks that follow the checkpoint, in one database transaction. Throws ProjectionError. */
  apply(blocks: readonly LedgerBlock[]): void {
    this.asked.changing(() => {
      this.last = this.applier.apply(blocks, this.last);
    });
    this.waiters.reached(this.block);
  }

  /** How many values this member should hold that its peer has not delivered: everything else is as a rebuild finds it. */
  get awaited(): number {
    return this.applier.awaited.count;
  }

  /** How many values cannot be read, and how many resources in force not be indexed whole. */
  get faults(): FaultCounts {
    return this.applier.faults.counts;
  }

  /** See Faults.freeVersion. */
  freeVersion(code: string, version: number): number {
    return this.applier.faults.freeVersion(code, version);
  }

  /** Numbers of blocks that were applied without such values, from `start` on. */
  incomplete(start: number, limit: number): number[] {
    return this.applier.awaited.blocks(start, limit);
  }

  /** Applies what an incomplete block, read once more, now has: as of that block. Throws ProjectionError. */
  applyLate(block: LedgerBlock): void {
    this.asked.changing(() => {
      this.applier.applyLate(block);
    });
  }

  /** How much work one question may be. */
  get limits(): WorkLimits {
    return this.options.searchLimits ?? WORK_LIMITS;
  }

  /** Whether this member holds the values of a collection. */
  get held(): Held {
    return this.options.held;
  }

  /** Whether the block is applied, waiting for it at most `timeoutMs`. */
  reached(block: number, timeoutMs: number): Promise<boolean> {
    return this.waiters.wait(block, this.block, timeoutMs);
  }

  /** The version in force, which may be a deletion. */
  current(type: string, id: string): StoredVersion | undefined {
    const sql = `SELECT ${VERSION_COLUMNS} FROM resource r JOIN version v ON v.vid = r.vid WHERE r.type = ? AND r.id = ?`;
    const read = (): StoredVersion | undefined => this.stored.one(this.statements.get(sql, type, id));
    // Whose record it is, is looked at for every resource that is shown.
    return type === 'Patient' ? this.asked.patient(id, read) : read();
  }

  version(type: string, id: string, version: number): StoredVersion | undefined {
    return this.one('v.version = ?', version, [type, id]);
  }

  /** The version that a transaction wrote. */
  writtenBy(txId: string, type: string, id: string): StoredVersion | undefined {
    return this.one('v.tx_id = ?', txId, [type, id]);
  }

  /** Versions whose ledger keys start with this. */
  keyed(prefix: string): HistoryEntry[] {
    const rows = this.statements.all(
      `SELECT v.vid, ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid
         WHERE v.ledger_key >= ? AND v.ledger_key < ?`,
      ...[prefix, `${prefix}\u{10ffff}`],
    );
    return rows.map(this.stored.entry);
  }

  /** Versions of which some lies beside the ledger, from a position on, at most so many. */
  beside(after: number, limit: number): HistoryEntry[] {
    const sql = `SELECT v.vid, ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid
         WHERE v.beside > 0 AND v.vid > ? ORDER BY v.vid LIMIT ?`;
    return this.statements.all(sql, after, limit).map(this.stored.entry);
  }

  /** Everything current in a patient's compartment, the Patient first. Throws Refusal when it is too much. */
  compartment(patient: string): StoredVersion[] {
    const { record } = this.limits;
    const rows = this.statements.all(
      `SELECT ${VERSION_COLUMNS} FROM resource r CROSS JOIN version v ON v.vid = r.vid
         WHERE r.patient = ? AND r.deleted = 0 ORDER BY r.type <> 'Patient', r.rid LIMIT ?`,
      ...[patient, record + 1],
    );
    if (rows.length <= record) return rows.map(this.stored.of);
    throw new Refusal('invalid', 'too-costly', 'the record is too large for one answer: search it by type');
  }

  /** Everything current of one type in a patient's compartment. */
  ofPatient(type: string, patient: string): StoredVersion[] {
    const sql = `SELECT ${VERSION_COLUMNS} FROM resource r CROSS JOIN version v ON v.vid = r.vid
         WHERE r.patient = ? AND r.type = ? AND r.deleted = 0 ORDER BY r.rid`;
    return this.statements.all(sql, patient, type).map(this.stored.of);
  }

  /** Current resources of a type with the value by a search parameter, at most `limit`; nothing is decided here. */
  holding(type: string, parameter: string, value: string, limit?: number): StoredVersion[] {
    const entry = generatedSearch().parameters[type]?.[parameter];
    return entry === undefined ? [] : this.search.holding(type, entry, value, limit);
  }

  /** Milliseconds since 1970 of the newest change to a patient's record; undefined where there is none. */
  lastEntry(patient: string): number | undefined {
    const row = this.statements.get('SELECT max(updated) AS last FROM resource WHERE patient = ?', patient);
    return (row?.last as number | null | undefined) ?? undefined;
  }

  /** `Type/id` of whatever the resources refer to by any search parameter, or attach. */
  referred(resources: readonly StoredVersion[]): string[] {
    return referredBy(this.statements, resources);
  }

  /** Current resources that attach the Binary; nothing is decided here. */
  attaching(id: string): StoredVersion[] {
    return attachingOf(this.statements, this.stored, id);
  }

  /** Versions, in the order asked for, of one resource, one type or everything. */
  history(query: HistoryQuery): HistoryEntry[] {
    const { where, values } = historyCondition(query);
    const rows = this.statements.all(
      `SELECT v.vid, ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid
         WHERE ${where.join(' AND ')} ORDER BY v.vid ${query.ascending === true ? 'ASC' : 'DESC'} LIMIT ?`,
      ...[...values, query.limit],
    );
    return rows.map(this.stored.entry);
  }

  /** Number and time of the newest version; 0 where there is none. */
  newest(): { readonly vid: number; readonly updated: string } {
    const row = this.statements.get('SELECT vid, updated FROM version ORDER BY vid DESC LIMIT 1');
    return row === undefined
      ? { vid: 0, updated: new Date(0).toISOString() }
      : { vid: row.vid as number, updated: row.updated as string };
  }

  /** A type's resources as they were when the version numbered `vid` was the newest. */
  asOf(vid: number, query: SnapshotQuery): SnapshotPage {
    return snapshotOf(this.statements, this.stored, vid, query);
  }

  /** A domain's fact. */
  fact(space: string, key: string): string | undefined {
    const sql = 'SELECT value FROM fact WHERE space = ? AND key = ?';
    return this.asked.fact(space, key, () => this.statements.get(sql, space, key)?.value as string | undefined);
  }

  /** A domain's facts whose keys start with the prefix, in the order of their keys; of them those behind a key. */
  facts(space: string, prefix = '', behind = ''): readonly Fact[] {
    return this.asked.facts(space, `${prefix}\n${behind}`, () => {
      const rows = this.statements.all(
        'SELECT key, value FROM fact WHERE space = ? AND key >= ? AND key > ? AND key < ? ORDER BY key',
        ...[space, prefix, behind, `${prefix}\u{10ffff}`],
      );
      return rows.map((row) => ({ key: row.key as string, value: row.value as string }));
    });
  }

  /** Drops the versions under these ledger keys, whose content nobody can open any more; on disk on return. */
  drop(ledgerKeys: readonly string[]): void {
    this.asked.changing(() => {
      this.applier.drop(ledgerKeys);
    });
    truncateLog(this.database);
  }

  /** Hex SHA-256 over all rows in a canonical order: equal after a rebuild from genesis. */
  digest(): string {
    this.derive(Infinity);
    this.applier.flush(this.last);
    return digestOf(this.statements);
  }

  /** Empties the projection; following the ledger from genesis fills it again. */
  clear(): void {
    this.asked.changing(() => {
      this.database.exec('BEGIN IMMEDIATE');
      for (const table of DERIVED_TABLES) this.database.exec(`DELETE FROM ${table}`);
      this.database.exec('COMMIT');
      this.applier.reset();
    });
    this.last = undefined;
  }

  close(): void {
    this.applier.flush(this.last);
    this.database.close();
  }

  private one(which: string, value: string | number, [type, id]: readonly [string, string]): StoredVersion | undefined {
    const sql = `SELECT ${VERSION_COLUMNS} FROM resource r JOIN version v ON v.rid = r.rid AND ${which} WHERE r.type = ? AND r.id = ?`;
    return this.stored.one(this.statements.get(sql, value, type, id));
  }

  private readCheckpoint(): Checkpoint | undefined {
    const row = this.statements.get('SELECT number, hash, form FROM checkpoint');
    if (row === undefined) {
      const rows = this.statements.get('SELECT 1 FROM resource UNION ALL SELECT 1 FROM fact LIMIT 1');
      if (rows !== undefined) throw new ProjectionError(`${this.options.path} holds rows but no checkpoint`);
      return undefined;
    }
    if (row.form !== generatedSearch().stamp) this.applier.reindex();
    return { number: row.number as number, hash: row.hash as string };
  }
}

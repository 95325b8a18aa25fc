/** The versions of resources, which of them is in force, and the index rows of that one. */
import { hash } from 'node:crypto';

import type { JsonObject } from '../fhir/json.js';
import type { Faults } from './faults.js';
import { indexerOf, isResourceType } from './generated.js';
import { IndexStore } from './index-store.js';
import { POSTED_TYPE, PostedParameters } from './posted/store.js';
import type { VersionChange } from './projector.js';
import type { Row, Statements } from './statements.js';
import { ATTACHED, attachedIn } from './values/attached.js';
import { IndexRows } from './values/rows.js';
import { wordPlaces } from './values/words.js';

/** Every version and the current one of each resource; it works inside its caller's database transaction. */
export class VersionStore {
  readonly parameters: PostedParameters;
  private readonly index: IndexStore;

  constructor(
    private readonly statements: Statements,
    private readonly faults: Faults,
    /** The server's base URL with a slash at its end. */
    private readonly base: string,
  ) {
    this.index = new IndexStore(statements);
    const recheck = (): void => {
      this.recheck();
    };
    this.parameters = new PostedParameters({ ...{ statements, faults, base, recheck }, index: this.index });
  }

  /**
   * Writes a version. It comes into force unless a later one is there already: then it only takes its place before it.
   * One that is not the resource it says, or whose place another has, is kept as a fault alone.
   */
  write(change: VersionChange, txId: string, block: number): void {
    const { type, id, version, deleted, ledgerKey } = change;
    const known = this.statements.get('SELECT rid, version FROM resource WHERE type = ? AND id = ?', type, id);
    const content = contentIn(change);
    if (content === undefined || this.isTaken(known, version)) {
      this.faults.keep(ledgerKey, { kind: 'unreadable', txId, block });
      return;
    }
    const rid = (known?.rid as number | undefined) ?? this.newResource(change);
    const vid = this.insert(change, rid, txId, block);
    if (known !== undefined && (known.version as number) > version) {
      this.putInOrder(rid);
      return;
    }
    this.putInForce(change, rid, vid, known === undefined);
    if (!deleted) this.indexContent(content, { rid, type, ledgerKey, txId, block });
    if (type === POSTED_TYPE)
      this.parameters.replaced(rid, deleted ? undefined : { id, block, content, by: change.by });
  }

  /** Drops the version under a ledger key; the resource is then what a rebuild would find: the newest version left. */
  forget(ledgerKey: string): void {
    this.faults.forget(ledgerKey);
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

  /** Drops what was written under purged keys by the block given. Blocks name them by hash alone: every version is looked at. */
  forgetPurged(blockByKeyHash: ReadonlyMap<string, number>): void {
    const purged: string[] = [];
    const keys = this.statements.of(
      'SELECT ledger_key, block FROM version UNION ALL SELECT ledger_key, block FROM fault',
    );
    for (const row of keys.iterate()) {
      const ledgerKey = row.ledger_key as string;
      const block = blockByKeyHash.get(hash('sha256', ledgerKey, 'hex'));
      if (block !== undefined && block >= (row.block as number)) purged.push(ledgerKey);
    }
    for (const ledgerKey of purged) this.forget(ledgerKey);
  }

  /** Derives every index row anew from the texts in force. */
  reindex(): void {
    this.index.forget();
    this.faults.clearIndexed();
    this.parameters.rebuild();
    const current = this.statements.of(
      `SELECT r.rid, r.type, v.text, v.ledger_key, v.tx_id, v.block FROM resource r JOIN version v ON v.vid = r.vid
         WHERE r.deleted = 0 ORDER BY r.rid`,
    );
    for (const row of current.iterate()) this.indexContent(objectOf(row.text as string) ?? {}, placeOf(row));
  }

  /** After a transaction was rolled back, or the tables were emptied. */
  reset(): void {
    this.index.forget();
    this.parameters.forget();
  }

  private insert(change: VersionChange, rid: number, txId: string, block: number): number {
    const { version, lastUpdated, deleted, text, ledgerKey, patient, by, beside } = change;
    return this.statements.insert(
      `INSERT INTO version (rid, version, updated, deleted, text, tx_id, block, ledger_key, patient, author, beside)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[rid, version, lastUpdated, deleted ? 1 : 0, text, txId, block, ledgerKey, patient ?? null, by ?? null],
      beside ?? 0,
    );
  }

  private putInForce(change: VersionChange, rid: number, vid: number, isFirst: boolean): void {
    const { version, deleted, lastUpdated, patient } = change;
    if (isFirst) this.statements.run('UPDATE resource SET vid = ? WHERE rid = ?', vid, rid);
    else {
      this.faults.replaced(rid);
      this.statements.run(
        'UPDATE resource SET vid = ?, version = ?, deleted = ?, updated = ?, patient = ? WHERE rid = ?',
        ...[vid, version, deleted ? 1 : 0, Date.parse(lastUpdated), patient ?? null, rid],
      );
      this.index.remove(rid);
    }
  }

  private isTaken(known: Row | undefined, version: number): boolean {
    if (known === undefined || (known.version as number) < version) return false;
    const { rid } = known as { readonly rid: number };
    return this.statements.get('SELECT 1 FROM version WHERE rid = ? AND version = ?', rid, version) !== undefined;
  }

  /** Histories go by vid: gives a resource's versions the vids they have together in the order of the versions. */
  private putInOrder(rid: number): void {
    const vids = this.statements.all('SELECT vid FROM version WHERE rid = ? ORDER BY version', rid);
    const ordered = vids.map(({ vid }) => vid as number).sort((one, other) => one - other);
    for (const [at, { vid }] of vids.entries()) {
      this.statements.run('UPDATE version SET vid = ? WHERE vid = ?', -(ordered[at] ?? 0), vid as number);
    }
    this.statements.run('UPDATE version SET vid = -vid WHERE rid = ?', rid);
    this.statements.run('UPDATE resource SET vid = ? WHERE rid = ?', ordered.at(-1) ?? 0, rid);
  }

  /** All but its vid, which is in no index and known once the version lies there. */
  private newResource({ type, id, version, deleted, lastUpdated, patient }: VersionChange): number {
    return this.statements.insert(
      'INSERT INTO resource (type, id, vid, version, deleted, updated, patient) VALUES (?, ?, 0, ?, ?, ?, ?)',
      ...[type, id, version, deleted ? 1 : 0, Date.parse(lastUpdated), patient ?? null],
    );
  }

  private indexContent(content: JsonObject, { rid, type, ledgerKey, txId, block }: Place): void {
    const rows = this.rowsOf(type, content);
    this.index.add(rid, rows, isResourceType(type) ? wordPlaces(content) : []);
    if (!rows.isWhole) this.faults.keep(ledgerKey, { kind: 'unindexed', txId, block });
  }

  private rowsOf(type: string, content: JsonObject): IndexRows {
    const rows = new IndexRows(this.base);
    for (const name of attachedIn(content, this.base)) rows.term(ATTACHED, name);
    if (!isResourceType(type)) return rows;
    indexerOf(type).index(content, rows);
    this.parameters.index(type, content, rows);
    return rows;
  }

  /** Forgets faults of what is indexed whole since a parameter went. */
  private recheck(): void {
    const sql = `SELECT f.ledger_key, r.type, v.text FROM fault f JOIN version v ON v.ledger_key = f.ledger_key
         JOIN resource r ON r.vid = v.vid WHERE f.kind = 'unindexed'`;
    for (const { ledger_key, type, text } of this.statements.all(sql)) {
      const rows = this.rowsOf(type as string, objectOf(text as string) ?? {});
      if (rows.isWhole) this.faults.forget(ledger_key as string);
    }
  }

  private fallBack(rid: number): void {
    this.index.remove(rid);
    const left = this.statements.get(
      `SELECT v.*, r.type, r.id FROM version v JOIN resource r ON r.rid = v.rid WHERE v.rid = ? ORDER BY v.version DESC LIMIT 1`,
      rid,
    );
    this.parameters.fellBack(rid, left);
    if (left === undefined) {
      this.statements.run('DELETE FROM resource WHERE rid = ?', rid);
      return;
    }
    const { vid, version, deleted, updated, patient, text } = left as unknown as VersionRow;
    this.statements.run(
      'UPDATE resource SET vid = ?, version = ?, deleted = ?, updated = ?, patient = ? WHERE rid = ?',
      ...[vid, version, deleted, Date.parse(updated), patient, rid],
    );
    if (deleted === 0) this.indexContent(objectOf(text) ?? {}, placeOf(left));
  }
}

/** What is indexed, and where it came from. */
interface Place {
  readonly rid: number;
  readonly type: string;
  readonly ledgerKey: string;
  readonly txId: string;
  readonly block: number;
}

function placeOf({ rid, type, ledger_key, tx_id, block }: Row): Place {
  return { rid, type, ledgerKey: ledger_key, txId: tx_id, block } as Place;
}

/** What of a version is indexed: undefined where it is to be a resource and its text is not that. */
function contentIn(change: VersionChange): JsonObject | undefined {
  if (change.deleted) return {};
  return isResourceType(change.type) ? resourceIn(change) : (objectOf(change.text) ?? {});
}

/** The resource of a version; undefined where its text is not that. */
function resourceIn({ type, id, text }: VersionChange): JsonObject | undefined {
  const content = objectOf(text);
  return content?.resourceType === type && content.id === id ? content : undefined;
}

/** The object a text says; undefined where it says none. */
function objectOf(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
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

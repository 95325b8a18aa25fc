/** Applies verified blocks: every change and the checkpoint in one database transaction. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

import { inTransaction } from '../keys/database.js';
import { VALID } from '../ledger/blocks.js';
import { blockHeaderHash } from '../ledger/header-hash.js';
import type { Held, LedgerBlock, LedgerWrite } from '../ports.js';
import { absentValues, purgedKeys, type AbsentValue, type HashedKey } from './absent.js';
import { Awaited } from './awaited.js';
import { Faults, type Fault } from './faults.js';
import { generatedSearch } from './generated.js';
import type { Place } from './place.js';
import type { PostedParameters } from './posted/store.js';
import type { Change, FactChange, ForgetChange, Open, PlacedTransaction, Projector } from './projector.js';
import { INDEX_TABLES } from './schema.js';
import type { Statements } from './statements.js';
import { VersionStore } from './version-store.js';

/** The last block whose changes are in the database. */
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

/** What makes changes of writes, and what opens content. */
export interface ApplierOptions {
  readonly projectors: readonly Projector[];
  readonly open: Open;
  readonly held: Held;
  /** Spaces of facts that go with the version they came from: the fact under the hash of its ledger key lists them. */
  readonly origins?: readonly string[];
  /** The server's base URL with a slash at its end. */
  readonly base: string;
  /** Hears of what cannot be read or indexed. */
  readonly onFault?: (fault: Fault) => void;
}

/** Blocks without a change that may go unmarked: that many are read again after a crash, and none is applied twice. */
const UNMARKED_LIMIT = 64;

/** What a write comes to, and where it comes from. */
interface Placed {
  readonly what: Change | { readonly kind: 'absent'; readonly value: AbsentValue; readonly hash: string };
  readonly txId: string;
  readonly place: Place;
}

/** What the blocks of one database transaction come to. */
interface Batch {
  readonly placed: Placed[];
  readonly purges: { readonly key: HashedKey; readonly block: number }[];
}

/** Applies blocks in order. Throws on a block that does not follow the checkpoint; then nothing is changed. */
export class BlockApplier {
  readonly awaited: Awaited;
  readonly faults: Faults;
  readonly parameters: PostedParameters;
  private readonly versions: VersionStore;
  /** Number of the block whose checkpoint was written last by this process. */
  private marked: number | undefined;

  constructor(
    private readonly database: DatabaseSync,
    private readonly statements: Statements,
    private readonly options: ApplierOptions,
  ) {
    this.faults = new Faults(statements, options.onFault);
    this.versions = new VersionStore(statements, this.faults, options.base);
    this.parameters = this.versions.parameters;
    this.awaited = new Awaited(statements);
  }

  /**
   * Applies blocks that follow `last`, all or none; where they change nothing, only memory learns of them for a while.
   * Values they lack are awaited from then on. Returns the new checkpoint. Throws ProjectionError.
   */
  apply(blocks: readonly LedgerBlock[], last: Checkpoint | undefined): Checkpoint | undefined {
    let checkpoint = last;
    const batch: Batch = { placed: [], purges: [] };
    for (const block of blocks) {
      verify(block, checkpoint);
      this.collect(block, batch);
      checkpoint = { number: block.number, hash: block.hash };
    }
    const isEmpty = batch.placed.length === 0 && batch.purges.length === 0;
    if (checkpoint !== undefined && !(isEmpty && this.mayWait(checkpoint))) this.write(batch, checkpoint);
    return checkpoint;
  }

  /** Applies what a block that was applied before lacked and now has, as of that block. Throws ProjectionError. */
  applyLate(block: LedgerBlock): void {
    this.undoable(() => {
      for (const value of this.awaited.of(block.number)) {
        if (value.hash !== block.hash)
          throw new ProjectionError(`block ${block.number} is not the one that was applied`);
        const transaction = block.transactions[value.tx];
        const write = transaction?.writes.find((each) => isUnder(value, each) && each.value !== undefined);
        if (transaction === undefined || write === undefined) continue;
        for (const placed of this.project(write, { ...transaction, block: block.number })) this.change(placed);
        this.awaited.came(block.number, value);
      }
    });
  }

  /** Writes the checkpoint of what was applied if it is not written yet. */
  flush(last: Checkpoint | undefined): void {
    if (last !== undefined && last.number !== this.marked) this.mark(last);
  }

  /** Makes or takes away rows of posted parameters for about so many milliseconds; false where nothing is left to do. */
  derive(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    let isLeft = this.parameters.deriving.count > 0;
    if (!isLeft) return false;
    this.undoable(() => {
      do isLeft = this.parameters.step();
      while (isLeft && performance.now() < end);
    });
    return isLeft;
  }

  /** Derives every index row anew from the current texts, after the compiled parameters changed. */
  reindex(): void {
    this.database.exec('BEGIN IMMEDIATE');
    for (const table of INDEX_TABLES) this.database.exec(`DELETE FROM ${table}`);
    this.versions.reindex();
    this.statements.run('UPDATE checkpoint SET form = ?', generatedSearch().stamp);
    this.database.exec('COMMIT');
  }

  /** Drops the versions under these ledger keys, and the facts that came from them, all or none. */
  drop(ledgerKeys: readonly string[]): void {
    inTransaction(this.database, () => {
      for (const ledgerKey of ledgerKeys) {
        this.versions.forget(ledgerKey);
        const key = hash('sha256', ledgerKey, 'hex');
        for (const space of this.options.origins ?? []) this.forget({ kind: 'forget', space, key });
      }
    });
  }

  /** To be called when the tables were emptied. */
  reset(): void {
    this.versions.reset();
    this.awaited.reset();
    this.marked = undefined;
  }

  private mayWait({ number }: Checkpoint): boolean {
    return this.marked !== undefined && number - this.marked < UNMARKED_LIMIT;
  }

  private write({ placed, purges }: Batch, checkpoint: Checkpoint): void {
    this.undoable(() => {
      for (const each of placed) this.change(each);
      for (const { key, block } of purges) this.awaited.purged(key, block);
      if (purges.length > 0) this.versions.forgetPurged(new Map(purges.map(({ key, block }) => [key.keyHash, block])));
      this.mark(checkpoint);
    });
    // What was purged is not to stay in the log until that is full; a reader that is in the way is not waited for.
    if (purges.length > 0) this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  private undoable(work: () => void): void {
    try {
      inTransaction(this.database, work);
    } catch (error) {
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

  private collect(block: LedgerBlock, { placed, purges }: Batch): void {
    for (const transaction of block.transactions) {
      if (transaction.code !== VALID) continue;
      const at = { ...transaction, block: block.number };
      for (const write of transaction.writes) placed.push(...this.project(write, at));
    }
    for (const value of absentValues(block, this.options.held)) {
      const { index, txId } = value.transaction;
      placed.push({ what: { kind: 'absent', value, hash: block.hash }, txId, place: { block: block.number, index } });
    }
    for (const key of purgedKeys(block, this.options.held)) {
      purges.push({ key, block: block.number });
    }
  }

  private project(write: LedgerWrite, transaction: PlacedTransaction): Placed[] {
    const { txId, block, index } = transaction;
    const changes = this.options.projectors.flatMap((each) => each(write, transaction, this.options.open));
    return changes.map((what) => ({ what, txId, place: { block, index } }));
  }

  private change({ what, txId, place }: Placed): void {
    const { block } = place;
    if (what.kind === 'version') this.versions.write(what, txId, block);
    else if (what.kind === 'unreadable') this.faults.keep(what.ledgerKey, { kind: 'unreadable', txId, block });
    else if (what.kind === 'fact') this.fact(what, place);
    else if (what.kind === 'forget') this.forget(what);
    else this.awaited.add(what.value, block, what.hash);
  }

  private forget({ space, key }: ForgetChange): void {
    const list = this.statements.get('SELECT value FROM fact WHERE space = ? AND key = ?', space, key)?.value;
    if (list === undefined) return;
    for (const each of [...(JSON.parse(list as string) as string[]), key]) {
      this.statements.run('DELETE FROM fact WHERE space = ? AND key = ?', space, each);
    }
  }

  private fact(change: FactChange, place: Place): void {
    if (this.awaited.isOvertaken(change, place)) return;
    const { space, key, value } = change;
    if (value === undefined) this.statements.run('DELETE FROM fact WHERE space = ? AND key = ?', space, key);
    else this.statements.run('INSERT OR REPLACE INTO fact VALUES (?, ?, ?)', space, key, value);
  }
}

function isUnder({ collection, keyHash }: HashedKey, write: LedgerWrite): boolean {
  return write.collection === collection && write.keyHash === keyHash;
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

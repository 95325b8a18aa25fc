/** The ledger as the router and the projection see it, in memory: writes become blocks with true header hashes. */
import { createHash, randomUUID } from 'node:crypto';

import { Refusal } from '@salus/gateway/ledger/refusal';
import { blockHeaderHash } from '@salus/gateway/ledger/header-hash';
import { withVersion } from '@salus/gateway/fhir/meta';
import type {
  Actor,
  Authorship,
  Idempotency,
  Commit,
  Ledger,
  LedgerBlock,
  LedgerWrite,
  RecordWriter,
  ResourceWrite,
  WriteOutcome,
} from '@salus/gateway/ports';
import type { Projector } from '@salus/gateway/projection/projector';

const RECORDS = 'of-test';

/** Whether the collection is the one whose values the ledger's peer holds. */
export const isRecord = (collection: string): boolean => collection === RECORDS;

export class RecordLedger implements RecordWriter, Ledger {
  readonly chain: LedgerBlock[] = [];
  /** Versions in force by `Type/id`. */
  private readonly versions = new Map<string, number>();
  private readonly done = new Map<string, WriteOutcome>();
  private wake = Promise.withResolvers<undefined>();
  /** Number of calls of `write` that reached the ledger. */
  writes = 0;
  /** Writes get no answer. */
  silent = false;
  /** Keys whose values the peer lacks: it delivers their hashes alone. */
  readonly withheld = new Set<string>();

  constructor() {
    this.append([]);
  }

  write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    const key = idempotency?.key ?? randomUUID();
    const known = this.done.get(`${actor.user} ${key}`);
    if (known !== undefined) return Promise.resolve(known);
    if (this.silent) return Promise.resolve({ state: 'unknown', key });
    for (const { type, id, expect } of writes) {
      if ((this.versions.get(`${type}/${id}`) ?? 0) !== expect) {
        return Promise.reject(new Refusal('conflict', 'version-conflict', 'another version is in force'));
      }
    }
    this.writes += 1;
    for (const { type, id, expect } of writes) this.versions.set(`${type}/${id}`, expect + 1);
    const commit = this.append(
      writes.map((each) =>
        recordWrite(`${each.type}/${each.id}/${each.expect + 1}`, JSON.stringify({ ...each, ...authorOf(actor) })),
      ),
    );
    const written = writes.map(({ type, id, expect }) => `${type}/${id}/_history/${expect + 1}`);
    const outcome = { state: 'committed', commit, written } as const;
    this.done.set(`${actor.user} ${key}`, outcome);
    return Promise.resolve(outcome);
  }

  /** The commit of an earlier request under the same key. */
  earlier(actor: Actor, { key }: Idempotency): Commit | undefined {
    const known = this.done.get(`${actor.user} ${key}`);
    return known?.state === 'committed' ? known.commit : undefined;
  }

  /** Versions that were written. */
  get written(): number {
    return [...this.versions.values()].reduce((sum, version) => sum + version, 0);
  }

  /** Makes a block of one valid transaction. */
  append(writes: readonly LedgerWrite[]): Commit {
    const number = this.chain.length;
    const previousHash = this.chain.at(-1)?.hash ?? '';
    const dataHash = createHash('sha256').update(`data of ${number}`).digest('hex');
    const hash = blockHeaderHash(number, Buffer.from(previousHash, 'hex'), Buffer.from(dataHash, 'hex')).toString(
      'hex',
    );
    const txId = createHash('sha256').update(`transaction of ${number}`).digest('hex');
    const transaction = {
      txId,
      index: 0,
      code: 0,
      timestamp: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
      creatorMspId: 'TestMSP',
      endorsers: ['TestMSP'],
      transaction: 'ehr:write',
      argument: '',
      elsewhere: { writes: 0, purges: 0 },
      writes,
    };
    this.chain.push({ number, hash, previousHash, dataHash, commitHash: '', transactions: [transaction] });
    this.wake.resolve(undefined);
    this.wake = Promise.withResolvers();
    return { txId, block: number };
  }

  /** Purges every version of a resource, as erasure does: the peer has the values no more, nor the keys that were purged. */
  purge(type: string, id: string): void {
    const name = `${type}/${id}`;
    const count = this.versions.get(name) ?? 0;
    const keys = Array.from({ length: count }, (_, at) => `${name}/${at + 1}`);
    for (const [at, block] of this.chain.entries()) this.chain[at] = withoutValues(block, new Set(keys));
    this.append(keys.map((key) => ({ collection: RECORDS, keyHash: sha256(key), isDelete: true, isPurge: true })));
  }

  async *blocks(start: number, signal: AbortSignal): AsyncIterable<LedgerBlock> {
    const ended = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve(undefined);
      });
    });
    for (let next = start; !signal.aborted;) {
      const block = this.chain[next];
      if (block === undefined) await Promise.race([this.wake.promise, ended]);
      else {
        next += 1;
        yield withoutValues(block, this.withheld);
      }
    }
  }

  submit(): Promise<Commit> {
    return Promise.reject(new Error('not asked by what is tested here'));
  }

  evaluate(): Promise<Uint8Array> {
    return Promise.reject(new Error('not asked by what is tested here'));
  }
}

/** Of physicians nobody asks here. */
function authorOf({ member, user, role }: Actor): { readonly by?: Authorship } {
  return role === 'physician' ? {} : { by: { member, user, role } };
}

/** A private write that the peer has the value of. */
export function recordWrite(key: string, value: string): LedgerWrite {
  return {
    collection: RECORDS,
    key,
    keyHash: sha256(key),
    value: Buffer.from(value),
    isDelete: false,
    isPurge: false,
  };
}

/** What a peer delivers of values it does not have: their hashes. */
function withoutValues(block: LedgerBlock, keys: ReadonlySet<string>): LedgerBlock {
  const transactions = block.transactions.map((transaction) => ({
    ...transaction,
    writes: transaction.writes.map((write) => (keys.has(write.key ?? '') ? hashesOf(write) : write)),
  }));
  return { ...block, transactions };
}

function hashesOf({ collection, keyHash, isDelete, isPurge }: LedgerWrite): LedgerWrite {
  return { collection: collection!, keyHash: keyHash!, isDelete, isPurge };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Reads what RecordLedger wrote. */
export const recordProjector: Projector = (write, transaction) => {
  if (write.collection !== RECORDS || write.key === undefined || write.value === undefined) return [];
  const { type, id, expect, text, patient, by } = JSON.parse(Buffer.from(write.value).toString()) as ResourceWrite & {
    readonly by?: Authorship;
  };
  const version = expect + 1;
  return [
    {
      kind: 'version',
      type,
      id,
      version,
      lastUpdated: transaction.timestamp,
      deleted: text === undefined,
      text: text === undefined ? '' : withVersion(text, version, transaction.timestamp),
      ledgerKey: write.key,
      ...(patient === undefined ? {} : { patient }),
      ...(by === undefined ? {} : { by: JSON.stringify(by) }),
    },
  ];
};

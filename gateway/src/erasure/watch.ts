/** Watches every member's purges: one that no announced erasure covers raises an alarm (T12). */
import { mspIdOf, parseKey } from '@salus/chaincode/registry/api';
import type { ErasureRecord } from '@salus/chaincode/ehr/api';

import { VALID } from '../ledger/blocks.js';
import type { LedgerBlock, LedgerTransaction } from '../ports.js';
import type { Facts } from '../patient/lookup.js';
import { ERASURE_SPACE, type Announced } from './project.js';

/** Announcements remembered that the projection may not have yet. */
const MAX_REMEMBERED = 1_000;

/** Told why a purge is not covered, and in which transaction. */
export type PurgeAlarm = (alarm: 'purge-without-erasure' | 'purge-beyond-erasure', txId: string) => void;

/** One gateway's watch over the blocks as they come. */
export class PurgeWatch {
  readonly #announced = new Map<string, ErasureRecord>();

  constructor(
    private readonly facts: Pick<Facts, 'fact'>,
    private readonly alarm: PurgeAlarm,
  ) {}

  /** Looks at one block; blocks come in their order. */
  observe({ transactions }: LedgerBlock): void {
    for (const transaction of transactions) {
      if (transaction.code !== VALID) continue;
      this.#remember(transaction);
      this.#check(transaction);
    }
  }

  #remember({ writes }: LedgerTransaction): void {
    for (const { collection, key = '', value } of writes) {
      const id = collection === undefined ? erasureIdOf(key) : undefined;
      if (id === undefined || value === undefined) continue;
      const [oldest] = this.#announced.size >= MAX_REMEMBERED ? this.#announced.keys() : [];
      if (oldest !== undefined) this.#announced.delete(oldest);
      this.#announced.set(id, JSON.parse(Buffer.from(value).toString('utf8')) as ErasureRecord);
    }
  }

  #check({ txId, writes, elsewhere, reads = [], creatorMspId }: LedgerTransaction): void {
    const purges = elsewhere.purges + writes.filter(({ isPurge }) => isPurge).length;
    if (purges === 0) return;
    const records = reads.flatMap((key) => this.#erasure(key) ?? []);
    const [record] = records.filter(({ member }) => mspIdOf(member) === creatorMspId);
    if (record === undefined) this.alarm('purge-without-erasure', txId);
    else if (purges > record.keys) this.alarm('purge-beyond-erasure', txId);
  }

  #erasure(key: string): ErasureRecord | undefined {
    const id = erasureIdOf(key);
    if (id === undefined) return undefined;
    const fact = this.facts.fact(ERASURE_SPACE, id);
    return this.#announced.get(id) ?? (fact === undefined ? undefined : (JSON.parse(fact) as Announced).record);
  }
}

/** The id in a key `erasure/<id>`; undefined for any other key. */
function erasureIdOf(key: string): string | undefined {
  const parts = parseKey(key);
  return parts?.name === 'erasure' ? parts.attributes[0] : undefined;
}

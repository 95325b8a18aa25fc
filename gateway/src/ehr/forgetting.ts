/** Lets go of Idempotency-Keys whose time is over: on the ledger first, then in the outbox, by which they are found. */
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_ENTRIES, transactions, type ForgetKeys, type HeadView } from '@salus/chaincode/ehr/api';

import type { OldCall } from '../ledger/outbox-store.js';
import type { Outbox } from '../ledger/outbox.js';
import type { Ledger } from '../ports.js';

/** Until the first look, by when the clock has ticked; between two looks; and after one that failed, ms. */
const LOOK_MS = { first: 5_000, usual: 3_600_000, afterFailure: 10_000 } as const;

/** What one gateway lets go of the keys with that its own outbox sent. */
export interface ForgettingPorts {
  readonly mspId: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly outbox: Pick<Outbox, 'old' | 'drop'>;
  readonly onFailure: (error: unknown) => void;
}

/** Goes on until the signal aborts. */
export async function keepForgetting(ports: ForgettingPorts, signal: AbortSignal): Promise<void> {
  await sleep(LOOK_MS.first, undefined, { signal, ref: false }).catch(() => undefined);
  while (!signal.aborted) {
    const pause = await forgetOld(ports).then(
      () => LOOK_MS.usual,
      (error: unknown) => {
        ports.onFailure(error);
        return LOOK_MS.afterFailure;
      },
    );
    await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** What the ledger remembers for longer, because it was endorsed anew long after it was kept, is left for a later look. */
async function forgetOld(ports: ForgettingPorts): Promise<void> {
  const { mspId, ledger, outbox } = ports;
  for (let old = someOf(outbox); old.length > 0; old = someOf(outbox)) {
    const remembered = await rememberedOf(ports, old.flatMap(keysOf));
    const over = old.filter((call) => !keysOf(call).some((key) => remembered.has(key)));
    if (over.length === 0) return;
    const request: ForgetKeys = { idempotencyKeys: over.flatMap(keysOf) };
    if (request.idempotencyKeys.length > 0) {
      const transient = { request: Buffer.from(JSON.stringify(request)) };
      await ledger.submit({ transaction: transactions.forget, transient, endorsers: [mspId] });
    }
    outbox.drop(over.map(({ call }) => call));
  }
}

/** As many of the oldest as one transaction lets go of. */
function someOf(outbox: Pick<Outbox, 'old'>): readonly OldCall[] {
  let keys = 0;
  return outbox.old(MAX_ENTRIES).filter((call) => (keys += keysOf(call).length) <= MAX_ENTRIES);
}

const keysOf = ({ ledgerKeys }: OldCall): readonly string[] => ledgerKeys;

/** The keys that still stand for something on the ledger. */
async function rememberedOf(
  { mspId, ledger }: ForgettingPorts,
  idempotencyKeys: readonly string[],
): Promise<ReadonlySet<string>> {
  if (idempotencyKeys.length === 0) return new Set();
  const transient = { request: Buffer.from(JSON.stringify({ entries: [], idempotencyKeys })) };
  const answer = await ledger.evaluate({ transaction: transactions.head, transient, endorsers: [mspId] });
  const { idempotency } = JSON.parse(Buffer.from(answer).toString('utf8')) as HeadView;
  return new Set(idempotencyKeys.filter((_, index) => idempotency[index] !== null));
}

/** Lets go of Idempotency-Keys whose time is over: on the ledger first, then in the outbox, by which they are found. */
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_ENTRIES, transactions, type ForgetKeys } from '@salus/chaincode/ehr/api';

import type { Outbox } from '../ledger/outbox.js';
import type { Ledger } from '../ports.js';

/** Until the first look, by when the clock has ticked; between two looks; and after one that failed, ms. */
const LOOK_MS = { first: 5_000, usual: 3_600_000, afterFailure: 10_000 } as const;

/** What one gateway lets go of the keys with that its own outbox sent. */
export interface ForgettingPorts {
  readonly mspId: string;
  readonly ledger: Pick<Ledger, 'submit'>;
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

async function forgetOld({ mspId, ledger, outbox }: ForgettingPorts): Promise<void> {
  for (let old = outbox.old(MAX_ENTRIES); old.length > 0; old = outbox.old(MAX_ENTRIES)) {
    const request: ForgetKeys = { idempotencyKeys: old.flatMap(({ ledgerKey }) => ledgerKey ?? []) };
    if (request.idempotencyKeys.length > 0) {
      const transient = { request: Buffer.from(JSON.stringify(request)) };
      await ledger.submit({ transaction: transactions.forget, transient, endorsers: [mspId] });
    }
    outbox.drop(old.map(({ call }) => call));
  }
}

/** Finds a write that another gateway, or an outbox since lost, made under the same Idempotency-Key. */
import { transactions, type HeadView } from '@salus/chaincode/ehr/api';

import type { TransactionSteps } from '../ledger/steps.js';
import type { Commit } from '../ports.js';

/** How long a transaction that the ledger already names may take to be found, milliseconds. */
const LOOKUP_MS = 10_000;

/** Asks the member's own peer for the idempotency record of a key and a request (hex HMACs); undefined when there is none. */
export async function findDone(
  steps: TransactionSteps,
  mspId: string,
  { key, digest }: { readonly key: string; readonly digest: string },
): Promise<Commit | undefined> {
  const request = Buffer.from(JSON.stringify({ entries: [], idempotencyKeys: [key] }));
  const answer = await steps.evaluate({ transaction: transactions.head, transient: { request }, endorsers: [mspId] });
  const view = JSON.parse(Buffer.from(answer).toString('utf8')) as HeadView;
  const [record] = view.idempotency;
  if (record?.digest !== digest) return undefined;
  const { txId } = record;
  const outcome = await steps.outcome(txId, LOOKUP_MS);
  return outcome?.code === 0 ? { txId, block: outcome.block } : undefined;
}

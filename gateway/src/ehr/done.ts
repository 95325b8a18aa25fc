/** Finds a write that another gateway, or an outbox since lost, made under the same Idempotency-Key. */
import { transactions, type HeadView } from '@salus/chaincode/ehr/api';

import type { TransactionSteps } from '../ledger/steps.js';
import type { Commit } from '../ports.js';

/** How long a transaction that the ledger already names may take to be found, milliseconds. */
const LOOKUP_MS = 10_000;

/** Asks the member's own peer for the idempotency record (hex HMAC); undefined when there is none. */
export async function findDone(
  steps: TransactionSteps,
  mspId: string,
  idempotencyKey: string,
): Promise<Commit | undefined> {
  const request = Buffer.from(JSON.stringify({ entries: [], idempotencyKeys: [idempotencyKey] }));
  const answer = await steps.evaluate({ transaction: transactions.head, transient: { request }, endorsers: [mspId] });
  const view = JSON.parse(Buffer.from(answer).toString('utf8')) as HeadView;
  const txId = view.idempotency[0]?.txId;
  if (txId === undefined) return undefined;
  const outcome = await steps.outcome(txId, LOOKUP_MS);
  return outcome?.code === 0 ? { txId, block: outcome.block } : undefined;
}

/** The call that writes versions: of one request, or of several that share a transaction. */
import { randomBytes } from 'node:crypto';

import { transactions, type Condition, type VersionEntry, type WriteVersions } from '@salus/chaincode/ehr/api';

import { callKey, isPack, type OutboxEntry } from '../ledger/outbox-store.js';
import type { LedgerCall } from '../ports.js';

/** A request, ready to be sent. */
export interface Sendable {
  readonly entries: readonly VersionEntry[];
  readonly conditions: readonly Condition[];
  readonly entry: OutboxEntry;
}

/**
 * To be endorsed by the member alone, who sees the transient map. Clients' keys are remembered one by one; requests
 * without one are remembered together, by a key made of theirs.
 */
export function writeCall(mspId: string, requests: readonly [Sendable, ...Sendable[]]): LedgerCall {
  const [{ entry }, ...others] = requests;
  const isOfClients = isPack(requests.map((each) => each.entry));
  const together = callKey(requests.map((each) => each.entry.key));
  const conditions = requests.flatMap((each) => each.conditions);
  const request: WriteVersions = {
    idempotencyKey: isOfClients ? entry.key : together,
    digest: isOfClients || others.length === 0 ? entry.digest : together,
    entries: requests.flatMap((each) => each.entries),
    ...(isOfClients ? { others: others.map(sharedOf) } : {}),
    ...(conditions.length === 0 ? {} : { conditions }),
    salt: randomBytes(32).toString('hex'),
  };
  return {
    transaction: transactions.write,
    transient: { request: Buffer.from(JSON.stringify(request)) },
    endorsers: [mspId],
  };
}

function sharedOf({ entry: { key, digest }, entries }: Sendable): NonNullable<WriteVersions['others']>[number] {
  return { idempotencyKey: key, digest, entries: entries.length };
}

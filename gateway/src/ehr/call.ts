/** The call that writes versions: of one request, or of several that share a transaction. */
import { randomBytes } from 'node:crypto';

import { transactions, type Condition, type VersionEntry, type WriteVersions } from '@salus/chaincode/ehr/api';

import type { Share, SharedCall } from '../ledger/call-bytes.js';
import { callKey, isPack, type OutboxEntry } from '../ledger/outbox-store.js';
import type { LedgerCall } from '../ports.js';

/** A request, ready to be sent. */
export interface Sendable {
  readonly entries: readonly VersionEntry[];
  readonly conditions: readonly Condition[];
  readonly entry: Pick<OutboxEntry, 'key' | 'digest' | 'isClients'>;
}

/** To be endorsed by the member alone, who sees the transient map. */
export function writeCall(mspId: string, requests: readonly Sendable[]): LedgerCall {
  return { transaction: transactions.write, transient: transientOf(requests), endorsers: [mspId] };
}

/** Whose what is in the call of these requests. */
export function sharesOf(requests: readonly Sendable[]): Share[] {
  return requests.map(({ entry: { key, digest, isClients }, entries, conditions }) => {
    return { key, digest, ...(isClients && { isClients }), entries: entries.length, conditions: conditions.length };
  });
}

/** Two calls that each carry half of a shared call's requests. */
export function halvesOf({ call, shares }: SharedCall): SharedCall[] {
  const requests = requestsIn({ call, shares });
  const middle = Math.ceil(requests.length / 2);
  return [requests.slice(0, middle), requests.slice(middle)].map((half) => {
    return { call: { ...call, transient: transientOf(half) }, shares: sharesOf(half) };
  });
}

function requestsIn({ call, shares }: SharedCall): Sendable[] {
  const text = Buffer.from(call.transient?.request ?? []).toString();
  const { entries, conditions = [] } = JSON.parse(text) as WriteVersions;
  let [entry, condition] = [0, 0];
  return shares.map((share) => {
    const own = entries.slice(entry, (entry += share.entries));
    return { entry: share, entries: own, conditions: conditions.slice(condition, (condition += share.conditions)) };
  });
}

/**
 * Clients' keys are remembered one by one; requests without one are remembered together, by a key made of theirs.
 */
function transientOf(requests: readonly Sendable[]): { readonly request: Uint8Array } {
  const [first, ...others] = requests;
  if (first === undefined) throw new Error('a call of no request');
  const { entry } = first;
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
  return { request: Buffer.from(JSON.stringify(request)) };
}

function sharedOf({ entry: { key, digest }, entries }: Sendable): NonNullable<WriteVersions['others']>[number] {
  return { idempotencyKey: key, digest, entries: entries.length };
}

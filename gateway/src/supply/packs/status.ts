/** A unit or container as the ledger has it. */
import { type StatusView, transactions } from '@salus/chaincode/supply/api';

import type { Ledger } from '../../ports.js';
import type { KnownItem } from './shelf.js';

/** Asks the contracts; `origin` is for a unit that may have no record yet. Throws Refusal. */
export async function statusOf(
  ledger: Pick<Ledger, 'evaluate'>,
  { item, origin }: Pick<KnownItem, 'item' | 'origin'>,
): Promise<StatusView> {
  const argument = JSON.stringify({ item, ...(origin === undefined ? {} : { origin }) });
  const answer = await ledger.evaluate({ transaction: transactions.status, argument });
  return JSON.parse(Buffer.from(answer).toString('utf8')) as StatusView;
}

/** Batches of readings out of the ledger's own blocks: what another holder's logger signed was told to nobody else. */
import { transactions } from '@salus/chaincode/supply/api';

import { blockAt } from '../../projection/hold.js';
import type { Ledger, LedgerTransaction } from '../../ports.js';
import type { ShelfPorts } from '../packs/shelf.js';
import { PUBLIC_SPACE, readingsKey } from '../project.js';

/** Where blocks are read, and which of them. */
export interface BlockPorts {
  readonly ledger: Pick<Ledger, 'blocks'>;
  readonly projection: Pick<ShelfPorts['projection'], 'facts'>;
}

/** Milliseconds that blocks are waited for: what a busy peer did not deliver by then is missing. */
const PATIENCE_MS = 30_000;

/** What loggers signed of an item, as far as the own peer delivers it now. */
export async function batchesOnLedger({ ledger, projection }: BlockPorts, item: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const found: string[] = [];
  for (const { value } of projection.facts(PUBLIC_SPACE, readingsKey(item))) {
    const block = await blockAt(ledger, Number(value), signal);
    found.push(...(block?.transactions ?? []).flatMap((each) => signedIn(each, item)));
  }
  return found;
}

function signedIn({ code, transaction, argument }: LedgerTransaction, item: string): readonly string[] {
  if (code !== 0 || transaction !== transactions.climate) return [];
  const request = JSON.parse(argument) as { readonly item: string; readonly signed: string };
  return request.item === item ? [request.signed] : [];
}

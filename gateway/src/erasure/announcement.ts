import { transactions, type AnnounceErasure } from '@salus/chaincode/ehr/api';

import type { LedgerCall } from '../ports.js';
import { keyHashOf, rootOf } from './certificate.js';

/** The announcement that exactly these keys, in this order, are about to be purged. */
export function announcementOf(
  erasureId: string,
  reason: AnnounceErasure['reason'],
  ledgerKeys: readonly string[],
): LedgerCall {
  const root = rootOf(ledgerKeys.map(keyHashOf));
  const announcement: AnnounceErasure = { erasureId, reason, keys: ledgerKeys.length, root };
  return { transaction: transactions.announce, argument: JSON.stringify(announcement) };
}

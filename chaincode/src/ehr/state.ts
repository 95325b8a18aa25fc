import { kind } from '../lib/kind';
import type { ConditionRecord, ErasureRecord, IdempotencyRecord, PurgeRecord, StoredValue } from './api';

/** resource/<hmac>/<version>: one key for each version; appended to, never overwritten. */
export const resourceKind = kind<StoredValue>('resource', 'of-{member}', 'key', 'version');
/** idempotency/<hmac>: written by the transaction it remembers; over, and deleted by a later one, after IDEMPOTENCY_DAYS. */
export const idempotencyKind = kind<IdempotencyRecord>('idempotency', 'of-{member}', 'hmac');
/** condition/<hmac>: read and written by every create on that condition, so that of two at once one is void. */
export const conditionKind = kind<ConditionRecord>('condition', 'of-{member}', 'hmac');
/** erasure/<erasureId>: in public, read by every purge made under it. */
export const erasureKind = kind<ErasureRecord>('erasure', 'public', 'erasureId');

/** purge/<erasureId>/<part>: written by the transaction whose purges it counts, so that none is made twice. */
export const purgeKind = kind<PurgeRecord>('purge', 'of-{member}', 'erasureId', 'part');

/** A version as part of a key: eight digits, so that keys sort like versions. */
export function versionPart(version: number): string {
  return version.toString().padStart(8, '0');
}

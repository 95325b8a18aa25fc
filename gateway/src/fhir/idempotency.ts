/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same request under the same key takes effect once. */
import { createHash } from 'node:crypto';

import type { Idempotency, WriteOutcome } from '../ports.js';
import type { FhirRequest } from './request.js';

/** The client's key with a digest of all that makes the request what it is; undefined when it sent none. */
export function idempotencyOf({ method, path, query, headers, body }: FhirRequest): Idempotency | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  const conditions = [headers['if-match'], headers['if-none-match'], headers['if-none-exist']];
  const parts = [method, path, query.toString(), conditions, body ?? ''];
  return { key, digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex') };
}

/** Says that the answer is an earlier request's, and nothing was written now. */
export function replayedHeader(outcome: WriteOutcome): Record<string, string> {
  return outcome.state === 'committed' && outcome.replayed === true ? { 'Idempotent-Replayed': 'true' } : {};
}

/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same request under the same key takes effect once. */
import { createHash, randomUUID } from 'node:crypto';

import type { Idempotency, WriteOutcome } from '../ports.js';
import type { FhirPorts, FhirRequest, Stable } from './request.js';

/** The client's key with a digest of all that makes the request what it is; undefined when it sent none. */
export function idempotencyOf({ method, path, query, headers, body }: FhirRequest): Idempotency | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  const conditions = [headers['if-match'], headers['if-none-match'], headers['if-none-exist']];
  const parts = [method, path, query.toString(), conditions, body ?? ''];
  return { key, digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex') };
}

/**
 * The id of a resource that a request makes. Under a key it is the same each time, so that a retry names what the first
 * try made even at a gateway that knows nothing of it, and however long ago that was. `place` tells apart what one
 * request makes.
 */
export function newId({ stable }: Pick<FhirPorts, 'stable'>, request: FhirRequest, place = 0): string {
  const idempotency = idempotencyOf(request);
  if (stable === undefined || idempotency === undefined) return randomUUID();
  return uuidOf(stable.codeOf(JSON.stringify([request.actor.user, idempotency.key, idempotency.digest, place])));
}

/** RFC 9562 version 8: bits of one's own. */
function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The same at all of the member's gateways. */
export function stableBy(keys: { hmac(use: 'idempotency', text: string): string }): Stable {
  return { codeOf: (text) => keys.hmac('idempotency', `new id\n${text}`) };
}

/** Says that the answer is an earlier request's, and nothing was written now. */
export function replayedHeader(outcome: WriteOutcome): Record<string, string> {
  return outcome.state === 'committed' && outcome.replayed === true ? { 'Idempotent-Replayed': 'true' } : {};
}

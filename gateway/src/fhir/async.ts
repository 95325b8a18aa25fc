/** The asynchronous pattern (R4 async.html): what takes long is asked for with `Prefer: respond-async`. */
import { Refusal } from '../ledger/refusal.js';
import type { FhirRequest } from './request.js';

/** Throws Refusal where the client does not say that it will come back. */
export function requireAsync({ headers, path }: FhirRequest): void {
  if (/(?:^|[,;\s])respond-async\b/.test(headers.prefer ?? '')) return;
  throw new Refusal('invalid', 'bad-value', `${path} is asked for with Prefer: respond-async`);
}

/**
 * The header `X-Provenance` (R4 provenance.html#header): why something is written. Who, when and what the gateway says
 * itself, so that a client's Provenance there has a reason and nothing else.
 */
import { Refusal } from '../ledger/refusal.js';
import type { ResourceWrite } from '../ports.js';
import { asResource } from './body.js';
import { parseBody } from './json.js';
import type { FhirRequest } from './request.js';
import { requireValid } from './validate.js';

/** Most characters of the header. */
export const REASON_LIMIT = 4_000;

const TAKEN = ['resourceType', 'reason'];

/** The writes with the reason that the request states for them. Throws Refusal for a header that is no such Provenance. */
export function explained(request: FhirRequest, writes: readonly ResourceWrite[]): readonly ResourceWrite[] {
  const reason = statedReason(request);
  return reason === undefined ? writes : writes.map((write) => ({ ...write, reason }));
}

function statedReason({ headers }: FhirRequest): readonly object[] | undefined {
  const text = headers['x-provenance'];
  if (text === undefined) return undefined;
  if (text.length > REASON_LIMIT) {
    throw new Refusal('invalid', 'too-large', `X-Provenance has at most ${REASON_LIMIT} characters`);
  }
  // Bytes beyond ASCII mean nothing certain in a header (RFC 9110 section 5.5).
  if (/[^\x20-\x7e]/.test(text)) {
    throw new Refusal('invalid', 'structure', 'X-Provenance is ASCII: write other characters as \\u escapes');
  }
  const { resourceType, reason, ...rest } = asResource(parseBody(text).plain);
  if (resourceType !== 'Provenance' || !Array.isArray(reason) || Object.keys(rest).length > 0) {
    const detail = `X-Provenance is a Provenance of ${TAKEN.join(' and ')}: who, when and what the gateway says itself`;
    throw new Refusal('invalid', 'unprocessable', detail);
  }
  const whole = {
    target: [{ display: 'this' }],
    recorded: '2000-01-01T00:00:00Z',
    agent: [{ who: { display: 'me' } }],
  };
  requireValid({ resourceType, ...whole, reason: reason as unknown[] });
  return reason as object[];
}

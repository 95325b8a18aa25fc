/** read and vread (R4 http.html#read, #vread). */
import type { StoredVersion } from '../ports.js';
import { answer, notFound, requireId, versionHeaders, versionIn, visible, type FhirContext } from './context.js';
import { gone } from './outcome.js';
import { provenanceById } from './provenance.js';
import type { FhirRequest, FhirResponse, Interaction } from './request.js';
import { instanceElsewhere, isOfAsked } from './asked-record.js';
import { shaped } from './shape.js';

/**
 * The current version; of a patient kept elsewhere, what a custodian shows. Refused alike: unknown, hidden and
 * deleted for others.
 */
export async function read(
  context: FhirContext,
  request: FhirRequest,
  type: string,
  id: string,
): Promise<FhirResponse> {
  const own = visible(context, request, 'read', [type, id]) ?? derived(context, request, 'read', [type, id]);
  const seen = own !== undefined && isOfAsked(request, own) ? own : undefined;
  if (seen === undefined) {
    const elsewhere = instanceElsewhere(request, type, id);
    const remote = elsewhere && (await context.remote?.read(request, elsewhere));
    if (remote === undefined) throw notFound(type, id);
    return remote;
  }
  if (seen.deleted) return gone(seen.version);
  if (isUnchanged(request, seen)) return { status: 304, headers: versionHeaders(seen) };
  return shaped(answer(seen), request.query);
}

/** Provenance that no client stored. */
function derived(
  context: FhirContext,
  request: FhirRequest,
  interaction: Interaction,
  [type, id]: readonly [string, string],
): StoredVersion | undefined {
  return type === 'Provenance' ? provenanceById(context, request, id, interaction) : undefined;
}

/** Conditional read: what the client already has is not sent again. */
function isUnchanged({ headers }: FhirRequest, seen: StoredVersion): boolean {
  const known = headers['if-none-match'];
  if (known?.trim() === '*') return true;
  // What is no ETag is none that matches: the whole is answered (RFC 9110 section 13.1.2).
  if (known !== undefined) return known.split(',').some((etag) => versionIn(etag) === String(seen.version));
  const modifiedSince = headers['if-modified-since'];
  if (modifiedSince === undefined) return false;
  // HTTP dates have whole seconds.
  return Math.floor(Date.parse(seen.lastUpdated) / 1000) * 1000 <= Date.parse(modifiedSince);
}

/**
 * One version by number; of a patient kept elsewhere, what a custodian shows. Refused as unknown where there is none or the
 * asker may not see it.
 */
export async function vread(
  context: FhirContext,
  request: FhirRequest,
  [type, id, version]: readonly [string, string, string],
): Promise<FhirResponse> {
  requireId(id);
  const number = /^[1-9]\d{0,14}$/.test(version) ? Number(version) : undefined;
  const seen = number === undefined ? undefined : ownVersion(context, request, [type, id, number]);
  if (seen === undefined) {
    const elsewhere = number === undefined ? undefined : instanceElsewhere(request, type, id);
    const shown = elsewhere && (await context.remote?.history(request, elsewhere, number));
    if (shown === undefined) throw notFound(type, id);
    return shown;
  }
  return seen.deleted ? gone(seen.version) : shaped(answer(seen), request.query);
}

function ownVersion(
  context: FhirContext,
  request: FhirRequest,
  [type, id, version]: readonly [string, string, number],
): StoredVersion | undefined {
  const stored = context.projection.version(type, id, version);
  if (stored === undefined) return version === 1 ? derived(context, request, 'vread', [type, id]) : undefined;
  const seen = context.decision.permit(request.actor, stored, 'vread');
  return seen !== undefined && isOfAsked(request, seen) ? seen : undefined;
}

/** What every interaction works with. */
import { provenanceOfId } from '../ehr/provenance-id.js';
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import type { Projection } from '../projection/projection.js';
import type { Sight } from '../projection/search/sight.js';
import type { Chart, FhirPorts, FhirRequest, FhirResponse, Interaction } from './request.js';

/** What the interactions are given: the projection to read, and the seams to write, decide and ask elsewhere. */
export interface FhirContext extends FhirPorts {
  readonly projection: Projection;
  /** Instead of CATCH_UP_MS. */
  readonly catchUpMs?: number;
}

/** How long a read waits for the block its client last saw, and a write for its own block, in ms. */
const CATCH_UP_MS = 10_000;

/** Whether and how long a block is waited for. */
interface Reach extends Pick<FhirContext, 'catchUpMs'> {
  readonly projection: Pick<Projection, 'reached'>;
}

/** Whether the projection has the block, waiting for it a while. */
export function caughtUp({ projection, catchUpMs = CATCH_UP_MS }: Reach, block: number): Promise<boolean> {
  return projection.reached(block, catchUpMs);
}

/** Read your writes: a client that saw a block is answered from a projection that has it. Throws Refusal. */
export async function catchUp(context: Reach, request: Pick<FhirRequest, 'headers'>): Promise<void> {
  const wanted = request.headers['x-min-block'];
  if (wanted === undefined) return;
  if (!/^\d{1,15}$/.test(wanted)) throw new Refusal('invalid', 'bad-value', 'X-Min-Block is a block number');
  if (!(await caughtUp(context, Number(wanted)))) {
    throw new Refusal('unavailable', 'behind', `this gateway has not reached block ${wanted} yet: ask again`);
  }
}

/** The same for what is absent and what must not be seen. */
export function notFound(type: string, id: string): Refusal {
  return new Refusal('not-found', 'not-found', `${type}/${id} is not known here`);
}

/**
 * The version in force, if the actor may see it. Undefined for what is absent and for what is hidden: whatever follows
 * must not tell one from the other. Throws Refusal for what can be no id.
 */
export function visible(
  { projection, decision }: FhirContext,
  { actor }: FhirRequest,
  interaction: Interaction,
  [type, id]: readonly [string, string],
): StoredVersion | undefined {
  requireId(id);
  const stored = projection.current(type, id);
  return stored && decision.permit(actor, stored, interaction);
}

/** Whether an id cannot be given to a new resource: another has it, here out of the actor's sight or elsewhere, or will. */
export function isTaken({ projection, remote }: FhirContext, type: string, id: string): boolean {
  if (type === 'Provenance' && provenanceOfId(id) !== undefined) return true;
  return projection.current(type, id) !== undefined || remote?.holds(type, id) === true;
}

/** An answer about an own patient, with what other custodians hold of the same person. */
export async function joinedBy(
  { join }: FhirContext,
  request: FhirRequest,
  local: FhirResponse,
  chart: Chart,
): Promise<FhirResponse> {
  return join === undefined ? local : await join(request, local, chart);
}

/** What of the stored resources the asker of this request may see. */
export function storedSightOf(context: FhirContext, request: FhirRequest, interaction: Interaction): Sight {
  const { decision } = context;
  return {
    permit: (stored) => decision.permit(request.actor, stored, interaction),
    unrestricted: (type) => decision.unrestricted(request.actor, type),
  };
}

/** Headers that name a version (R4 http.html#versions). */
export function versionHeaders(stored: StoredVersion): Record<string, string> {
  return {
    ETag: etagOf(stored.version),
    'Last-Modified': new Date(stored.lastUpdated).toUTCString(),
    'X-Tx-Id': stored.txId,
    'X-Block': String(stored.block),
  };
}

/** The weak ETag of a version (R4 http.html#versioning). */
export function etagOf(version: number): string {
  return `W/"${version}"`;
}

/** The version in an ETag; undefined when it is none. */
export function versionIn(etag: string): string | undefined {
  return /^\s*(?:W\/)?"([A-Za-z0-9.-]{1,64})"\s*$/.exec(etag)?.[1];
}

/** The version in an If-Match header. Throws Refusal when it is none. */
export function versionOf(etag: string): string {
  const version = versionIn(etag);
  if (version === undefined) throw new Refusal('invalid', 'bad-value', 'an ETag is written W/"1"');
  return version;
}

/** The absolute URL of a version, for `Location`. */
export function locationOf(context: FhirContext, { type, id, version }: StoredVersion): string {
  return `${context.baseUrl}/${type}/${id}/_history/${version}`;
}

/** A stored version as a response, with ETag and Last-Modified. */
export function answer(stored: StoredVersion, status = 200): FhirResponse {
  return { status, headers: versionHeaders(stored), resource: stored.text };
}

/** `.` and `..` would name other places: no address keeps them (RFC 3986 section 5.2.4). */
const ID = /^(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}$/;

/** Throws Refusal for what can be no id (R4 datatypes.html#id). */
export function requireId(id: string): void {
  if (!ID.test(id))
    throw new Refusal(
      'invalid',
      'bad-value',
      'an id has 1 to 64 letters, digits, hyphens and dots, and is not . or ..',
    );
}

/** Provenance that is derived of every write: shown where its target is, beside the Provenance that clients store. */
import { keyStartOf, provenanceId } from '../ehr/provenance-id.js';
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch } from '../projection/generated.js';
import type { HistoryEntry } from '../projection/history.js';
import type { Include, SearchQuery } from '../projection/search/query.js';
import type { SearchResult } from '../projection/search/search.js';
import { sightOf, type FhirContext } from './context.js';
import { derivedProvenance } from './derived-provenance.js';
import { isDerivable, namedBy, suits } from './provenance-filter.js';
import type { FhirRequest, Interaction } from './request.js';

/** What of a version's Provenance the asker may see: nothing unless the version itself is shown. */
function provenanceOf(
  { member, decision }: FhirContext,
  { actor }: FhirRequest,
  stored: StoredVersion,
  interaction: Interaction,
): StoredVersion | undefined {
  if (member === undefined || decision.permit(actor, stored, interaction) === undefined) return undefined;
  const made = derivedProvenance(stored, member);
  return made && decision.permit(actor, made, interaction);
}

/** The derived Provenance with the id, as far as the asker may see it. */
export function provenanceById(
  context: FhirContext,
  request: FhirRequest,
  id: string,
  interaction: Interaction,
): StoredVersion | undefined {
  const [entry] = keyed(context, id);
  return entry && provenanceOf(context, request, entry.stored, interaction);
}

/** Of every version of these resources, oldest first. */
export function provenancesOf(
  context: FhirContext,
  request: FhirRequest,
  resources: readonly StoredVersion[],
  interaction: Interaction,
): readonly StoredVersion[] {
  if (context.member === undefined) return [];
  const limit = context.projection.limits.record;
  const found: StoredVersion[] = [];
  for (const { type, id } of resources) {
    for (const { stored } of context.projection.history({ type, id, ascending: true, limit })) {
      const shown = provenanceOf(context, request, stored, interaction);
      if (shown !== undefined) found.push(shown);
      if (found.length > limit) throw new Refusal('invalid', 'too-costly', 'too much Provenance for one answer');
    }
  }
  return found;
}

/** Whether an include is of what Provenance is about. */
export function isOfTarget({ type, entry }: Include): boolean {
  return type === 'Provenance' && entry.number === generatedSearch().parameters.Provenance?.target?.number;
}

/** `Type/id` that a derived Provenance is about; undefined for any other resource. */
export function targetsOf({ type, id, text }: StoredVersion): readonly string[] | undefined {
  if (type !== 'Provenance' || keyStartOf(id) === undefined) return undefined;
  const { target } = JSON.parse(text) as { target: readonly { reference: string }[] };
  return target.map(({ reference }) => reference.split('/_history/')[0] ?? '');
}

/** A page of Provenance: what clients stored comes first, then what is derived, each in the order asked for. */
export interface ProvenancePage extends SearchResult {
  /** The search asks for something that derived Provenance is not found by: it is left out. */
  readonly isPartial: boolean;
}

const CURSOR = /^derived\.(\d{1,15})$/;

/** Runs a search of the type Provenance. Throws Refusal where it would look at too much. */
export function searchProvenance(context: FhirContext, request: FhirRequest, query: SearchQuery): ProvenancePage {
  const from = CURSOR.exec(query.cursor ?? '')?.[1];
  const stored: SearchResult =
    from === undefined ? context.projection.search.run(query, sightOf(context, request, 'search')) : { matches: [] };
  if (context.member === undefined) return { ...stored, isPartial: false };
  if (!isDerivable(query)) return { ...stored, isPartial: true };
  if (query.countOnly) {
    const all = derivedPage(context, request, query, { room: Infinity });
    return { matches: [], total: (stored.total ?? 0) + all.found.length, isPartial: false };
  }
  if (stored.next !== undefined) return { matches: stored.matches, next: stored.next, isPartial: false };
  const after = from === undefined ? {} : { after: Number(from) };
  return { ...filledUp(context, request, query, { matches: stored.matches, ...after }), isPartial: false };
}

/** The page with what is derived behind what was stored; the total where the page is all there is. */
function filledUp(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  { matches, after }: { readonly matches: readonly StoredVersion[]; readonly after?: number },
): SearchResult {
  const from = after === undefined ? {} : { after };
  const { found, next } = derivedPage(context, request, query, { room: query.count - matches.length, ...from });
  const all = [...matches, ...found];
  if (next !== undefined) return { matches: all, next };
  return query.cursor === undefined ? { matches: all, total: all.length } : { matches: all };
}

/** Up to `room` that are derived of versions beyond the number `after`, and where the next page starts. */
function derivedPage(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  { room, after }: { readonly room: number; readonly after?: number },
): { readonly found: readonly StoredVersion[]; readonly next?: string } {
  const found: StoredVersion[] = [];
  let last = after ?? (isDescending(query) ? Number.MAX_SAFE_INTEGER : 0);
  let examined = 0;
  for (const { position, stored } of versions(context, query, last)) {
    if (++examined > context.projection.limits.examined) {
      throw new Refusal('invalid', 'too-costly', 'the search looks at too many versions: name a target');
    }
    if (!suits(stored, query, `${context.baseUrl}/`)) continue;
    const shown = provenanceOf(context, request, stored, 'search');
    if (shown === undefined) continue;
    if (found.length === room) return { found, next: `derived.${last}` };
    found.push(shown);
    last = position;
  }
  return { found };
}

function isDescending({ sort }: SearchQuery): boolean {
  return sort[0]?.descending === true;
}

/** Rows read at a time. */
const ROWS = 500;

/** Versions that the search may be about, beyond a position in its order. */
function* versions(context: FhirContext, query: SearchQuery, start: number): Generator<HistoryEntry> {
  const { projection, baseUrl } = context;
  const order = isDescending(query) ? {} : { ascending: true };
  const { resources, ids } = namedBy(query, `${baseUrl}/`);
  const named =
    resources?.flatMap((each) => projection.history({ ...each, ...order, beyond: start, limit: ROWS * ROWS })) ??
    ids?.flatMap((id) => keyed(context, id));
  if (named !== undefined) {
    const sign = isDescending(query) ? -1 : 1;
    yield* named
      .filter(({ position }) => sign * (position - start) > 0)
      .sort((one, other) => sign * (one.position - other.position));
    return;
  }
  let beyond = start;
  for (;;) {
    const entries = projection.history({ ...order, beyond, limit: ROWS });
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined || entries.length < ROWS) return;
    beyond = last.position;
  }
}

/** The version whose Provenance has the id. */
function keyed({ projection }: FhirContext, id: string): HistoryEntry[] {
  const start = keyStartOf(id);
  const found = start === undefined ? [] : projection.keyed(start);
  return found.filter(({ stored }) => provenanceId(stored.ledgerKey) === id);
}

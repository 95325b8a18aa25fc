/** Provenance that is derived of every write: shown where its target is, beside the Provenance that clients store. */
import { setImmediate as turn } from 'node:timers/promises';

import { provenanceId, provenanceOfId } from '../ehr/provenance-id.js';
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { indexerOf } from '../projection/generated.js';
import type { HistoryEntry } from '../projection/history.js';
import type { Filter, SearchQuery } from '../projection/search/query.js';
import type { SearchResult } from '../projection/search/search.js';
import type { Derived } from '../projection/search/sight.js';
import { IndexRows } from '../projection/values/rows.js';
import { storedSightOf, type FhirContext } from './context.js';
import { derivedProvenance } from './derived-provenance.js';
import type { JsonObject } from './json.js';
import { isDerivable, namedBy, suits, withoutChains } from './provenance-filter.js';
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

/** `Type/id` that a derived Provenance refers to by a parameter's number; undefined for any other resource. */
export function refersTo(stored: StoredVersion, parameter: number): readonly string[] | undefined {
  const { type, id } = stored;
  if (type !== 'Provenance' || provenanceOfId(id) === undefined) return undefined;
  const rows = new IndexRows();
  indexerOf(type).index(JSON.parse(stored.text) as JsonObject, rows);
  return [...new Set(rows.terms.flatMap((term) => (term.parameter === parameter ? [term.a] : [])))];
}

/** What is derived and meets a condition, for a search of another type that asks for it. Throws Refusal beyond the limit. */
export function derivedMeeting(
  context: FhirContext,
  request: FhirRequest,
  filter: Filter,
  interaction: Interaction,
): readonly Derived[] {
  const { chainWidth } = context.projection.limits;
  const query: SearchQuery = { ...ANY, filters: [filter] };
  if (context.member === undefined || !isDerivable(query)) return [];
  const { found, next } = derivedPage(context, request, query, { room: chainWidth, interaction });
  if (next !== undefined) {
    throw new Refusal('invalid', 'too-costly', 'the search passes through too much Provenance: narrow it');
  }
  return found.map((made) => ({
    name: `Provenance/${made.id}`,
    refersTo: (parameter) => refersTo(made, parameter) ?? [],
  }));
}

const ANY: SearchQuery = {
  ...{ type: 'Provenance', filters: [], sort: [], count: 0, includes: [], total: 'none', countOnly: false },
};

/** Of every version up to a number, with that version; oldest first, others having their turn meanwhile. */
export async function* provenancesUpTo(
  context: FhirContext,
  request: FhirRequest,
  newest: number,
): AsyncGenerator<StoredVersion> {
  if (context.member === undefined) return;
  for (let beyond = 0; ;) {
    const entries = context.projection.history({ ascending: true, beyond, limit: ROWS });
    for (const { position, stored } of entries) {
      if (position > newest) return;
      const shown = provenanceOf(context, request, stored, 'operation');
      if (shown !== undefined) yield shown;
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < ROWS) return;
    beyond = last.position;
    await turn();
  }
}

/** A page of Provenance: what clients stored comes first, then what is derived, each in the order asked for. */
export interface ProvenancePage extends SearchResult {
  /** The search asks for something that derived Provenance is not found by: it is left out. */
  readonly isPartial: boolean;
}

const CURSOR = /^derived\.(\d{1,15})$/;

/** Runs a search of the type Provenance. Throws Refusal where it would look at too much. */
export function searchProvenance(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  interaction: Interaction,
): ProvenancePage {
  const from = CURSOR.exec(query.cursor ?? '')?.[1];
  const stored: SearchResult =
    from === undefined
      ? context.projection.search.run(query, storedSightOf(context, request, interaction))
      : { matches: [] };
  if (context.member === undefined) return { ...stored, isPartial: false };
  if (!isDerivable(query)) return { ...stored, isPartial: true };
  if (query.countOnly) {
    const all = derivedPage(context, request, query, { room: Infinity, interaction });
    return { matches: [], total: (stored.total ?? 0) + all.found.length, isPartial: false };
  }
  // What is derived comes after: how many there are is not known yet.
  if (stored.next !== undefined) return { ...withoutTotal(stored), isPartial: false };
  const after = from === undefined ? {} : { after: Number(from) };
  return { ...filledUp(context, request, query, { matches: stored.matches, interaction, ...after }), isPartial: false };
}

function withoutTotal({ matches, next, previous }: SearchResult): SearchResult {
  return { matches, ...(next === undefined ? {} : { next }), ...(previous === undefined ? {} : { previous }) };
}

/** The page with what is derived behind what was stored; the total where the page is all there is. */
function filledUp(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  { matches, ...goOn }: { readonly matches: readonly StoredVersion[] } & Omit<Room, 'room'>,
): SearchResult {
  const { found, next } = derivedPage(context, request, query, { room: query.count - matches.length, ...goOn });
  const all = [...matches, ...found];
  if (next !== undefined) return { matches: all, next };
  return query.cursor === undefined ? { matches: all, total: all.length } : { matches: all };
}

/** How many fit, beyond which version, and what they are asked for by. */
interface Room {
  readonly room: number;
  readonly after?: number;
  readonly interaction: Interaction;
}

/** Up to `room` that are derived of versions beyond the number `after`, and where the next page starts. */
function derivedPage(
  context: FhirContext,
  request: FhirRequest,
  query: SearchQuery,
  { room, after, interaction }: Room,
): { readonly found: readonly StoredVersion[]; readonly next?: string } {
  const { search } = context.projection;
  const asked = withoutChains(query, (type, filter) =>
    search.named(type, filter, storedSightOf(context, request, interaction)),
  );
  const found: StoredVersion[] = [];
  let last = after ?? (isDescending(query) ? Number.MAX_SAFE_INTEGER : 0);
  let examined = 0;
  for (const { position, stored } of versions(context, asked, last)) {
    if (++examined > context.projection.limits.examined) {
      throw new Refusal('invalid', 'too-costly', 'the search looks at too many versions: name a target');
    }
    if (!suits(stored, asked, `${context.baseUrl}/`)) continue;
    const shown = provenanceOf(context, request, stored, interaction);
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
  const of = provenanceOfId(id);
  if (of === undefined) return [];
  if (of.kind === 'clinical') {
    return projection.keyed(of.keyStart).filter(({ stored }) => provenanceId(stored) === id);
  }
  const named = of.kind === 'consent' ? { id: of.id } : {};
  const versions = projection.history({ type: 'Consent', ...named, limit: projection.limits.examined });
  return versions.filter(({ stored }) => stored.version === of.version && provenanceId(stored) === id);
}

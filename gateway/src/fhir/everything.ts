/** Patient/{id}/$everything: the patient's compartment and what it refers to (R4 operation-patient-everything). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch, isResourceType } from '../projection/generated.js';
import { bundleText } from './bundle-text.js';
import { joinedBy, notFound, requireId, type FhirContext } from './context.js';
import { gone } from './outcome.js';
import type { FhirRequest, FhirResponse } from './request.js';

/**
 * The patient's record as the asker may see it; of a patient kept elsewhere, what the custodians show. Refuses an
 * unknown id.
 */
export async function everything(context: FhirContext, request: FhirRequest, id: string): Promise<FhirResponse> {
  requireId(id);
  // Said first, whatever is found.
  wantedOf(request.query);
  const may = (each: StoredVersion): readonly StoredVersion[] => {
    const shown = context.decision.permit(request.actor, each, 'operation');
    return shown === undefined ? [] : [shown];
  };
  const stored = context.projection.current('Patient', id);
  const isOpen = stored !== undefined && context.decision.opens(request.actor, id);
  const record = isOpen ? context.projection.compartment(id).flatMap(may) : [];
  // Who sees nothing of the record is told what is told of a record nobody has.
  if (!isOpen || (record.length === 0 && may(stored).length === 0)) {
    const remote = await context.remote?.everything(request, id);
    if (remote === undefined) throw notFound('Patient', id);
    return remote;
  }
  if (stored.deleted && record.length === 0) return gone(stored.version);
  const local = searchsetOf(context, request, id, record.concat(referred(context, record).flatMap(may)));
  return await joinedBy(context, request, local, { patient: id });
}

function searchsetOf(
  context: FhirContext,
  request: FhirRequest,
  id: string,
  seen: readonly StoredVersion[],
): FhirResponse {
  const entries = seen.filter(wantedOf(request.query)).map((each) => ({
    fullUrl: `${context.baseUrl}/${each.type}/${each.id}`,
    resource: each.text,
    more: { search: { mode: each.patient === id ? 'match' : 'include' } },
  }));
  const link = [{ relation: 'self', url: `${context.baseUrl}/${request.path}` }];
  const resource = bundleText({ type: 'searchset', total: entries.length, link }, entries);
  return { status: 200, headers: {}, resource };
}

/** By `_type` and `_since`. */
function wantedOf(query: URLSearchParams): (stored: StoredVersion) => boolean {
  const types = query.get('_type')?.split(',');
  const unknown = types?.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw new Refusal('invalid', 'bad-value', '_type names a type that R4 does not have');
  const since = query.get('_since');
  const time = since === null ? -Infinity : Date.parse(since);
  if (Number.isNaN(time))
    throw new Refusal('invalid', 'bad-value', '_since is an instant such as 2026-01-31T10:00:00Z');
  return (stored) => (types === undefined || types.includes(stored.type)) && Date.parse(stored.lastUpdated) >= time;
}

/** Resources outside the compartment that it refers to: practitioners, organizations, medications. */
function referred(context: FhirContext, record: readonly StoredVersion[]): StoredVersion[] {
  const { compartments } = generatedSearch();
  const known = new Set(record.map(({ type, id }) => `${type}/${id}`));
  return context.projection
    .referred(record)
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const [type = '', id = ''] = name.split('/');
      // What lies in compartments belongs to some patient: it never comes along with another one's record.
      if (type === 'Patient' || (compartments[type]?.length ?? 0) > 0) return [];
      const found = context.projection.current(type, id);
      return found === undefined || found.deleted ? [] : [found];
    });
}

/** Encounter/{id}/$everything: the encounter's compartment and what it refers to (R4 operation-encounter-everything). */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch } from '../projection/generated.js';
import { COMPARTMENTS } from './compartments.js';
import { notFound, visible, type FhirContext } from './context.js';
import { recordAnswer, referred, wantedOf } from './everything.js';
import { gone } from './outcome.js';
import type { FhirRequest, FhirResponse } from './request.js';

/** The encounter first, then what lies in it, then its Patient and what else is referred to. Throws Refusal 404. */
export function encounterEverything(context: FhirContext, request: FhirRequest, id: string): FhirResponse {
  const isWanted = wantedOf(request.query, []);
  const encounter = visible(context, request, 'operation', ['Encounter', id]);
  if (encounter === undefined) throw notFound('Encounter', id);
  if (encounter.deleted) return gone(encounter.version);
  const may = (each: StoredVersion): readonly StoredVersion[] => {
    const shown = context.decision.permit(request.actor, each, 'operation');
    return shown === undefined ? [] : [shown];
  };
  const record = [encounter, ...within(context, id).flatMap(may)];
  const others = [...patientOf(context, encounter), ...referred(context, record)].flatMap(may);
  return recordAnswer(context, request, [...record, ...others].filter(isWanted), (each) => record.includes(each));
}

/** What lies in the encounter's compartment, each once. Throws Refusal when it is too much. */
function within({ projection }: FhirContext, id: string): StoredVersion[] {
  const { parameters } = generatedSearch();
  const most = projection.limits.record;
  const found = new Map<string, StoredVersion>();
  for (const [type, codes] of Object.entries(COMPARTMENTS.Encounter ?? {})) {
    for (const { number } of codes.flatMap((code) => parameters[type]?.[code] ?? [])) {
      for (const each of projection.search.referrers(type, number, [`Encounter/${id}`], most + 1)) {
        found.set(`${type}/${each.id}`, each);
      }
    }
    if (found.size > most) {
      throw new Refusal('invalid', 'too-costly', 'the record is too large for one answer: search it by type');
    }
  }
  return [...found.values()];
}

function patientOf({ projection }: FhirContext, { patient }: StoredVersion): StoredVersion[] {
  const found = patient === undefined ? undefined : projection.current('Patient', patient);
  return found === undefined || found.deleted ? [] : [found];
}

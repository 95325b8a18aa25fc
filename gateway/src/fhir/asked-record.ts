/**
 * In whose record a single resource is asked for: an id alone does not say which hospital to ask, so that reads and histories
 * take the parameter `patient` beside those of R4. A Patient is its own record.
 */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import type { FhirRequest, RemoteInstance } from './request.js';

/** Parameter of read, vread and an instance's history that names the patient: `ann` or `Patient/ann`. */
export const ASKED_RECORD = 'patient';

/** FHIR id of the patient in whose record it is asked for; undefined where that is not said. Throws Refusal for what can be none. */
function askedRecord({ query }: Pick<FhirRequest, 'query'>): string | undefined {
  const named = query.get(ASKED_RECORD);
  if (named === null) return undefined;
  const id = /^(?:Patient\/)?([A-Za-z0-9.-]{1,64})$/.exec(named)?.[1];
  if (id === undefined) throw new Refusal('invalid', 'bad-value', 'patient is the id of one Patient');
  return id;
}

/** Whether a version is in the record that is asked for; always where none is named. */
export function isOfAsked(request: Pick<FhirRequest, 'query'>, { type, id, patient }: StoredVersion): boolean {
  const asked = askedRecord(request);
  return asked === undefined || asked === (type === 'Patient' ? id : patient);
}

/** What other members may be asked for; undefined where nobody says whose record it is in. */
export function instanceElsewhere(
  request: Pick<FhirRequest, 'query'>,
  type: string,
  id: string,
): RemoteInstance | undefined {
  const asked = askedRecord(request);
  if (type === 'Patient') return asked === undefined || asked === id ? { type, id, patient: id } : undefined;
  return asked === undefined ? undefined : { type, id, patient: asked };
}

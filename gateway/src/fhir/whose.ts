/** Whose data a resource is: the patients who must permit that it is seen, the one whose record it is part of first. Pure. */
import { DIRECTORY } from '../identity/scopes.js';
import { indexerOf, isResourceType } from '../projection/generated.js';
import { Refusal } from '../ledger/refusal.js';
import { patientOf } from '../projection/values/reference.js';
import type { JsonObject } from './json.js';
import { referencesIn } from './references.js';

/** FHIR ids of patients whose data a resource is that is stored, or about to be, the one to whose record it belongs first. */
export type RecordOf = (type: string, id: string) => readonly string[];

/** Elements that say whom or what a resource is about. Who wrote, performed, sent or received it stands elsewhere. */
const SUBJECTS = ['subject', 'patient', 'beneficiary', 'individual', 'for', 'securityContext', 'target'];
/** Elements that lead to what a resource goes with, where it says of nobody that it is about them. */
const AROUND = ['focus', 'source', 'item', 'request', 'response', 'about', 'partOf', 'basedOn', 'encounter', 'context'];
/** A worklist names patients without being about them. */
const LISTING = ['List'];

/**
 * FHIR ids of the patients whose data a resource is: those it is about, directly or through what is stored (R4's `subject`,
 * `patient` and the like); else those in whose compartments R4 puts it (compartmentdefinition-patient.html), the author of
 * what is about nobody among them; else those of what it goes with, or whom it names at all. None of what describes the
 * hospital.
 */
export function whoseData(resource: JsonObject, recordOf: RecordOf): readonly string[] {
  const type = String(resource.resourceType);
  if (DIRECTORY.includes(type) || !isResourceType(type)) return [];
  if (type === 'Patient') return typeof resource.id === 'string' ? [resource.id] : [];
  const ways = [
    () => named(resource, SUBJECTS, recordOf),
    () => indexerOf(type).patients(resource),
    () => inEntries(resource, recordOf),
    () => named(resource, AROUND, recordOf),
    () => (LISTING.includes(type) ? [] : direct(resource)),
  ];
  for (const way of ways) {
    const found = way();
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Throws Refusal 422 where a resource is about a Patient that it contains: who that is nobody knows, so that nobody's
 * consent could be asked, and the data would stand in nobody's record.
 */
export function requireKnownSubject(resource: JsonObject): void {
  for (const each of withAllHeld(resource)) {
    const element = SUBJECTS.find((name) => literals(each[name]).some((literal) => leadsToContained(each, literal)));
    if (element === undefined) continue;
    const detail = `${String(each.resourceType)}.${element} is a contained Patient, in whose record nothing can stand: write the Patient and refer to it`;
    throw new Refusal('invalid', 'unprocessable', detail);
  }
}

function leadsToContained({ contained }: JsonObject, literal: string): boolean {
  if (!literal.startsWith('#') || !Array.isArray(contained)) return false;
  const found = (contained as readonly JsonObject[]).find(({ id }) => id === literal.slice(1));
  return found?.resourceType === 'Patient';
}

const LOCAL = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/;

/** Patients that the elements name, or to whose records belongs what they name. */
function named(resource: JsonObject, elements: readonly string[], recordOf: RecordOf): readonly string[] {
  const found = elements.flatMap((element) => literals(resource[element]));
  const ids = found.flatMap((literal) => {
    const [, type = '', id = ''] = LOCAL.exec(literal) ?? [];
    return type === 'Patient' ? [id] : recordOf(type, id);
  });
  return [...new Set(ids)];
}

/** Patients of what a Bundle holds: the record of a document is that of its Composition, which comes first. */
function inEntries(resource: JsonObject, recordOf: RecordOf): readonly string[] {
  return [...new Set(heldIn(resource).flatMap((each) => whoseData(each, recordOf)))];
}

function heldIn({ resourceType, entry }: JsonObject): readonly JsonObject[] {
  if (resourceType !== 'Bundle' || !Array.isArray(entry)) return [];
  const entries = entry as readonly { readonly resource?: JsonObject }[];
  return entries.flatMap(({ resource }): readonly JsonObject[] => (resource === undefined ? [] : [resource]));
}

/** A resource and all that it holds, Bundles in Bundles too. */
function withAllHeld(resource: JsonObject): readonly JsonObject[] {
  return [resource, ...heldIn(resource).flatMap(withAllHeld)];
}

/** Types of what a Bundle holds. */
export function heldTypes(bundle: JsonObject): readonly string[] {
  return [...new Set(heldIn(bundle).map(({ resourceType }) => String(resourceType)))];
}

function direct(resource: JsonObject): readonly string[] {
  const ids = new Set<string>();
  for (const reference of literals(resource)) patientOf({ reference }, ids);
  return [...ids];
}

function literals(value: unknown): readonly string[] {
  return referencesIn(value, '').map(({ reference }) => reference);
}

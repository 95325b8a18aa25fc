/** What of a stored version is decided on: whose data it is, and the text it is judged by. */
import type { JsonObject } from '../fhir/json.js';
import { heldTypes, whoseData } from '../fhir/whose.js';
import { DIRECTORY } from '../identity/scopes.js';
import type { StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import type { RecordIndex } from './relationships.js';

type Index = Pick<RecordIndex, 'current' | 'version'>;

/** FHIR ids of the patients who must permit that a version is seen, the one whose record it is part of first. */
export function concernedBy(stored: StoredVersion, index: Index): readonly string[] {
  const { type, patient } = stored;
  if (patient === undefined && DIRECTORY.includes(type)) return [];
  if (type === 'Patient') return [stored.id];
  const text = textBehind(stored, index);
  // Most name one patient, or refer to nothing at all: those are not taken apart.
  if (patient === undefined) return text.includes('"reference"') ? derived(text, index) : [];
  if (text === '' || isOnlyOf(patient, text)) return [patient];
  return [...new Set([patient, ...derived(text, index)])];
}

function derived(text: string, index: Index): readonly string[] {
  return whoseData(JSON.parse(text) as JsonObject, (type, id) => index.current(type, id)?.patient);
}

const PATIENT = /\bPatient\/([A-Za-z0-9.-]{1,64})/g;

/** Whether a text names this patient and no other, so that nothing in it has to be looked for. */
function isOnlyOf(patient: string, text: string): boolean {
  let isNamed = false;
  for (const [, id] of text.matchAll(PATIENT)) {
    if (id !== patient) return false;
    isNamed = true;
  }
  return isNamed;
}

/** Types of what a Bundle holds; of another type nothing. */
export function typesHeld(stored: Pick<StoredVersion, 'type' | 'text' | 'outline'>): readonly string[] {
  const text = stored.type === 'Bundle' ? outlineOf(stored) : '';
  return text === '' ? [] : heldTypes(JSON.parse(text) as JsonObject);
}

/** The text of a version, or of a deletion that of the version before it: what was denied stays denied when it is deleted. */
export function textBehind(stored: StoredVersion, index: Index): string {
  const { type, id, version, deleted } = stored;
  if (!deleted) return outlineOf(stored);
  for (let before = version - 1; before > 0; before -= 1) {
    const last = index.version(type, id, before);
    if (last !== undefined) return outlineOf(last);
  }
  return '';
}

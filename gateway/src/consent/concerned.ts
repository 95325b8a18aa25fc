/** What of a stored version is decided on: whose data it is, and the text it is judged by. */
import type { JsonObject } from '../fhir/json.js';
import { heldTypes, whoseData } from '../fhir/whose.js';
import { DIRECTORY } from '../identity/scopes.js';
import type { StoredVersion } from '../ports.js';
import { outlineOf, retold } from '../projection/stored.js';
import type { RecordIndex } from './relationships.js';

type Index = Pick<RecordIndex, 'current' | 'version' | 'attaching'>;

/** Whether there was such a resource whose record is erased. */
export type WasErased = (type: string, id: string) => boolean;

/** How far it is followed what refers to what; of what is further away counts the record it is part of. */
const DEPTH = 16;

/** What a look at a version has come upon. */
interface Look {
  readonly index: Index;
  readonly wasErased: WasErased;
  isOfErased: boolean;
}

/**
 * FHIR ids of the patients who must permit that a version is seen, the one whose record it is part of first: also all
 * whom what it refers to is about. Undefined for what was about somebody whose record is erased and is about nobody else.
 */
export function concernedBy(stored: StoredVersion, index: Index, wasErased: WasErased): readonly string[] | undefined {
  const look = { index, wasErased, isOfErased: false };
  const found = patientsOf(stored, look, []);
  return found.length === 0 && look.isOfErased ? undefined : found;
}

/** `around`: names of what led here. Resources may refer to each other. */
function patientsOf(stored: StoredVersion, look: Look, around: readonly string[]): readonly string[] {
  const { type, patient } = stored;
  if (patient === undefined && DIRECTORY.includes(type)) return [];
  if (type === 'Patient') return [stored.id];
  const path = [...around, `${type}/${stored.id}`];
  const found = patientsIn(textBehind(stored, look.index), patient, look, path);
  return type === 'Binary' ? [...new Set([...found, ...ofAttaching(stored, look, path)])] : found;
}

function patientsIn(text: string, patient: string | undefined, look: Look, path: readonly string[]): readonly string[] {
  // Most name one patient, or refer to nothing at all: those are not taken apart.
  if (patient === undefined) return text.includes('"reference"') ? derived(text, look, path) : [];
  if (text === '' || isOnlyOf(patient, text)) return [patient];
  return [...new Set([patient, ...derived(text, look, path)])];
}

function derived(text: string, look: Look, path: readonly string[]): readonly string[] {
  return whoseData(JSON.parse(text) as JsonObject, (type, id) => {
    const target = look.index.current(type, id);
    if (target === undefined) {
      look.isOfErased ||= look.wasErased(type, id);
      return [];
    }
    const isEnd = path.length >= DEPTH || path.includes(`${type}/${id}`);
    return isEnd ? [target.patient ?? []].flat() : patientsOf(target, look, path);
  });
}

/** Patients of what attaches a Binary, which is mostly written first and says of nobody itself. */
function ofAttaching({ id }: StoredVersion, look: Look, path: readonly string[]): readonly string[] {
  if (path.length >= DEPTH) return [];
  const attaching = look.index.attaching(id).filter(({ type, id: own }) => !path.includes(`${type}/${own}`));
  return attaching.flatMap((each) => patientsOf(each, look, path));
}

const PATIENT = /\bPatient\/([A-Za-z0-9.-]{1,64})/g;
/** A reference that may lead to another patient, or be written in a way that is not looked through here. */
const LEADING = new RegExp(
  String.raw`(?<!"encounter":\{)"reference"(?!:"(?:#|(?:Patient|${DIRECTORY.join('|')})/))|\\[u/]`,
);

/** Whether a text names this patient and no other, and leads to none, so that nothing in it has to be looked for. */
function isOnlyOf(patient: string, text: string): boolean {
  let isNamed = false;
  for (const [, id] of text.matchAll(PATIENT)) {
    if (id !== patient) return false;
    isNamed = true;
  }
  return isNamed && !LEADING.test(text);
}

/** Types of what a Bundle holds; of another type nothing. */
export function typesHeld(stored: Pick<StoredVersion, 'type' | 'text' | 'outline'>): readonly string[] {
  const text = stored.type === 'Bundle' ? outlineOf(stored) : '';
  return text === '' ? [] : heldTypes(JSON.parse(text) as JsonObject);
}

/** The text of a version, or of a deletion that of the version before it: what was denied stays denied when it is deleted. */
export function textBehind(stored: StoredVersion, index: Pick<Index, 'version'>): string {
  const { type, id, version, deleted } = stored;
  if (!deleted) return outlineOf(stored);
  for (let before = version - 1; before > 0; before -= 1) {
    const last = index.version(type, id, before);
    if (last !== undefined) return outlineOf(last);
  }
  return '';
}

/**
 * An earlier version as it is judged: with the security labels of the version in force beside its own, for what was found to
 * be sensitive was so before anybody labelled it.
 */
export function labelledAsNow(stored: StoredVersion, index: Pick<Index, 'current' | 'version'>): StoredVersion {
  const current = index.current(stored.type, stored.id);
  if (current === undefined || current.version === stored.version) return stored;
  const labels = labelsIn(textBehind(current, index));
  if (labels.length === 0) return stored;
  const { meta, ...rest } = JSON.parse(outlineOf(stored)) as JsonObject;
  const security = [...labelsIn(outlineOf(stored)), ...labels];
  const text = JSON.stringify({ ...rest, meta: { ...(meta as object), security } });
  return stored.outline === undefined ? { ...stored, text } : retold(stored, text, () => text);
}

function labelsIn(text: string): readonly object[] {
  if (!text.includes('"security"')) return [];
  const { meta } = JSON.parse(text) as { readonly meta?: { readonly security?: readonly object[] } };
  return meta?.security ?? [];
}

/**
 * By what a Binary is decided, which says of nobody whose content it is: by all that attaches it, and by its
 * `securityContext` (R4 binary.html), each as if it were asked for itself.
 */
import { authorOf } from '../fhir/derived-provenance.js';
import type { JsonObject } from '../fhir/json.js';
import { LITERAL } from '../fhir/references.js';
import type { Actor, StoredVersion } from '../ports.js';
import { outlineOf, retold } from '../projection/stored.js';
import { literalOf } from '../projection/values/reference.js';
import { textBehind } from './concerned.js';
import type { RecordIndex } from './relationships.js';
import { REST_TYPE } from './rest.js';

type Index = Pick<RecordIndex, 'current' | 'version' | 'attaching' | 'base'>;

/**
 * What decides on a Binary beside itself; undefined for any other type, none where nothing attaches it yet. Another Binary
 * speaks for none.
 */
export function decidingOn(stored: StoredVersion, index: Index): readonly StoredVersion[] | undefined {
  if (stored.type !== 'Binary') return undefined;
  const [, type = '', id = ''] = LITERAL.exec(securityContextOf(stored, index)) ?? [];
  const proxy = type === '' ? undefined : index.current(type, id);
  return [...(proxy === undefined ? [] : [proxy]), ...index.attaching(stored.id).map(wholeOf)].filter(
    (each) => each.type !== 'Binary',
  );
}

/** A consent's attachments are kept apart from it. */
function wholeOf(stored: StoredVersion): StoredVersion {
  if (stored.type !== REST_TYPE) return stored;
  return Object.assign(
    retold(stored, outlineOf(stored), () => stored.text),
    { type: 'Consent' },
  );
}

/** Whether this person wrote the version, as the patient or for the same one. */
export function isWrittenBy(stored: StoredVersion, { member, user, patient }: Actor): boolean {
  const by = authorOf(stored);
  return by !== undefined && user !== '' && by.member === member && by.user === user && by.patient === patient;
}

function securityContextOf(stored: StoredVersion, index: Index): string {
  const text = textBehind(stored, index);
  if (!text.includes('"securityContext"')) return '';
  const { securityContext } = JSON.parse(text) as JsonObject;
  const { reference } = (securityContext ?? {}) as JsonObject;
  return typeof reference === 'string' ? literalOf(reference, index.base).target : '';
}

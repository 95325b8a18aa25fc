/** Terminology that an operation is about. */
import { Refusal } from '../../ledger/refusal.js';
import type { TerminologyType, Vocabulary } from '../../projection/search/vocabulary.js';
import { notFound, storedSightOf, visible, type FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest } from '../request.js';

/** Terminology as the asker of this request knows it. */
export function vocabularyOf(context: FhirContext, request: FhirRequest): Vocabulary {
  return context.projection.search.vocabulary(storedSightOf(context, request, 'operation'));
}

/** How an operation says which resource it is about. */
export interface Named {
  readonly type: TerminologyType;
  /** Of the instance the operation is asked of. */
  readonly id?: string | undefined;
  /** Sent with the request. */
  readonly given?: JsonObject | undefined;
  readonly url?: string | undefined;
  readonly version?: string | undefined;
}

/** The resource an operation is about. Throws Refusal 404 for an unknown one, 400 where none is named. */
export function demandKnown(
  context: FhirContext,
  request: FhirRequest,
  vocabulary: Vocabulary,
  { type, id, given, url, version }: Named,
): JsonObject {
  if (id !== undefined) {
    const stored = visible(context, request, 'operation', [type, id]);
    if (stored === undefined || stored.deleted) throw notFound(type, id);
    return JSON.parse(stored.text) as JsonObject;
  }
  if (given !== undefined) return given;
  if (url === undefined) throw new Refusal('invalid', 'structure', `say which ${type}: by its URL, or as an instance`);
  const found = vocabulary.find(type, version === undefined || url.includes('|') ? url : `${url}|${version}`);
  if (found === undefined)
    throw new Refusal('not-found', 'not-found', `the ${type} ${url.slice(0, 200)} is not known here`);
  return found;
}

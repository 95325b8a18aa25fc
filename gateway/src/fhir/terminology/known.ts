/** Terminology that is known: resources stored here, as the asker may see them, and what R4 itself defines. */
import { Refusal } from '../../ledger/refusal.js';
import type { Terminology } from '../../projection/compile/terminology.js';
import { generatedDefinitions } from '../../projection/generated.js';
import type { Vocabulary } from '../../projection/search/code-set.js';
import { escaped } from '../../projection/search/values.js';
import { notFound, visible, type FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest } from '../request.js';

/** Types that terminology is in. */
export type TerminologyType = 'CodeSystem' | 'ValueSet' | 'ConceptMap';

let own: Terminology | undefined;

/** The one of a URL, with `|version` where one is meant; what is stored comes before what R4 defines, the newest first. */
export function known(
  context: FhirContext,
  { actor }: FhirRequest,
  type: TerminologyType,
  canonical: string,
): JsonObject | undefined {
  const [url = '', version] = canonical.split('|');
  const stored = context.projection
    .holding(type, 'url', escaped(url))
    .flatMap((each) => context.decision.permit(actor, each, 'operation') ?? [])
    .map(({ text }) => JSON.parse(text) as JsonObject)
    .reverse();
  own ??= generatedDefinitions('terminology') as Terminology;
  const defined = own[type];
  const found = defined !== undefined && Object.hasOwn(defined, url) ? [...stored, defined[url]] : stored;
  return found.find((each) => version === undefined || each?.version === version);
}

/** The same for whatever a value set refers to, each looked for once. */
export function vocabularyOf(context: FhirContext, request: FhirRequest): Vocabulary {
  const found = new Map<string, JsonObject | undefined>();
  return (type, canonical) => {
    const name = `${type} ${canonical}`;
    if (!found.has(name)) found.set(name, known(context, request, type, canonical));
    return found.get(name);
  };
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
  { type, id, given, url, version }: Named,
): JsonObject {
  if (id !== undefined) {
    const stored = visible(context, request, 'operation', [type, id]);
    if (stored === undefined || stored.deleted) throw notFound(type, id);
    return JSON.parse(stored.text) as JsonObject;
  }
  if (given !== undefined) return given;
  if (url === undefined) throw new Refusal('invalid', 'structure', `say which ${type}: by its URL, or as an instance`);
  const found = known(context, request, type, version === undefined || url.includes('|') ? url : `${url}|${version}`);
  if (found === undefined)
    throw new Refusal('not-found', 'not-found', `the ${type} ${url.slice(0, 200)} is not known here`);
  return found;
}

/**
 * Master data that documents bring in their headers (EPCIS 2.0 section 6.5), and the query parameters about it:
 * HASATTR_ and EQATTR_ (section 8.2.7.1). Pure.
 */
import { isUri } from '../event/checks.js';
import { asList, isMap, type JsonMap, textOf, texts } from '../event/json.js';
import { expand, type Namespaces } from '../event/namespaces.js';
import { bizSteps, dispositions } from '../event/vocabulary.js';
import { QUANTITY_LISTS } from './collections.js';
import { identity, nameOf, termIdentity, valuesOf } from './match.js';
import { EpcisProblem } from './problem.js';
import type { Predicate, Values } from './query.js';
import type { ReadableEvent } from './stored.js';

/** Most vocabulary elements in one capture. */
export const MAX_MASTER_ELEMENTS = 1_000;

/** What is known of one location, class, party or other element of a vocabulary. */
export interface MasterElement {
  /** URI of its vocabulary, such as `urn:epcglobal:epcis:vtype:BusinessLocation`. */
  readonly type: string;
  /** Canonical. */
  readonly id: string;
  /** Values by the attribute's whole name; what is no text, number or boolean is there without a value. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  /** Canonical ids of what lies in it (section 6.5); absent in what was captured before they were kept. */
  readonly children?: readonly string[];
}

/** The elements under an id, one for each vocabulary it stands in. */
export type MasterData = (id: string) => readonly MasterElement[];

/** A header's master data, or what is wrong with it. */
export interface ReadMasterData {
  readonly elements: readonly MasterElement[];
  readonly problems: readonly string[];
}

/** Reads `epcisHeader.epcisMasterData` of a document with these prefixes. */
export function readMasterData(header: unknown, namespaces: Namespaces): ReadMasterData {
  const brought = isMap(header) ? header.epcisMasterData : undefined;
  const vocabularies = isMap(brought) ? asList(brought.vocabularyList).filter(isMap) : [];
  const listed = vocabularies.flatMap((vocabulary) =>
    asList(vocabulary.vocabularyElementList).map((element) => ({ vocabulary, element })),
  );
  const read = listed.map(({ vocabulary, element }) => elementOf(vocabulary, element, namespaces));
  const elements = read.filter((each) => each !== undefined);
  if (elements.length === read.length) return { elements, problems: [] };
  const wrong = 'master data: each vocabulary element has a URI as id and a type, its own or its vocabulary’s';
  return { elements, problems: [wrong] };
}

function elementOf(vocabulary: JsonMap, element: unknown, namespaces: Namespaces): MasterElement | undefined {
  const id = textOf(element, 'id');
  const type = [element, vocabulary].flatMap((each) => textOf(each, 'type') ?? textOf(each, 'isA') ?? [])[0];
  if (!isMap(element) || !isUri(id) || type === undefined) return undefined;
  const attributes = new Map<string, string[]>();
  for (const each of asList(element.attributes).filter(isMap)) {
    const name = nameOf(textOf(each, 'id') ?? '', namespaces);
    const values = asList(each.attribute).filter((value) => value !== null);
    if (name === '' || values.length === 0) continue;
    attributes.set(name, [...(attributes.get(name) ?? []), ...values.flatMap((value) => plainOf(value))]);
  }
  const children = texts(element.children).map(identity);
  return {
    type: expand(type, namespaces),
    id: identity(id),
    attributes: Object.fromEntries(attributes),
    ...(children.length === 0 ? {} : { children }),
  };
}

function plainOf(value: unknown): readonly string[] {
  return ['string', 'number', 'boolean'].includes(typeof value) ? [String(value)] : [];
}

/** A standard field whose values are elements of a vocabulary, and that vocabulary. */
interface Field {
  readonly type: string;
  readonly ids: (event: ReadableEvent) => readonly string[];
}

const VTYPE = 'urn:epcglobal:epcis:vtype:';
const placed = (name: string) => (event: ReadableEvent) => texts(textOf(event.event[name], 'id'));
const listedAs = (name: string) => (event: ReadableEvent) =>
  asList(event.event[`${name}List`]).flatMap((each) => texts(textOf(each, name)));

const FIELDS: Readonly<Record<string, Field>> = {
  bizStep: {
    type: `${VTYPE}BusinessStep`,
    ids: ({ event, namespaces }) => texts(event.bizStep).map((each) => termIdentity(bizSteps, each, namespaces)),
  },
  disposition: {
    type: `${VTYPE}Disposition`,
    ids: ({ event, namespaces }) =>
      texts(event.disposition).map((each) => termIdentity(dispositions, each, namespaces)),
  },
  readPoint: { type: `${VTYPE}ReadPoint`, ids: placed('readPoint') },
  bizLocation: { type: `${VTYPE}BusinessLocation`, ids: placed('bizLocation') },
  bizTransaction: { type: `${VTYPE}BusinessTransaction`, ids: listedAs('bizTransaction') },
  source: { type: `${VTYPE}SourceDest`, ids: listedAs('source') },
  destination: { type: `${VTYPE}SourceDest`, ids: listedAs('destination') },
  epcClass: {
    type: `${VTYPE}EPCClass`,
    ids: ({ event }) =>
      QUANTITY_LISTS.flatMap((name) => asList(event[name])).flatMap((each) => texts(textOf(each, 'epcClass'))),
  },
};
const OF_FIELDS = new Set(Object.values(FIELDS).map(({ type }) => type));

/** The predicate of HASATTR_ or EQATTR_; undefined for any other parameter. Throws QueryParameterException. */
export function masterDataParameter(
  name: string,
  values: Values,
  { master, namespaces: asking }: { readonly master: MasterData; readonly namespaces: Namespaces },
): Predicate | undefined {
  const [, relation = '', rest = ''] = /^(HASATTR|EQATTR)_(.+)$/.exec(name) ?? [];
  if (relation === '') return undefined;
  const { field, attribute } = relation === 'EQATTR' ? splitOf(name, rest) : { field: rest, attribute: undefined };
  const elements = elementsIn(name, field, master, asking);
  return (event) => {
    const inForce = new Map([...event.namespaces, ...asking]);
    const found = elements(event);
    if (attribute === undefined) {
      const names = values.map((each) => nameOf(each, inForce));
      return found.some(({ attributes }) => names.some((each) => Object.hasOwn(attributes, each)));
    }
    const wanted = nameOf(attribute, inForce);
    return found.some(({ attributes }) => {
      const own = Object.hasOwn(attributes, wanted) ? attributes[wanted] : undefined;
      return own?.some((each) => values.includes(each)) ?? false;
    });
  };
}

/** These places and all that lies in them, directly or not, by the vocabulary of the field that names them. */
export function placesWithin(
  places: readonly string[],
  field: 'readPoint' | 'bizLocation',
  master: MasterData,
): ReadonlySet<string> {
  const within = new Set(places);
  const isOfIt = ofField(FIELDS[field]?.type);
  // What is added to a set while it is walked is walked, too, and nothing twice: a ring ends.
  for (const place of within) {
    for (const { children = [] } of master(place).filter(isOfIt)) for (const child of children) within.add(child);
  }
  return within;
}

/** Elements of a field's own vocabulary, and of those that are no field's: these stand for themselves wherever they are named. */
function ofField(own: string | undefined): (element: MasterElement) => boolean {
  return ({ type }) => type === own || !OF_FIELDS.has(type);
}

/** `bizLocation_cbvmda:site`. A field of one's own must not hold an underscore: nobody could say where it ends. */
function splitOf(name: string, rest: string): { readonly field: string; readonly attribute: string } {
  const [, field, attribute] = /^([^_]+)_(.+)$/.exec(rest) ?? [];
  if (field === undefined || attribute === undefined) throw bad(name, 'EQATTR_, a field, an underscore, an attribute');
  return { field, attribute };
}

function elementsIn(
  name: string,
  field: string,
  master: MasterData,
  asking: Namespaces,
): (event: ReadableEvent) => readonly MasterElement[] {
  const standard = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (standard !== undefined) {
    const isOfIt = ofField(standard.type);
    return (event) => standard.ids(event).flatMap((id) => master(identity(id)).filter(isOfIt));
  }
  if (!/[:#]/.test(field)) throw bad(name, `about one of ${Object.keys(FIELDS).join(', ')}, or a member of your own`);
  return ({ event, namespaces }) => {
    const wanted = nameOf(field, new Map([...namespaces, ...asking]));
    return texts(valuesOf([event], wanted, { namespaces, inner: false })).flatMap((id) => master(identity(id)));
  };
}

function bad(name: string, what: string): EpcisProblem {
  return new EpcisProblem('QueryParameterException', `${name} must be ${what}`);
}

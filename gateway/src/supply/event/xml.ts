/**
 * EPCIS documents in XML, converted to the JSON of EPCIS 2.0: the 2.0 binding, and 1.2, whose extensions are unfolded.
 * Entities are refused, but for XML's own five; a prefix stands for one namespace in all of a document.
 */
import { DOMParser, type Element as XmlElement, onWarningStopParsing } from '@xmldom/xmldom';

import { asList, type JsonMap } from './json.js';

/** Longest nesting of elements. */
export const MAX_XML_DEPTH = 64;

/** A document that is no EPCIS XML; says what is wrong. */
export class NotEpcisXml extends Error {}

/** An element in document order. */
interface Element {
  /** Prefix and local name as written. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const EPCIS = /^urn:epcglobal:epcis(?:-query)?:xsd:([12])$/;
const CONTEXT = 'https://ref.gs1.org/standards/epcis/epcis-context.jsonld';
/** The JSON document of an EPCIS XML document. Throws NotEpcisXml. */
export function documentOfXml(text: string): JsonMap {
  const root = rootOf(text);
  const namespaces = new Map<string, string>();
  const local = collect(root, namespaces, 0);
  const prefix = root.name.includes(':') ? (root.name.split(':')[0] ?? '') : '';
  const isKnown = local === 'EPCISDocument' || local === 'EPCISQueryDocument';
  if (!isKnown || !EPCIS.test(namespaces.get(prefix) ?? '')) {
    throw new NotEpcisXml('the root must be EPCISDocument or EPCISQueryDocument of urn:epcglobal:epcis:xsd:2 or :1');
  }
  const own = [...namespaces].filter(([each, namespace]) => each !== '' && !isStandard(namespace));
  const { creationDate } = root.attributes;
  const eventList = eventsOf(root);
  const lists = { eventList };
  return {
    '@context': own.length === 0 ? CONTEXT : [CONTEXT, Object.fromEntries(own)],
    type: local,
    schemaVersion: '2.0',
    ...(creationDate === undefined ? {} : { creationDate }),
    ...headerOf(root),
    epcisBody: local === 'EPCISDocument' ? lists : { queryResults: { resultsBody: lists } },
  };
}

/** A document's master data (EPCIS 2.0 section 9.5); nothing else of a header is read. */
function headerOf(root: Element): JsonMap {
  const header = root.children.find((each) => localName(each) === 'EPCISHeader');
  const vocabularies = header === undefined ? [] : below(header, 'Vocabulary');
  if (vocabularies.length === 0) return {};
  const vocabularyList = vocabularies.map((vocabulary) => ({
    ...typeOf(vocabulary),
    vocabularyElementList: below(vocabulary, 'VocabularyElement').map((element) => ({
      id: element.attributes.id,
      attributes: element.children
        .filter((each) => localName(each) === 'attribute')
        .map((each) => ({ id: each.attributes.id, attribute: each.children.length === 0 ? each.text : {} })),
      children: element.children.filter((each) => localName(each) === 'children').flatMap(texts),
    })),
  }));
  return { epcisHeader: { epcisMasterData: { vocabularyList } } };
}

/** Elements of this name inside one, at any depth. */
function below({ children }: Element, name: string): readonly Element[] {
  return children.flatMap((each) => (localName(each) === name ? [each] : below(each, name)));
}

function isStandard(namespace: string): boolean {
  return EPCIS.test(namespace) || /^(?:http:\/\/www\.w3\.org\/|http:\/\/www\.unece\.org\/)/.test(namespace);
}

function rootOf(text: string): Element {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new NotEpcisXml('a document type declaration is not taken');
  let root: XmlElement | null;
  try {
    root = new DOMParser({ onError: onWarningStopParsing }).parseFromString(text, 'application/xml').documentElement;
  } catch {
    throw new NotEpcisXml('the body is not well-formed XML');
  }
  if (root === null) throw new NotEpcisXml('the body is not one XML document');
  return elementOf(root, 0);
}

function elementOf(node: XmlElement, depth: number): Element {
  if (depth > MAX_XML_DEPTH) throw new NotEpcisXml(`elements lie at most ${MAX_XML_DEPTH} deep in one another`);
  const children: Element[] = [];
  let own = '';
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.nodeType === child.ELEMENT_NODE) children.push(elementOf(child as XmlElement, depth + 1));
    else if (child.nodeType === child.TEXT_NODE || child.nodeType === child.CDATA_SECTION_NODE)
      own += child.nodeValue ?? '';
  }
  const attributes = Object.fromEntries([...node.attributes].map(({ name, value }) => [name, value]));
  return { name: node.nodeName, attributes, children, text: own.trim() };
}

/** Gathers the namespaces of an element and all below it: its local name. */
function collect(element: Element, namespaces: Map<string, string>, depth: number): string {
  for (const [name, namespace] of Object.entries(element.attributes)) {
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
    const prefix = name.slice('xmlns:'.length);
    if ((namespaces.get(prefix) ?? namespace) !== namespace) {
      throw new NotEpcisXml('a prefix stands for two namespaces: use two prefixes');
    }
    namespaces.set(prefix, namespace);
  }
  for (const child of element.children) collect(child, namespaces, depth + 1);
  return localName(element);
}

function localName({ name }: Element): string {
  return name.slice(name.indexOf(':') + 1);
}

const EVENTS: readonly string[] = [
  'ObjectEvent',
  'AggregationEvent',
  'AssociationEvent',
  'TransactionEvent',
  'TransformationEvent',
];

/** Events in document order, those inside 1.2's wrappers too. */
function eventsOf(root: Element): readonly JsonMap[] {
  const found: JsonMap[] = [];
  const open = [root];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    if (localName(at) === 'EventList') found.push(...at.children.flatMap(unfolded).map(eventOf));
    else open.unshift(...at.children.filter((each) => localName(each) !== 'EPCISHeader'));
  }
  return found;
}

/** 1.2 folds what came later into `extension` and `baseExtension`. */
function unfolded(element: Element): readonly Element[] {
  const isFold = element.name === 'extension' || element.name === 'baseExtension';
  return isFold ? element.children.flatMap(unfolded) : [element];
}

type Read = (element: Element) => unknown;
const text: Read = (element) => element.text;
const number: Read = (element) => numberOf(element.text);
const texts = ({ children }: Element): readonly string[] => children.map((each) => each.text);
const place: Read = (element) => ({ ...extensionsOf(element, ['id']), id: childText(element, 'id') });
const quantities: Read = ({ children }) =>
  children.map((each) => read(each, { epcClass: text, quantity: number, uom: text }));
const typed =
  (name: string): Read =>
  ({ children }) =>
    children.map((each) => ({ ...typeOf(each), [name]: each.text }));

function typeOf({ attributes }: Element): { readonly type?: string } {
  return attributes.type === undefined ? {} : { type: attributes.type };
}

const sensorElements: Read = ({ children }) =>
  children.map((element): JsonMap => {
    const reports = element.children.filter((each) => localName(each) === 'sensorReport').map(attributesOf);
    const metadata = element.children.find((each) => localName(each) === 'sensorMetadata');
    return {
      ...extensionsOf(element, ['sensorReport', 'sensorMetadata']),
      ...(metadata === undefined ? {} : { sensorMetadata: attributesOf(metadata) }),
      sensorReport: reports,
    };
  });

const NUMBERS: readonly string[] = ['value', 'minValue', 'maxValue', 'meanValue', 'sDev', 'percRank', 'percValue'];

function attributesOf(element: Element): JsonMap {
  const own = Object.entries(element.attributes).filter(([name]) => !name.startsWith('xmlns'));
  const entries = own.map(([name, value]) => {
    if (NUMBERS.includes(name)) return [name, numberOf(value)] as const;
    return [name, name === 'booleanValue' ? value === 'true' || value === '1' : value] as const;
  });
  return { ...(Object.fromEntries(entries) as JsonMap), ...extensionsOf(element, []) };
}

const MEMBERS: Readonly<Record<string, Read>> = {
  ...Object.fromEntries(
    ['eventTime', 'recordTime', 'eventTimeZoneOffset', 'eventID', 'action', 'bizStep', 'disposition'].map((each) => [
      each,
      text,
    ]),
  ),
  ...Object.fromEntries(['parentID', 'transformationID', 'certificationInfo'].map((each) => [each, text])),
  ...Object.fromEntries(['epcList', 'childEPCs', 'inputEPCList', 'outputEPCList'].map((each) => [each, texts])),
  ...Object.fromEntries(
    ['quantityList', 'childQuantityList', 'inputQuantityList', 'outputQuantityList'].map((each) => [each, quantities]),
  ),
  readPoint: place,
  bizLocation: place,
  bizTransactionList: typed('bizTransaction'),
  sourceList: typed('source'),
  destinationList: typed('destination'),
  persistentDisposition: ({ children }) => ({
    ...all(children, 'set'),
    ...all(children, 'unset'),
  }),
  sensorElementList: sensorElements,
  ilmd: (element) => extensionsOf({ ...element, children: element.children.flatMap(unfolded) }, []),
  errorDeclaration: (element) => ({
    ...extensionsOf(element, []),
    ...read(element, { declarationTime: text, reason: text, correctiveEventIDs: texts }),
  }),
};

function all(children: readonly Element[], name: string): JsonMap {
  const found = children.filter((each) => localName(each) === name).map((each) => each.text);
  return found.length === 0 ? {} : { [name]: found };
}

function eventOf(element: Element): JsonMap {
  const flat = { ...element, children: element.children.flatMap(unfolded) };
  const local = localName(element);
  if (local === 'QuantityEvent') return quantityEventOf(flat);
  return { type: EVENTS.includes(local) ? local : element.name, ...extensionsOf(flat, []), ...read(flat, MEMBERS) };
}

/** 1.2's QuantityEvent, deprecated there, says what an ObjectEvent that observes a quantity says (EPCIS 1.2 section 7.4.4). */
function quantityEventOf(flat: Element): JsonMap {
  const quantity = read(flat, { epcClass: text, quantity: number });
  const event = { ...extensionsOf(flat, []), ...read(flat, MEMBERS) };
  return { type: 'ObjectEvent', action: 'OBSERVE', ...event, quantityList: [quantity] };
}

/** The members that an element has of these; an empty list of 1.2 says nothing. */
function read(element: Element, members: Readonly<Record<string, Read>>): JsonMap {
  const entries = element.children.flatMap((child) => {
    const reader = Object.hasOwn(members, child.name) ? members[child.name] : undefined;
    const value = reader?.(child);
    const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0 && child.name !== 'epcList');
    return isEmpty ? [] : [[child.name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Members with a prefix: text, objects of such members, and lists of what repeats. */
function extensionsOf({ children }: Element, known: readonly string[]): JsonMap {
  const made: Record<string, unknown> = {};
  for (const child of children) {
    if (!child.name.includes(':') || known.includes(child.name)) continue;
    const value = child.children.length === 0 ? child.text : extensionsOf(child, []);
    const before = made[child.name];
    made[child.name] = before === undefined ? value : [...asList(before), value];
  }
  return made;
}

function childText({ children }: Element, name: string): string | undefined {
  return children.find((each) => localName(each) === name)?.text;
}

/** What is no number stays text: the event's checks say what is wrong. */
function numberOf(value: string): number | string {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
}

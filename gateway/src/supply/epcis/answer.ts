/** What the interface answers with: documents of events, identifiers spelt as asked for (EPCIS 2.0 section 12). */
import { canonicalEpc, epcUrn, type PrefixLength } from '../gs1/epc.js';
import { asList, isMap, type JsonMap } from '../event/json.js';
import type { ReadableEvent } from './stored.js';

/** The standard's context. */
export const CONTEXT = 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld';

/** How EPCs are spelt in answers: GS1-EPC-Format. */
export const EPC_FORMATS = ['No_Preference', 'Always_GS1_Digital_Link', 'Always_EPC_URN', 'Never_Translates'] as const;
/** How identifiers are spelt in answers, from the header GS1-EPC-Format. */
export type EpcFormat = (typeof EPC_FORMATS)[number];

/** Respells one identifier. */
export type Respell = (text: string) => string;

/** The respelling that a format asks for; what has no such spelling stays as it is. */
export function respelling(format: EpcFormat, prefixLength: PrefixLength): Respell {
  if (format === 'Always_GS1_Digital_Link') return (text) => canonicalEpc(text) ?? text;
  if (format === 'Always_EPC_URN') return (text) => epcUrn(text, prefixLength) ?? text;
  return (text) => text;
}

/** Members whose values are EPCs, or objects that hold some. */
const HOLDING = [
  ...['epcList', 'childEPCs', 'inputEPCList', 'outputEPCList', 'parentID', 'quantityList', 'childQuantityList'],
  ...['inputQuantityList', 'outputQuantityList', 'readPoint', 'bizLocation', 'bizTransactionList', 'sourceList'],
  ...['destinationList', 'epcClass', 'id', 'bizTransaction', 'source', 'destination'],
];

/** An EPCISQueryDocument of these events. */
export function queryDocument(
  events: readonly ReadableEvent[],
  queryName: string,
  now: string,
  respell: Respell,
  subscriptionID?: string,
): JsonMap {
  const { context, isShared } = sharedContext(events);
  const eventList = events.map((each) => {
    const event = respelt(each.event, respell);
    return isShared(each) ? event : { '@context': each.context, ...event };
  });
  const subscribed = subscriptionID === undefined ? {} : { subscriptionID };
  return {
    '@context': context,
    type: 'EPCISQueryDocument',
    schemaVersion: '2.0',
    creationDate: now,
    epcisBody: { queryResults: { queryName, ...subscribed, resultsBody: { eventList } } },
  };
}

/** One event with the context it needs. */
export function singleEvent(each: ReadableEvent, respell: Respell): JsonMap {
  return { '@context': each.context, ...respelt(each.event, respell) };
}

/** Prefixes that all events agree on; an event that means something else by one brings its own context. */
function sharedContext(events: readonly ReadableEvent[]) {
  const prefixes = new Map<string, unknown>();
  const isShared = ({ context }: ReadableEvent): boolean =>
    pairsOf(context).every(([prefix, namespace]) => prefixes.get(prefix) === namespace);
  for (const { context } of events) {
    for (const [prefix, namespace] of pairsOf(context)) if (!prefixes.has(prefix)) prefixes.set(prefix, namespace);
  }
  const own = prefixes.size === 0 ? [] : [Object.fromEntries(prefixes)];
  return { context: [CONTEXT, ...own], isShared };
}

function pairsOf(context: unknown): readonly (readonly [string, unknown])[] {
  return asList(context)
    .filter(isMap)
    .flatMap((each) => Object.entries(each));
}

function respelt(value: JsonMap, respell: Respell): JsonMap {
  const entries = Object.entries(value).map(([name, each]) => [
    name,
    HOLDING.includes(name) ? inside(each, respell) : each,
  ]);
  return Object.fromEntries(entries) as JsonMap;
}

function inside(value: unknown, respell: Respell): unknown {
  if (typeof value === 'string') return respell(value);
  if (Array.isArray(value)) return value.map((each) => inside(each, respell));
  return isMap(value) ? respelt(value, respell) : value;
}

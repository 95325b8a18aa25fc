/** EPCIS documents (EPCIS 2.0 section 9): what is captured, taken apart and checked. */
import { instantMs } from './instant.js';
import { asList, isMap, type JsonMap } from './json.js';
import { type Namespaces, STANDARD, withContext } from './namespaces.js';
import { type MasterElement, readMasterData } from '../epcis/master-data.js';
import { eventProblems } from './validate.js';

/** What every capture of events names in its context. */
const STANDARD_CONTEXT = /^https:\/\/ref\.gs1\.org\/standards\/epcis\/(?:\d+\.\d+\.\d+\/)?epcis-context\.jsonld$/;

/** One event of a document, with the prefixes its names are read by. */
export interface DocumentEvent {
  readonly event: JsonMap;
  readonly namespaces: Namespaces;
  /** What is wrong with it; empty when it may be captured. */
  readonly problems: readonly string[];
}

/** A document taken apart. */
export interface EventDocument {
  /** What is wrong around its events; empty when they may be looked at. */
  readonly problems: readonly string[];
  readonly events: readonly DocumentEvent[];
  /** The context of the document, which its events need to be understood. */
  readonly context: unknown;
  /** What its header says of locations, classes and parties. */
  readonly master: readonly MasterElement[];
}

/** Takes an EPCISDocument or EPCISQueryDocument apart. */
export function readDocument(document: unknown): EventDocument {
  if (!isMap(document)) return wrong('the document must be a JSON object');
  const { type, epcisHeader, epcisBody, '@context': context } = document;
  if (type !== 'EPCISDocument' && type !== 'EPCISQueryDocument') {
    return wrong('type must be EPCISDocument or EPCISQueryDocument');
  }
  const namespaces = withContext(STANDARD, context);
  const { elements: master, problems: masterProblems } = readMasterData(epcisHeader, namespaces);
  const problems = [...headProblems(document), ...contextProblems(context), ...masterProblems];
  const events = isMap(epcisBody) ? eventsOf(epcisBody, type) : undefined;
  if (!Array.isArray(events)) return wrong(...problems, `epcisBody holds no list of events, as a ${type} must`);
  const read = events.map((event, index) => readOne(event, namespaces, `event ${index + 1}`));
  return { problems, context, events: read, master };
}

/** Takes one event apart that stands alone, its context in itself. */
export function readEvent(event: unknown): EventDocument {
  const context = isMap(event) ? event['@context'] : undefined;
  return { problems: contextProblems(context), context, events: [readOne(event, STANDARD, 'event')], master: [] };
}

function readOne(event: unknown, outer: Namespaces, path: string): DocumentEvent {
  const own = isMap(event) ? event : {};
  const namespaces = withContext(outer, own['@context']);
  return { event: own, namespaces, problems: eventProblems(event, path) };
}

function eventsOf(body: JsonMap, type: string): unknown {
  if (type === 'EPCISDocument') return body.eventList ?? (body.event === undefined ? undefined : [body.event]);
  const results = isMap(body.queryResults) ? body.queryResults : {};
  return isMap(results.resultsBody) ? results.resultsBody.eventList : undefined;
}

function headProblems({ schemaVersion, creationDate }: JsonMap): readonly string[] {
  const problems: string[] = [];
  if (typeof schemaVersion !== 'string' || !/^2\.\d+(?:\.\d+)?$/.test(schemaVersion)) {
    problems.push('schemaVersion must be 2.0, or a later 2.x');
  }
  if (typeof creationDate !== 'string' || instantMs(creationDate) === undefined) {
    problems.push('creationDate must be a date and time with its offset from UTC');
  }
  return problems;
}

function contextProblems(context: unknown): readonly string[] {
  const isStandard = asList(context).some((each) => typeof each === 'string' && STANDARD_CONTEXT.test(each));
  return isStandard ? [] : ['@context must name https://ref.gs1.org/standards/epcis/epcis-context.jsonld'];
}

function wrong(...problems: readonly string[]): EventDocument {
  return { problems, events: [], context: undefined, master: [] };
}

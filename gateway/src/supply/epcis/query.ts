/** SimpleEventQuery: its parameters as predicates over events (EPCIS 2.0 section 8.2.7.1). */
import { instantMs } from '../event/instant.js';
import { asList, isMap, textOf, texts } from '../event/json.js';
import { expand, type Namespaces } from '../event/namespaces.js';
import {
  bizSteps,
  dispositions,
  errorReasons,
  sourceTypes,
  transactionTypes,
  type Vocabulary,
} from '../event/vocabulary.js';
import { EPC_LISTS, QUANTITY_LISTS } from './collections.js';
import { extensionParameter } from './extension-query.js';
import { type MasterData, masterDataParameter, placesWithin } from './master-data.js';
import { identity, matchesEpc, type Relation, satisfies, termIdentity } from './match.js';
import { EpcisProblem } from './problem.js';
import { sensorParameter } from './sensor-query.js';
import type { ReadableEvent } from './stored.js';

/** Whether an event is asked for. */
export type Predicate = (event: ReadableEvent) => boolean;
/** Values of one parameter, any of which may match. */
export type Values = readonly string[];

/** A query: which events, in which order, how many. */
export interface EventQuery {
  readonly predicates: readonly Predicate[];
  readonly orderBy: 'eventTime' | 'recordTime';
  readonly isDescending: boolean;
  readonly eventCountLimit?: number | undefined;
  readonly maxEventCount?: number | undefined;
}

const EPC_FIELDS: Readonly<Record<string, readonly string[]>> = {
  MATCH_epc: ['epcList', 'childEPCs'],
  MATCH_parentID: ['parentID'],
  MATCH_inputEPC: ['inputEPCList'],
  MATCH_outputEPC: ['outputEPCList'],
  MATCH_anyEPC: [...EPC_LISTS, 'parentID'],
};

const CLASS_FIELDS: Readonly<Record<string, readonly string[]>> = {
  MATCH_epcClass: ['quantityList', 'childQuantityList'],
  MATCH_inputEPCClass: ['inputQuantityList'],
  MATCH_outputEPCClass: ['outputQuantityList'],
  MATCH_anyEPCClass: QUANTITY_LISTS,
};

type Make = (values: Values, name: string, asking: Asking) => Predicate;

const anyOf = (values: Values, found: readonly string[], one: (text: string) => string = identity): boolean => {
  const wanted = new Set(values.map(one));
  return found.some((each) => wanted.has(one(each)));
};

const field =
  (name: string) =>
  (values: Values): Predicate =>
  ({ event }) =>
    anyOf(values, texts(event[name]));

const terms =
  (vocabulary: Vocabulary, read: (event: ReadableEvent['event']) => readonly string[]) =>
  (values: Values): Predicate =>
  ({ event, namespaces }) =>
    anyOf(values, read(event), (text) => termIdentity(vocabulary, text, namespaces));

const time =
  (relation: Relation, read: (event: ReadableEvent['event']) => string | undefined) =>
  (values: Values, name: string): Predicate => {
    const asked = instantMs(values[0] ?? '');
    if (asked === undefined) throw bad(name, 'a date and time with its offset from UTC');
    return ({ event }) => {
      const found = instantMs(read(event) ?? '');
      return found !== undefined && satisfies(relation, Math.sign(found - asked));
    };
  };

const place =
  (name: 'readPoint' | 'bizLocation', isWithin: boolean): Make =>
  (values, _name, { master }) => {
    const wanted = values.map(identity);
    const places = isWithin ? placesWithin(wanted, name, master) : new Set(wanted);
    return ({ event }) => {
      const found = identity(textOf(event[name], 'id') ?? '');
      // A GLN's extensions lie in what the GLN names.
      const isInside =
        places.has(found.replace(/\/254\/[^/]+$/, '')) || wanted.some((each) => found.startsWith(`${each}/`));
      return places.has(found) || (isWithin && isInside);
    };
  };

const persistent = (side: 'set' | 'unset') =>
  terms(dispositions, ({ persistentDisposition: found }) => (isMap(found) ? texts(found[side]) : []));

const declared = (name: string) => (event: ReadableEvent['event']) => textOf(event.errorDeclaration, name);

const FIXED: Readonly<Record<string, Make>> = {
  eventType: eventTypes,
  EQ_eventType: eventTypes,
  GE_eventTime: time('GE', ({ eventTime }) => String(eventTime)),
  LT_eventTime: time('LT', ({ eventTime }) => String(eventTime)),
  GE_recordTime: time('GE', ({ recordTime }) => String(recordTime)),
  LT_recordTime: time('LT', ({ recordTime }) => String(recordTime)),
  EQ_action: actions,
  EQ_bizStep: terms(bizSteps, ({ bizStep }) => texts(bizStep)),
  EQ_disposition: terms(dispositions, ({ disposition }) => texts(disposition)),
  EQ_persistentDisposition_set: persistent('set'),
  EQ_persistentDisposition_unset: persistent('unset'),
  EQ_readPoint: place('readPoint', false),
  WD_readPoint: place('readPoint', true),
  EQ_bizLocation: place('bizLocation', false),
  WD_bizLocation: place('bizLocation', true),
  EQ_transformationID: field('transformationID'),
  EQ_eventID: field('eventID'),
  EXISTS_errorDeclaration:
    () =>
    ({ event }) =>
      event.errorDeclaration !== undefined,
  GE_errorDeclarationTime: time('GE', declared('declarationTime')),
  LT_errorDeclarationTime: time('LT', declared('declarationTime')),
  GE_errorDeclaration_Time: time('GE', declared('declarationTime')),
  LT_errorDeclaration_Time: time('LT', declared('declarationTime')),
  EQ_errorReason: terms(errorReasons, (event) => texts(declared('reason')(event))),
  EQ_correctiveEventID:
    (values) =>
    ({ event }) =>
      isMap(event.errorDeclaration) && anyOf(values, texts(event.errorDeclaration.correctiveEventIDs)),
};

/** A stored query's parameters, each with the values any of which may match. */
export function parametersOf(query: Readonly<Record<string, unknown>>): ReadonlyMap<string, Values> {
  const entries = Object.entries(query).filter(([name]) => name !== '@context');
  return new Map(entries.map(([name, each]) => [name, (Array.isArray(each) ? each : [each]).map(String)] as const));
}

/** Parameters that say how to answer, not what. */
const HOW = ['orderBy', 'orderDirection', 'eventCountLimit', 'maxEventCount'];

/** What a query's parameters are read by. */
export interface Asking {
  /** Prefixes of whoever asks. */
  readonly namespaces: Namespaces;
  /** What is known of locations, classes and parties. */
  readonly master: MasterData;
}

/** Reads a query's parameters. Throws QueryParameterException naming the parameter. */
export function readQuery(parameters: ReadonlyMap<string, Values>, asking: Asking): EventQuery {
  const predicates = [...parameters]
    .filter(([name]) => !HOW.includes(name))
    .map(([name, values]) => predicateOf(name, values, asking));
  const single = (name: string): string | undefined => parameters.get(name)?.[0];
  const [eventCountLimit, maxEventCount] = ['eventCountLimit', 'maxEventCount'].map((name) =>
    count(name, single(name)),
  );
  if (eventCountLimit !== undefined && maxEventCount !== undefined) {
    throw bad('maxEventCount', 'absent where eventCountLimit is given');
  }
  return {
    predicates,
    orderBy: choice('orderBy', single('orderBy') ?? 'recordTime', ['eventTime', 'recordTime']),
    isDescending: choice('orderDirection', single('orderDirection') ?? 'ASC', ['ASC', 'DESC']) === 'DESC',
    eventCountLimit,
    maxEventCount,
  };
}

/** The events that a query asks for, ordered. Throws QueryTooLargeException. */
export function runQuery(query: EventQuery, events: readonly ReadableEvent[]): readonly ReadableEvent[] {
  const found = events.filter((event) => query.predicates.every((isAsked) => isAsked(event)));
  if (query.maxEventCount !== undefined && found.length > query.maxEventCount) {
    throw new EpcisProblem('QueryTooLargeException', `more than ${query.maxEventCount} events match`);
  }
  const at = ({ event }: ReadableEvent): number => instantMs(String(event[query.orderBy])) ?? 0;
  const sign = query.isDescending ? -1 : 1;
  const ordered = [...found].sort((a, b) => sign * (at(a) - at(b)));
  return query.eventCountLimit === undefined ? ordered : ordered.slice(0, query.eventCountLimit);
}

function predicateOf(name: string, values: Values, asking: Asking): Predicate {
  if (values.length === 0) throw bad(name, 'given with a value');
  const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
  const made =
    fixed?.(values, name, asking) ??
    epcParameter(name, values) ??
    typedParameter(name, values) ??
    sensorParameter(name, values) ??
    masterDataParameter(name, values, asking) ??
    extensionParameter(name, values, asking.namespaces);
  if (made === undefined) throw bad(name, 'a parameter of SimpleEventQuery');
  return made;
}

function epcParameter(name: string, values: Values): Predicate | undefined {
  const fields = EPC_FIELDS[name];
  if (fields !== undefined)
    return ({ event }) =>
      matchesAny(
        values,
        fields.flatMap((each) => texts(event[each])),
      );
  const classes = CLASS_FIELDS[name];
  if (classes === undefined) return undefined;
  return ({ event }) =>
    matchesAny(
      values,
      classes.flatMap((each) =>
        asList(event[each]).flatMap((element) => texts(isMap(element) ? element.epcClass : [])),
      ),
    );
}

function matchesAny(patterns: Values, found: readonly string[]): boolean {
  return patterns.some((pattern) => found.some((epc) => matchesEpc(pattern, epc)));
}

/** `EQ_bizTransaction_po`, `EQ_source_owning_party`, `EQ_destination_location`. */
function typedParameter(name: string, values: Values): Predicate | undefined {
  const [, member = '', type] = /^EQ_(bizTransaction|source|destination)_(.+)$/.exec(name) ?? [];
  if (type === undefined) return undefined;
  const vocabulary = member === 'bizTransaction' ? transactionTypes : sourceTypes;
  return ({ event, namespaces }) =>
    asList(event[`${member}List`]).some((element) => {
      const own = textOf(element, 'type');
      const isOfType =
        own !== undefined && termIdentity(vocabulary, own, namespaces) === termIdentity(vocabulary, type, namespaces);
      return isOfType && anyOf(values, texts(textOf(element, member)));
    });
}

function eventTypes(values: Values): Predicate {
  return ({ event, namespaces }) => anyOf(values, texts(event.type), (text) => expand(text, namespaces));
}

function actions(values: Values, name: string): Predicate {
  for (const each of values) choice(name, each, ['ADD', 'OBSERVE', 'DELETE']);
  return ({ event }) => values.includes(String(event.action));
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw bad(name, 'a whole number from 1');
  return Number(text);
}

function choice<const T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((each) => each === text);
  if (found === undefined) throw bad(name, choices.join(', '));
  return found;
}

function bad(name: string, what: string): EpcisProblem {
  return new EpcisProblem('QueryParameterException', `${name} must be ${what}`);
}

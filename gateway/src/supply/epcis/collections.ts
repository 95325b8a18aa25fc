/** The sub-resources: what values occur in events, and the events of one (EPCIS 2.0 section 12.2). */
import { asList, isMap, textOf, texts } from '../event/json.js';
import { bareTerm, bizSteps, dispositions, type Vocabulary } from '../event/vocabulary.js';
import type { ReadableEvent } from './stored.js';

/** One collection below the base: how its values are read, and the query parameter that finds their events. */
export interface Collection {
  readonly parameter: string;
  readonly values: (event: ReadableEvent['event']) => readonly string[];
}

/** Members of an event that list EPCs. */
export const EPC_LISTS = ['epcList', 'childEPCs', 'inputEPCList', 'outputEPCList'];
/** Members of an event that list quantities of a class. */
export const QUANTITY_LISTS = ['quantityList', 'childQuantityList', 'inputQuantityList', 'outputQuantityList'];

const bare = (vocabulary: Vocabulary, value: unknown): readonly string[] =>
  texts(value).map((text) => bareTerm(vocabulary, text) ?? text);

/** By the name of their path. */
export const COLLECTIONS: Readonly<Record<string, Collection>> = {
  eventTypes: { parameter: 'eventType', values: ({ type }) => texts(type) },
  epcs: {
    parameter: 'MATCH_anyEPC',
    values: (event) => [
      ...EPC_LISTS.flatMap((name) => texts(event[name])),
      ...texts(event.parentID),
      ...QUANTITY_LISTS.flatMap((name) =>
        asList(event[name]).flatMap((each) => (isMap(each) ? texts(each.epcClass) : [])),
      ),
    ],
  },
  bizSteps: { parameter: 'EQ_bizStep', values: ({ bizStep }) => bare(bizSteps, bizStep) },
  bizLocations: { parameter: 'EQ_bizLocation', values: ({ bizLocation }) => texts(textOf(bizLocation, 'id')) },
  readPoints: { parameter: 'EQ_readPoint', values: ({ readPoint }) => texts(textOf(readPoint, 'id')) },
  dispositions: { parameter: 'EQ_disposition', values: ({ disposition }) => bare(dispositions, disposition) },
};

/** The values of a collection that occur, in order. */
export function occurring({ values }: Collection, events: readonly ReadableEvent[]): readonly string[] {
  return [...new Set(events.flatMap(({ event }) => values(event)))].sort();
}

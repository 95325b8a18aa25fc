/** The canonical order of an event's properties in its hash: CBV 2.0 section 8.9, as its published vectors have it. */
import {
  alerts,
  bizSteps,
  components,
  dispositions,
  measurements,
  sourceTypes,
  transactionTypes,
  type Vocabulary,
} from './vocabulary.js';

/** A property, and how its value is written. */
export interface Field {
  readonly name: string;
  /** The name stands once before all its items. */
  readonly list?: true;
  /** What each item of a list is called; absent = nothing. */
  readonly item?: string;
  /** Properties of the value, in order. */
  readonly parts?: readonly Field[];
  /** The value holds members of any name. */
  readonly generic?: true;
  readonly isTime?: true;
  /** Whose bare words the value may be. */
  readonly vocabulary?: Vocabulary;
}

const plain = (...names: readonly string[]): readonly Field[] => names.map((name) => ({ name }));
const time = (name: string): Field => ({ name, isTime: true });
const epcs = (name: string): Field => ({ name, list: true, item: 'epc' });
const place = (name: string): Field => ({ name, parts: plain('id') });
const quantities = (name: string): Field => ({
  name,
  list: true,
  item: 'quantityElement',
  parts: plain('epcClass', 'quantity', 'uom'),
});
const typed = (name: string, value: string, vocabulary: Vocabulary): Field => ({
  name,
  list: true,
  parts: [{ name: 'type', vocabulary }, { name: value }],
});

const sensorMetadata: Field = {
  name: 'sensorMetadata',
  parts: [
    ...['time', 'startTime', 'endTime'].map(time),
    ...plain('deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod', 'bizRules'),
  ],
};

const sensorReport: Field = {
  name: 'sensorReport',
  parts: [
    { name: 'type', vocabulary: measurements },
    { name: 'exception', vocabulary: alerts },
    ...plain('deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod'),
    time('time'),
    ...plain('microorganism', 'chemicalSubstance', 'value'),
    { name: 'component', vocabulary: components },
    ...plain('stringValue', 'booleanValue', 'hexBinaryValue', 'uriValue', 'minValue', 'maxValue', 'meanValue', 'sDev'),
    ...plain('percRank', 'percValue', 'uom', 'coordinateReferenceSystem'),
  ],
};

/** The properties in order. */
export const FIELDS: readonly Field[] = [
  time('eventTime'),
  ...plain('eventTimeZoneOffset', 'certificationInfo', 'parentID'),
  ...['epcList', 'inputEPCList', 'childEPCs'].map(epcs),
  ...['quantityList', 'childQuantityList', 'inputQuantityList'].map(quantities),
  epcs('outputEPCList'),
  quantities('outputQuantityList'),
  ...plain('action', 'transformationID'),
  { name: 'bizStep', vocabulary: bizSteps },
  { name: 'disposition', vocabulary: dispositions },
  {
    name: 'persistentDisposition',
    parts: [
      { name: 'set', vocabulary: dispositions },
      { name: 'unset', vocabulary: dispositions },
    ],
  },
  ...['readPoint', 'bizLocation'].map(place),
  { name: 'sensorElementList', list: true, item: 'sensorElement', parts: [sensorMetadata, sensorReport] },
];

/** Properties that sort together with an event's user extensions. */
export const LAST_FIELDS: readonly Field[] = [
  typed('bizTransactionList', 'bizTransaction', transactionTypes),
  typed('sourceList', 'source', sourceTypes),
  typed('destinationList', 'destination', sourceTypes),
  { name: 'ilmd', generic: true },
];

/** Properties that are not part of what happened, and comments. */
export const IGNORED: ReadonlySet<string> = new Set([
  ...['type', 'recordTime', 'eventID', 'errorDeclaration', '@context'],
  ...['#text', 'rdfs:comment', 'comment', '@type', '@id'],
]);

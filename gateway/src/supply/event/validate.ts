/** What an EPCIS 2.0 event must look like: EPCIS 2.0 sections 7.3 and 7.4, and the rules no schema states. */
import {
  action,
  type Check,
  decimal,
  hexBinary,
  identifier,
  instant,
  isUri,
  listOf,
  oneOrMore,
  setOf,
  shaped,
  term,
  text,
  truth,
  unit,
  uri,
  zone,
} from './checks.js';
import { isMap, type JsonMap } from './json.js';
import { rulesBroken } from './rules.js';
import {
  alerts,
  bizSteps,
  components,
  dispositions,
  errorReasons,
  measurements,
  sourceTypes,
  transactionTypes,
} from './vocabulary.js';

type Members = Readonly<Record<string, Check>>;

const each = (names: readonly string[], check: Check): Members =>
  Object.fromEntries(names.map((name) => [name, check]));
const anything: Check = () => [];
const eventType: Check = (value, path) =>
  typeof value === 'string' && (Object.hasOwn(SHAPES, value) || isUri(value))
    ? []
    : [`${path} must be ${Object.keys(SHAPES).join(', ')} or a URI of your own type`];

const epcs = setOf(identifier);
const quantities = listOf(
  shaped({ members: { epcClass: identifier, quantity: decimal, uom: unit }, required: ['epcClass'], isClosed: true }),
);
const place = shaped({ members: { id: identifier }, required: ['id'] });

const sensorReport = shaped({
  members: {
    type: term(measurements),
    exception: term(alerts),
    component: term(components),
    time: instant,
    booleanValue: truth,
    hexBinaryValue: hexBinary,
    ...each(['deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod', 'bizRules'], uri),
    ...each(['microorganism', 'chemicalSubstance', 'coordinateReferenceSystem', 'uriValue'], uri),
    ...each(['value', 'minValue', 'maxValue', 'meanValue', 'sDev', 'percRank', 'percValue'], decimal),
    ...each(['stringValue', 'uom'], text),
  },
  required: ['type'],
});

const sensorMetadata = shaped({
  members: {
    ...each(['time', 'startTime', 'endTime'], instant),
    ...each(['deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod', 'bizRules'], uri),
  },
});

const sensorElement = shaped({
  members: { sensorMetadata, sensorReport: listOf(sensorReport, 1) },
  required: ['sensorReport'],
});

const COMMON: Members = {
  '@context': anything,
  type: eventType,
  eventTime: instant,
  recordTime: instant,
  eventTimeZoneOffset: zone,
  eventID: uri,
  certificationInfo: oneOrMore(uri),
  errorDeclaration: shaped({
    members: { declarationTime: instant, reason: term(errorReasons), correctiveEventIDs: listOf(uri) },
    required: ['declarationTime'],
  }),
};

const WHY_WHERE: Members = {
  bizStep: term(bizSteps),
  disposition: term(dispositions),
  persistentDisposition: shaped({
    members: each(['set', 'unset'], setOf(term(dispositions), 1)),
    isClosed: true,
  }),
  readPoint: place,
  bizLocation: place,
  bizTransactionList: listOf(typed('bizTransaction', term(transactionTypes), ['bizTransaction'])),
  sourceList: listOf(typed('source', term(sourceTypes), ['type', 'source'])),
  destinationList: listOf(typed('destination', term(sourceTypes), ['type', 'destination'])),
  sensorElementList: listOf(sensorElement),
};

const ilmd: Check = (value, path) =>
  isMap(value) && Object.keys(value).every(isUri) ? [] : [`${path} must be an object whose members have namespaces`];

/** The members of each type of event beside the common ones. */
const SHAPES: Readonly<Record<string, { readonly members: Members; readonly required: readonly string[] }>> = {
  ObjectEvent: { members: { epcList: epcs, quantityList: quantities, action, ilmd }, required: ['action'] },
  AggregationEvent: {
    members: { parentID: identifier, childEPCs: epcs, childQuantityList: quantities, action },
    required: ['action'],
  },
  AssociationEvent: {
    members: { parentID: identifier, childEPCs: epcs, childQuantityList: quantities, action },
    required: ['action', 'parentID'],
  },
  TransactionEvent: {
    members: { parentID: identifier, epcList: epcs, quantityList: quantities, action },
    required: ['action', 'bizTransactionList'],
  },
  TransformationEvent: {
    members: {
      ...each(['inputEPCList', 'outputEPCList'], epcs),
      ...each(['inputQuantityList', 'outputQuantityList'], quantities),
      transformationID: uri,
      ilmd,
    },
    required: [],
  },
};

const ALWAYS = ['type', 'eventTime', 'eventTimeZoneOffset'];

/** Everything that is wrong with an event; empty when it may be captured. */
export function eventProblems(event: unknown, path = 'event'): readonly string[] {
  if (!isMap(event)) return [`${path} must be an object`];
  const problems = shapeOf(event)(event, path);
  return problems.length > 0 ? problems : rulesBroken(event).map((problem) => `${path}: ${problem}`);
}

function shapeOf(event: JsonMap): Check {
  const { type } = event;
  const own = typeof type === 'string' && Object.hasOwn(SHAPES, type) ? SHAPES[type] : undefined;
  if (own !== undefined) {
    return shaped({ members: { ...COMMON, ...WHY_WHERE, ...own.members }, required: [...ALWAYS, ...own.required] });
  }
  // A type of somebody's own may hold what it likes beside the standard's members.
  return shaped({ members: { ...COMMON, ...WHY_WHERE }, required: ALWAYS });
}

function typed(name: string, type: Check, required: readonly string[]): Check {
  return shaped({ members: { type, [name]: identifier }, required, isClosed: true });
}

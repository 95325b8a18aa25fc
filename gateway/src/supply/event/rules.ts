/** Rules of EPCIS 2.0 that go across an event's members. Refused whether or not a schema could say so. */
import { asList, isMap, type JsonMap } from './json.js';
import { instantMs } from './instant.js';

/** A rule: what is wrong with an event, in the standard's terms; undefined where it is kept. */
type Rule = (event: JsonMap) => string | undefined;

const has = (event: JsonMap, name: string): boolean => Array.isArray(event[name]) && event[name].length > 0;
const hasAny = (event: JsonMap, ...names: readonly string[]): boolean => names.some((name) => has(event, name));
const isOf = (event: JsonMap, ...types: readonly string[]): boolean => types.includes(event.type as string);

/** Section 7.4.2: what an object event is about, or a sensor at a read point. */
const objectNamed: Rule = (event) =>
  !isOf(event, 'ObjectEvent') ||
  hasAny(event, 'epcList', 'quantityList') ||
  (has(event, 'sensorElementList') && isMap(event.readPoint))
    ? undefined
    : 'an ObjectEvent names objects (epcList or quantityList), or readings (sensorElementList) at a readPoint';

/** Section 7.4.2: instance or lot master data come with the objects' first event. */
const ilmdAtAdd: Rule = (event) =>
  isOf(event, 'ObjectEvent') && event.ilmd !== undefined && event.action !== 'ADD'
    ? 'ilmd may be given with action ADD only'
    : undefined;

/** Sections 7.4.3 and 7.4.6. */
const parentNamed: Rule = (event) =>
  isOf(event, 'AggregationEvent') && event.action !== 'OBSERVE' && event.parentID === undefined
    ? 'an aggregation event with action ADD or DELETE names its parentID'
    : undefined;

const childrenNamed: Rule = (event) =>
  isOf(event, 'AggregationEvent', 'AssociationEvent') &&
  event.action !== 'DELETE' &&
  !hasAny(event, 'childEPCs', 'childQuantityList')
    ? 'children (childEPCs or childQuantityList) are named with action ADD and OBSERVE'
    : undefined;

const notItsOwnChild: Rule = (event) =>
  event.parentID !== undefined && asList(event.childEPCs).includes(event.parentID)
    ? 'a parent is not its own child'
    : undefined;

/** Section 7.4.4. */
const transactionObjects: Rule = (event) =>
  isOf(event, 'TransactionEvent') && event.action !== 'DELETE' && !hasAny(event, 'epcList', 'quantityList')
    ? 'objects (epcList or quantityList) are named with action ADD and OBSERVE'
    : undefined;

const transactionsNamed: Rule = (event) =>
  isOf(event, 'TransactionEvent') && !has(event, 'bizTransactionList')
    ? 'a TransactionEvent names at least one bizTransaction'
    : undefined;

/** Section 7.4.5. */
const bothSides: Rule = (event) => {
  if (!isOf(event, 'TransformationEvent')) return undefined;
  const inputs = hasAny(event, 'inputEPCList', 'inputQuantityList');
  const outputs = hasAny(event, 'outputEPCList', 'outputQuantityList');
  if (event.transformationID !== undefined) return inputs || outputs ? undefined : 'name inputs or outputs';
  return inputs && outputs ? undefined : 'without a transformationID both inputs and outputs are named';
};

/** Section 7.3.7: a persistent disposition is set or unset, not both. */
const persistence: Rule = (event) => {
  const found = event.persistentDisposition;
  if (!isMap(found)) return undefined;
  const [set, unset] = [asList(found.set), asList(found.unset)];
  if (set.length + unset.length === 0) return 'persistentDisposition sets or unsets at least one';
  return set.some((each) => unset.includes(each)) ? 'one disposition is both set and unset' : undefined;
};

/** Section 7.3.7.1: what the sensor metadata says once, a report does not say again; one instant or one period. */
const sensors: Rule = (event) => {
  for (const element of asList(event.sensorElementList)) {
    const problem = isMap(element) ? sensorProblem(element) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const SAID_ONCE = ['time', 'deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod'];

function sensorProblem({ sensorMetadata, sensorReport }: JsonMap): string | undefined {
  const metadata = isMap(sensorMetadata) ? sensorMetadata : {};
  for (const report of asList(sensorReport)) {
    if (!isMap(report)) continue;
    const twice = SAID_ONCE.find((name) => metadata[name] !== undefined && report[name] !== undefined);
    if (twice !== undefined) return `${twice} is given in sensorMetadata and again in a sensorReport: give it once`;
    const bare = report.component !== undefined && report.type === undefined;
    if (bare) return 'a component needs the type it is a component of';
  }
  return periodProblem(metadata);
}

function periodProblem({ startTime, endTime }: JsonMap): string | undefined {
  if (typeof startTime !== 'string' || typeof endTime !== 'string') return undefined;
  return (instantMs(startTime) ?? 0) > (instantMs(endTime) ?? 0) ? 'a period ends before it starts' : undefined;
}

const RULES: readonly Rule[] = [
  ...[objectNamed, ilmdAtAdd, parentNamed, childrenNamed, notItsOwnChild],
  ...[transactionObjects, transactionsNamed, bothSides, persistence, sensors],
];

/** Every rule that an event of the right shape breaks. */
export function rulesBroken(event: JsonMap): readonly string[] {
  return RULES.map((rule) => rule(event)).filter((problem) => problem !== undefined);
}

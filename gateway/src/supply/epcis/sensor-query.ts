/** Query parameters about quantities and sensor readings, with conversion of units. */
import { instantMs } from '../event/instant.js';
import { asList, isMap, type JsonMap } from '../event/json.js';
import { compareReadings } from '../event/units.js';
import { alerts, measurements, type Vocabulary } from '../event/vocabulary.js';
import { QUANTITY_LISTS } from './collections.js';
import { identity, type Relation, satisfies, termIdentity } from './match.js';
import { EpcisProblem } from './problem.js';
import type { Predicate, Values } from './query.js';
import type { ReadableEvent } from './stored.js';

/** What may be said in the metadata or in the report. */
const TIMES = ['time', 'startTime', 'endTime'];
const TEXTS = ['deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod', 'bizRules', 'microorganism'];
const VALUES = ['chemicalSubstance', 'stringValue', 'booleanValue', 'hexBinaryValue', 'uriValue'];
const TERMS: Readonly<Record<string, Vocabulary>> = { type: measurements, exception: alerts };

/** The predicate of such a parameter; undefined for any other. Throws QueryParameterException. */
export function sensorParameter(name: string, values: Values): Predicate | undefined {
  if (/^EXISTS_sensorElement(?:List)?$/.test(name)) return ({ event }) => asList(event.sensorElementList).length > 0;
  const [, relation = '', field = '', uom] = /^(EQ|GT|GE|LT|LE)_([A-Za-z]+)(?:_([A-Z0-9]{2,4}))?$/.exec(name) ?? [];
  return sized(relation as Relation, field, uom, values, name) ?? plain(relation as Relation, field, values, name);
}

/** `GE_value_CEL`, `LT_quantity_KGM`, `GE_percRank`. */
function sized(
  relation: Relation,
  field: string,
  uom: string | undefined,
  values: Values,
  name: string,
): Predicate | undefined {
  const isQuantity = field === 'quantity';
  if (!isQuantity && !/^(?:value|minValue|maxValue|meanValue|sDev|percValue|percRank)$/.test(field)) return undefined;
  const asked = Number(values[0]);
  if (!Number.isFinite(asked)) throw new EpcisProblem('QueryParameterException', `${name} must be a number`);
  return (event) =>
    (isQuantity ? quantitiesOf(event) : reportsOf(event)).some((each) => {
      const found = each[field];
      const order = typeof found === 'number' ? orderOf(found, each.uom, asked, uom) : undefined;
      return order !== undefined && satisfies(relation, order);
    });
}

function orderOf(found: number, foundUom: unknown, asked: number, uom: string | undefined): number | undefined {
  if (uom === undefined) return Math.sign(found - asked);
  return typeof foundUom === 'string' ? compareReadings([found, foundUom], [asked, uom]) : undefined;
}

function plain(relation: Relation, field: string, values: Values, name: string): Predicate | undefined {
  if (TIMES.includes(field)) return timed(relation, field, values, name);
  const vocabulary = TERMS[field];
  const isKnown = vocabulary !== undefined || TEXTS.includes(field) || VALUES.includes(field);
  if (relation !== 'EQ' || !isKnown) return undefined;
  return (event) => {
    const spelt = (text: string): string =>
      vocabulary === undefined ? identity(text) : termIdentity(vocabulary, text, event.namespaces);
    const wanted = new Set(values.map(spelt));
    return saidOf(event, field).some((each) => wanted.has(spelt(String(each))));
  };
}

function timed(relation: Relation, field: string, values: Values, name: string): Predicate {
  const asked = instantMs(values[0] ?? '');
  if (asked === undefined) throw new EpcisProblem('QueryParameterException', `${name} must be a date and time`);
  return (event) =>
    saidOf(event, field).some((each) => {
      const found = instantMs(String(each));
      return found !== undefined && satisfies(relation, Math.sign(found - asked));
    });
}

/** What metadata and reports say under a name. */
function saidOf({ event }: ReadableEvent, field: string): readonly unknown[] {
  return asList(event.sensorElementList)
    .filter(isMap)
    .flatMap(({ sensorMetadata, sensorReport }) => [sensorMetadata, ...asList(sensorReport)])
    .filter(isMap)
    .map((each) => each[field])
    .filter((each) => each !== undefined);
}

function reportsOf({ event }: ReadableEvent): readonly JsonMap[] {
  return asList(event.sensorElementList)
    .filter(isMap)
    .flatMap(({ sensorReport }) => asList(sensorReport))
    .filter(isMap);
}

function quantitiesOf({ event }: ReadableEvent): readonly JsonMap[] {
  return QUANTITY_LISTS.flatMap((name) => asList(event[name])).filter(isMap);
}

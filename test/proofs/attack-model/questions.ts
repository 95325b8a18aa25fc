/** Questions about one record by every way out, and which parts each could show to whom may see them. */
import type { Asker } from './askers.js';
import { PARTS, TYPES, type Case, type Part } from './record.js';

/** A question as it is sent. */
export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Parts an asker may see. */
export type Sight = ReadonlySet<Part>;

/** A way to ask. */
export interface Way {
  readonly name: string;
  readonly sent: (record: Case, part: Part) => Sent;
  /** Parts in the answer, for who may see `sight`. `afar`: the record is kept at another member. */
  readonly shows: (sight: Sight, part: Part, afar: boolean) => readonly Part[];
  /** Matches that the answer's total may count. */
  readonly counts?: (sight: Sight) => number;
}

/** A question that an asker puts about a record. */
export interface Question {
  readonly asker: Asker;
  readonly record: Case;
  readonly way: Way;
  readonly part: Part;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

const seen = (sight: Sight, ...parts: readonly Part[]): readonly Part[] => parts.filter((part) => sight.has(part));
const ofType = (sight: Sight, type: string): readonly Part[] => seen(sight, ...PARTS.filter((p) => TYPES[p] === type));
const observations = (sight: Sight): readonly Part[] => ofType(sight, 'Observation');
const conditions = (sight: Sight): readonly Part[] => ofType(sight, 'Condition');
/** A note goes with its resource. */
const whole = (sight: Sight, part: Part): readonly Part[] =>
  seen(sight, part, ...(part === 'glucose' ? (['note'] as const) : part === 'note' ? (['glucose'] as const) : []));
const get =
  (path: (record: Case, part: Part) => string) =>
  (record: Case, part: Part): Sent => ({ path: path(record, part) });
/** Of an id alone nobody knows which hospital to ask, but of a Patient's. */
const byName = (sight: Sight, part: Part, afar: boolean): readonly Part[] =>
  afar && part !== 'person' ? [] : whole(sight, part);
const nameOf = ({ ids }: Case, part: Part): string => `${TYPES[part]}/${ids[part]}`;

/** Ways to read. */
const reading: readonly Way[] = [
  {
    name: 'read',
    sent: get(nameOf),
    shows: byName,
  },
  {
    name: 'history',
    sent: get((record, part) => `${nameOf(record, part)}/_history`),
    shows: byName,
  },
  {
    name: 'vread',
    sent: get((record, part) => `${nameOf(record, part)}/_history/1`),
    shows: byName,
  },
  {
    name: 'read in a record',
    sent: get((record, part) => `${nameOf(record, part)}?patient=${record.patient}`),
    shows: whole,
  },
  {
    name: 'history in a record',
    sent: get((record, part) => `${nameOf(record, part)}/_history?patient=${record.patient}`),
    shows: whole,
  },
  {
    name: 'vread in a record',
    sent: get((record, part) => `${nameOf(record, part)}/_history/1?patient=${record.patient}`),
    shows: whole,
  },
  {
    name: 'search',
    sent: get(({ patient }) => `Observation?patient=${patient}`),
    shows: observations,
    counts: (sight) => seen(sight, 'glucose', 'pulse').length,
  },
  {
    name: 'search by POST',
    sent: ({ patient }) => ({ method: 'POST', path: 'Condition/_search', body: `patient=${patient}`, headers: FORM }),
    shows: conditions,
    counts: (sight) => conditions(sight).length,
  },
  {
    name: 'compartment',
    sent: get(({ patient }) => `Patient/${patient}/Observation`),
    shows: observations,
    counts: (sight) => seen(sight, 'glucose', 'pulse').length,
  },
  {
    name: 'count',
    sent: get(({ patient }) => `Observation?patient=${patient}&_summary=count`),
    shows: () => [],
    counts: (sight) => seen(sight, 'glucose', 'pulse').length,
  },
  {
    name: '_include',
    sent: get(({ patient }) => `Observation?patient=${patient}&_include=Observation:subject`),
    shows: (sight) => {
      const found = observations(sight);
      return found.length === 0 ? found : [...found, ...seen(sight, 'person')];
    },
  },
  {
    name: '_revinclude',
    sent: get(({ patient }) => `Patient?_id=${patient}&_revinclude=Observation:subject`),
    shows: (sight) => (sight.has('person') ? ['person', ...observations(sight)] : []),
  },
  {
    name: 'chain',
    sent: get(({ family }) => `Observation?patient.family=${family}`),
    shows: (sight, _part, afar) => (afar || !sight.has('person') ? [] : observations(sight)),
    counts: (sight) => (sight.has('person') ? seen(sight, 'glucose', 'pulse').length : 0),
  },
  {
    name: '_has',
    sent: get(({ family }) => `Patient?family=${family}&_has:Observation:patient:code=2339-0`),
    shows: (sight, _part, afar) => (afar || !sight.has('glucose') ? [] : seen(sight, 'person')),
  },
  {
    name: 'chain in a record',
    sent: get(({ patient, family }) => `Observation?patient=${patient}&subject:Patient.family=${family}`),
    shows: (sight) => (sight.has('person') ? observations(sight) : []),
  },
  {
    name: '_has in a record',
    sent: get(({ patient }) => `Patient?_id=${patient}&_has:Observation:patient:code=2339-0`),
    shows: (sight) => (sight.has('glucose') ? seen(sight, 'person') : []),
  },
  {
    name: 'family',
    sent: get(({ family }) => `Patient?family=${family}&_summary=count`),
    shows: () => [],
    counts: (sight) => seen(sight, 'person').length,
  },
  {
    name: '$everything',
    sent: get(({ patient }) => `Patient/${patient}/$everything`),
    shows: (sight) => seen(sight, ...PARTS),
  },
  {
    name: 'batch',
    sent: ({ patient }) => ({
      path: '',
      body: {
        resourceType: 'Bundle',
        type: 'batch',
        entry: [`Patient/${patient}`, `Observation?patient=${patient}`, `Condition?patient=${patient}`].map((url) => ({
          request: { method: 'GET', url },
        })),
      },
    }),
    shows: (sight) => [...seen(sight, 'person'), ...observations(sight), ...conditions(sight)],
  },
];

/** Ways to write, sent only by who may not: they must show and change nothing. */
const writing: readonly Way[] = [
  { name: 'delete', sent: (record, part) => ({ method: 'DELETE', path: nameOf(record, part) }), shows: () => [] },
  {
    name: 'patch',
    sent: (record, part) => ({
      method: 'PATCH',
      path: nameOf(record, part),
      body: [{ op: 'test', path: '/resourceType', value: TYPES[part] }],
      headers: JSON_PATCH,
    }),
    shows: () => [],
  },
];

/** Whether the way only reads. */
export function waysFor(question: Pick<Question, 'record' | 'asker' | 'part'>, sight: Sight): readonly Way[] {
  const { record, asker, part } = question;
  const isHidden = asker.member !== record.custodian || !sight.has(part);
  return isHidden ? [...reading, ...writing] : reading;
}

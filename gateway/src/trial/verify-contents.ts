/** Whether contents are what the ledger commits to, each at the place that it says it is of. Pure. */
import type { EligibleRecord, EventRecord, PointRecord, SubmissionRecord } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { commitmentOf, placeName } from './content.js';
import { CRITERION_SYSTEM, DATA_POINT_SYSTEM, EVENT_SYSTEM, SAFETY_REPORT_SYSTEM } from './systems.js';
import type { TrialRecords } from './verify-lock.js';

/** What was found of contents, and how many the ledger has commitments of. */
export interface ContentsCheck {
  readonly findings: readonly string[];
  readonly committed: number;
}

type Places = readonly (readonly [place: string, commitment: string])[];

/** How places are read from records of each kind; later acts repeat the commitment of the one that brought the content. */
const PLACES: Readonly<Record<string, (record: object, trial: string, participant: string) => Places>> = {
  'trial-point': (record, trial) => {
    const { act, commitment, ...place } = record as PointRecord;
    const isNew = act === 'enter' || act === 'correct';
    return isNew ? [[`${DATA_POINT_SYSTEM} ${placeName({ trial, ...place })}`, commitment]] : [];
  },
  'trial-event': (record, trial) => {
    const { act, commitment, ...place } = record as EventRecord;
    return act === 'report' ? [[`${EVENT_SYSTEM} ${placeName({ trial, ...place })}`, commitment]] : [];
  },
  'trial-submission': (record, trial) => {
    const { commitment, ...place } = record as SubmissionRecord;
    return [[`${SAFETY_REPORT_SYSTEM} ${placeName({ trial, ...place })}`, commitment]];
  },
  'trial-eligible': (record, trial, participant) =>
    (record as EligibleRecord).criteria.map(({ id: criterion, commitment }) => {
      return [`${CRITERION_SYSTEM} ${placeName({ trial, participant, criterion })}`, commitment];
    }),
};

/** Checks contents, decimals exact, against a trial's records as the ledger has them. */
export function checkContents(onLedger: TrialRecords, contents: readonly JsonObject[]): ContentsCheck {
  // A criterion may be answered by several declarations: under the version of each.
  const places = [...onLedger].flatMap(([key, record]) => placesOf(key, record));
  const committed = new Set(places.map((each) => each.join(' ')));
  const wrong = contents.filter((content) => !committed.has(`${placeOf(content)} ${commitmentOf(content)}`));
  return {
    findings: wrong.map((content) => `not a content that the ledger commits to: ${placeOf(content)}`),
    committed: committed.size,
  };
}

function placesOf(key: string, record: object): Places {
  const [kind = '', trial = '', participant = ''] = key.split('/');
  return PLACES[kind]?.(record, trial, participant) ?? [];
}

function placeOf({ identifier }: JsonObject): string {
  const { system = '', value = '' } = (identifier ?? {}) as { readonly system?: string; readonly value?: string };
  return `${system} ${value}`;
}

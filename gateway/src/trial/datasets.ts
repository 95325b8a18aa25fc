/**
 * A trial's data as CDISC Dataset-JSON 1.1 (https://www.cdisc.org/standards/data-exchange/dataset-json): participants (DM),
 * adverse events (AE), the audit trail of every data point (AUDIT), the answers of the forms kept here (QS), and those to the
 * criteria of eligibility (IE). Pure. Columns
 * are named as in SDTM where it has one; the datasets do not claim to conform to SDTM.
 */
import type { ParticipantView, TrialView } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';

/** A dataset's columns: name, label, and type by Dataset-JSON. */
type Columns = readonly (readonly [name: string, label: string, type: 'string' | 'integer' | 'datetime'])[];
type Row = readonly (string | number | null)[];

const DM: Columns = [
  ['STUDYID', 'Study Identifier', 'string'],
  ['USUBJID', 'Unique Subject Identifier', 'string'],
  ['SITEID', 'Study Site Identifier', 'string'],
  ['STRATUM', 'Stratum', 'string'],
  ['KIT', 'Kit Number', 'string'],
  ['RANDDTC', 'Date/Time of Randomisation', 'datetime'],
  ['ARMCD', 'Arm Code, after unblinding', 'string'],
];
const AE: Columns = [
  ['STUDYID', 'Study Identifier', 'string'],
  ['USUBJID', 'Unique Subject Identifier', 'string'],
  ['AESPID', 'Sponsor-Defined Identifier', 'string'],
  ['AESEQ', 'Number of the Report', 'integer'],
  ['AESER', 'Serious Event', 'string'],
  ['AESLIFE', 'Fatal or Life Threatening', 'string'],
  ['AESEV', 'Severity/Intensity', 'string'],
  ['AEREL', 'Causality by the Investigator', 'string'],
  ['AERELSP', 'Causality by the Sponsor', 'string'],
  ['AWAREDTC', 'Date/Time the Site Became Aware', 'datetime'],
  ['DUEDTC', 'Due at the Regulator', 'datetime'],
  ['LATEFL', 'Late to the Sponsor', 'string'],
];
const AUDIT: Columns = [
  ['STUDYID', 'Study Identifier', 'string'],
  ['USUBJID', 'Unique Subject Identifier', 'string'],
  ['VISIT', 'Visit Name', 'string'],
  ['FORM', 'Form', 'string'],
  ['SEQ', 'Number of the Act', 'integer'],
  ['ACT', 'Act', 'string'],
  ['STATE', 'State after the Act', 'string'],
  ['ROLE', 'Role', 'string'],
  ['MEMBER', 'Member', 'string'],
  ['KEYID', 'Key on the Delegation Log', 'string'],
  ['ACTDTC', 'Date/Time of the Act', 'datetime'],
  ['REASON', 'Reason', 'string'],
  ['CONTENT', 'Commitment of the Content', 'string'],
  ['TXID', 'Transaction', 'string'],
  ['LAPSED', 'Corrected after Withdrawal or Deadline of Consent', 'string'],
];
const QS: Columns = [
  ['STUDYID', 'Study Identifier', 'string'],
  ['USUBJID', 'Unique Subject Identifier', 'string'],
  ['VISIT', 'Visit Name', 'string'],
  ['FORM', 'Form', 'string'],
  ['SEQ', 'Number of the Act', 'integer'],
  ['QSTESTCD', 'Item', 'string'],
  ['QSORRES', 'Answer', 'string'],
  ['CONTENT', 'Commitment of the Content', 'string'],
];
const IE: Columns = [
  ['STUDYID', 'Study Identifier', 'string'],
  ['USUBJID', 'Unique Subject Identifier', 'string'],
  ['IETESTCD', 'Criterion of Eligibility', 'string'],
  ['IEORRES', 'Answer', 'string'],
  ['IEDTC', 'Date/Time of the Declaration', 'datetime'],
  ['VERSION', 'Version of the Protocol', 'integer'],
  ['CONTENT', 'Commitment of the Content', 'string'],
];

/** Datasets by their names. */
export const datasetNames = ['DM', 'AE', 'AUDIT', 'QS', 'IE'] as const;
/** One of `datasetNames`. */
export type DatasetName = (typeof datasetNames)[number];

/** What datasets are made from. Lines are in the order in which participants are listed. */
export interface StudyData {
  readonly view: TrialView;
  readonly lines: readonly (readonly [participant: string, line: ParticipantView])[];
  /** The content kept here under a commitment. */
  readonly content: (commitment: string) => JsonObject | undefined;
}

const makers: Readonly<Record<DatasetName, { readonly columns: Columns; readonly rows: (data: StudyData) => Row[] }>> =
  {
    DM: { columns: DM, rows: demographics },
    AE: { columns: AE, rows: events },
    AUDIT: { columns: AUDIT, rows: auditTrail },
    QS: { columns: QS, rows: answers },
    IE: { columns: IE, rows: eligibility },
  };

/** One dataset, as of `at` (FHIR instant). */
export function datasetOf(name: DatasetName, data: StudyData, at: string): object {
  const { columns, rows } = makers[name];
  const { trial } = data.view.trial;
  const found = rows(data);
  return {
    datasetJSONCreationDateTime: at,
    datasetJSONVersion: '1.1.0',
    fileOID: `${trial}.${name}.${at}`,
    originator: 'Salus',
    studyOID: trial,
    itemGroupOID: `IG.${name}`,
    records: found.length,
    name,
    label: `${name} of ${trial}`,
    columns: columns.map(([column, label, dataType]) => ({
      itemOID: `IT.${name}.${column}`,
      name: column,
      label,
      dataType,
    })),
    rows: found,
  };
}

function demographics({ view: { trial, slots, reveals } }: StudyData): Row[] {
  return slots.flatMap(({ stratum, taken }) => {
    const revealed = reveals.find((each) => each.stratum === stratum)?.slots;
    return taken.map(({ participant, by, kit, at, slot }): Row => {
      return [trial.trial, participant, by.member, stratum, kit, at, revealed?.[slot - 1]?.arm ?? null];
    });
  });
}

function events({ view: { trial, events: list } }: StudyData): Row[] {
  return list.map((record): Row => {
    const { participant, event, n, byInvestigator, bySponsor = null, awareAt, dueBy = null } = record;
    const flags = [yesNo(record.isSerious), yesNo(record.isFatal), record.severity];
    const words = [byInvestigator, bySponsor, awareAt, dueBy, yesNo(record.isLate)];
    return [trial.trial, participant, event, n, ...flags, ...words];
  });
}

function yesNo(is: boolean): string {
  return is ? 'Y' : 'N';
}

function auditTrail({ view: { trial }, lines }: StudyData): Row[] {
  return lines.flatMap(([participant, { points }]) =>
    points.map(({ visit, form, n, act, state, by, ...record }): Row => {
      const { delegate, at, reason = null, commitment, tx, lapsed = null } = record;
      return [
        ...[trial.trial, participant, visit, form, n, act, state, by.role, by.member],
        ...[delegate, at, reason, commitment, tx, lapsed],
      ];
    }),
  );
}

/** The answers of every content kept here, of the latest act that brought it. */
function answers({ view: { trial }, lines, content }: StudyData): Row[] {
  return lines.flatMap(([participant, { points }]) =>
    points
      .filter(({ act }) => act === 'enter' || act === 'correct')
      .flatMap(({ visit, form, n, commitment }) =>
        itemsOf(content(commitment)).map(({ linkId, answer }): Row => {
          return [trial.trial, participant, visit, form, n, linkId, answer, commitment];
        }),
      ),
  );
}

/** The answers to the criteria, by every declaration, of every content kept here. */
function eligibility({ view: { trial }, lines, content }: StudyData): Row[] {
  return lines.flatMap(([participant, { eligibility: declared }]) =>
    declared.flatMap(({ criteria, at, version }) =>
      criteria.flatMap(({ id, commitment }) =>
        itemsOf(content(commitment)).map(({ answer }): Row => {
          return [trial.trial, participant, id, answer, at, version, commitment];
        }),
      ),
    ),
  );
}

interface Item {
  readonly linkId?: string;
  readonly item?: readonly Item[];
  readonly answer?: readonly (Readonly<Record<string, unknown>> & { readonly item?: readonly Item[] })[];
}

/** Items with their answers, those inside groups and answers too; an answer that is no plain value as JSON. */
function itemsOf(resource: Item | JsonObject | undefined): { readonly linkId: string; readonly answer: string }[] {
  const items = (resource as Item | undefined)?.item ?? [];
  return items.flatMap((item) => [
    ...(item.answer ?? []).flatMap(({ item: inner, ...value }) => [
      ...Object.values(value).map((each) => ({ linkId: item.linkId ?? '', answer: plain(each) })),
      ...itemsOf(inner === undefined ? undefined : { item: inner }),
    ]),
    ...itemsOf(item.item === undefined ? undefined : { item: item.item }),
  ]);
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a trial's statements say: who signed by which key, when, and what it means (21 CFR 11.50). Pure. */
import type { ParticipantView, TrialView } from '@salus/chaincode/trial/api';

/** One statement, as the contracts have read it. */
export interface Said {
  readonly kid: string;
  readonly meaning: string;
  /** FHIR instant. */
  readonly signedAt: string;
  /** Salted commitment of the printed name. */
  readonly name: string;
}

/** Reads a statement; the contracts have checked it. */
export function saidIn(jws: string): Said {
  const [header = '', payload = ''] = jws.split('.');
  const read = (part: string): object => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as object;
  return { ...read(payload), ...read(header) } as Said;
}

/** Every statement about a whole trial, in the order of its records. */
export function statementsOf({ approvals, document, statuses }: TrialView): readonly string[] {
  return [...approvals, document, ...statuses].flatMap((record) => record?.statements ?? []);
}

/** Every statement of staff about one participant: counter-signatures of consents, and signatures of data points. */
export function statementsAbout({ consents, points }: Pick<ParticipantView, 'consents' | 'points'>): readonly string[] {
  return [
    ...consents.flatMap(({ countersigned, withdrawn }) =>
      countersigned === undefined || withdrawn !== undefined ? [] : [countersigned],
    ),
    ...points.flatMap(({ statements = [] }) => statements),
  ];
}

/**
 * Withdrawal at a hospital that does not keep the record: it vouches for the patient, since an end only closes, and asks
 * the custodians. They refuse from then on, and record the end themselves.
 */
import type { Asker, ConsentRecord } from '@salus/chaincode/consent/api';
import { onlyPermits, type ConsentInForce, patientIn } from '@salus/chaincode/consent/decide';

import { Refusal } from '../ledger/refusal.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Commit } from '../ports.js';
import type { ConsentSent, RecordedConsent } from './recorder.js';
import type { ConsentShelf } from './shelf.js';

/** States in which a consent has ended. */
export const ENDED = ['inactive', 'entered-in-error'] as const;

/** What a custodian is asked to end. */
export interface AskedEnd {
  readonly consentId: string;
  /** The version that ends it. */
  readonly version: number;
  readonly status: (typeof ENDED)[number];
  readonly asker: Pick<Asker, 'user' | 'role'>;
}

/** Asks one custodian's door; its commit, or undefined where it refuses already but has not recorded it. Throws when it cannot be asked. */
export type AskCustodian = (custodian: string, end: AskedEnd) => Promise<Commit | undefined>;

/** How a consent kept by another custodian is found, and how that custodian is asked. */
export interface ElsewherePorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly shelf: ConsentShelf;
  readonly askCustodian: AskCustodian;
}

/** The consent that a patient or guardian ends here although its record is kept elsewhere; undefined for all else. */
export function endedElsewhere(ports: ElsewherePorts, sent: ConsentSent): ConsentRecord | undefined {
  const { id, statement, resource, actor } = sent;
  if (id === undefined || statement !== undefined || !isEnd(resource.status)) return undefined;
  const patientId = patientIn(resource);
  // The token's launch context names the one patient whom this hospital vouches for.
  if (patientId === undefined || actor.patient !== patientId) return undefined;
  const patient = ports.lookup.byId(patientId);
  if (patient === undefined || Object.hasOwn(patient.custodians, ports.member)) return undefined;
  return ports.shelf.one(patient.pid, id)?.record;
}

/** Ends it at its custodians; of what was sent only the status is heeded. Throws Refusal, `outcome-unknown` once all refuse. */
export async function withdrawElsewhere(
  ports: ElsewherePorts,
  { actor, resource, expect }: ConsentSent,
  record: ConsentRecord,
): Promise<RecordedConsent> {
  const { consentId, countsAt } = record;
  refuseUnlessEndable(record, expect);
  const version = record.version + 1;
  const status = resource.status as AskedEnd['status'];
  const end: AskedEnd = { consentId, version, status, asker: { user: actor.user, role: actor.role } };
  const answers = await Promise.allSettled(countsAt.map((custodian) => ports.askCustodian(custodian, end)));
  if (answers.some((answer) => answer.status === 'rejected')) throw unreached(countsAt);
  const commit = answers.find((answer) => answer.status === 'fulfilled' && answer.value !== undefined);
  if (commit?.status !== 'fulfilled' || commit.value === undefined) throw pending();
  return { id: consentId, version, commit: commit.value, resource: { ...record.consent, id: consentId, status } };
}

function refuseUnlessEndable({ status, version, consent }: ConsentRecord, expect: number | undefined): void {
  if (status !== 'active') throw new Refusal('conflict', 'illegal-transition', `the consent is ${status} already`);
  if (expect !== undefined && expect !== version) {
    throw new Refusal('conflict', 'precondition-failed', 'If-Match does not name the version in force');
  }
  if (!onlyPermits(consent as unknown as ConsentInForce['care'])) {
    throw new Refusal(
      'invalid',
      'unprocessable',
      'the consent denies something, so that its end could open the record: end it at the hospital that keeps the ' +
        'record, or send the header X-Statement',
    );
  }
}

function isEnd(status: unknown): status is AskedEnd['status'] {
  return (ENDED as readonly unknown[]).includes(status);
}

function unreached(custodians: readonly string[]): Refusal {
  const names = custodians.join(', ');
  return new Refusal('unavailable', 'custodian-unreachable', `${names} could not be told: send it again`);
}

function pending(): Refusal {
  return new Refusal('unavailable', 'outcome-unknown', 'the custodian refuses already; the ledger does not say so yet');
}

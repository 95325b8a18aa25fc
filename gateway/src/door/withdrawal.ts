/** A withdrawal, or another replacement, that some gateway heard of: from now on this door refuses what the consent permitted. */
import { MAX_VERSION } from '@salus/chaincode/consent/api';

import type { EndAskedBy } from '../consent/asked-end.js';
import { ENDED, type AskedEnd } from '../consent/elsewhere.js';
import { refusalSubject } from '../consent/announced.js';
import type { Memory } from '../keys/memory.js';
import type { Commit } from '../ports.js';
import type { Directory } from '../registry/directory.js';

/** Where a door hears of withdrawals, below DOOR_BASE. */
export const WITHDRAWAL_PATH = '$withdrawal';

/** Versions that a door may be behind who tells it; of later ones it knows that they were made up. */
const MOST_AHEAD = 8;

/** What one door tells another. */
export interface Withdrawal {
  readonly consentId: string;
  /** The version that ends or replaces it: once the ledger has it, the refusal is not needed any more. */
  readonly version: number;
}

/** What a door may be told: that a withdrawal comes, or that a patient at the teller's asks for it to be recorded here. */
type Told = Withdrawal & Partial<Pick<AskedEnd, 'status' | 'asker'>>;

/** What a door needs to refuse at once what was withdrawn, and to record an end it is asked for. */
export interface WithdrawalPorts {
  readonly memory: Memory;
  readonly directory: Pick<Directory, 'roles'>;
  /** Newest version of a consent that counts at this member; undefined = there is none. */
  readonly consentVersion: (consentId: string) => number | undefined;
  /** Whether a member is a custodian of the patient whose consent it is. */
  readonly keeps: (member: string, consentId: string) => boolean;
  /** Records an end that another hospital asks for; undefined where it is not this member's to record. */
  readonly recordEnd: (end: EndAskedBy) => Promise<Commit | undefined>;
  /** Hears of an end that was asked for and could not be recorded. */
  readonly onUnrecorded: (error: unknown) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

/**
 * Puts the refusal in force, if a hospital says it of a next version of a consent that counts here, and records the
 * end if a patient there asks for it and this gateway is up to date: what else is said changes nothing, and is answered like what is not recorded yet.
 * Undefined for what is no withdrawal.
 */
export async function hearWithdrawal(
  ports: WithdrawalPorts,
  teller: string,
  body: string,
): Promise<{ readonly commit?: Commit } | undefined> {
  const said = parse(body);
  if (said === undefined) return undefined;
  const ahead = said.version - (ports.consentVersion(said.consentId) ?? Infinity);
  if (ahead < 1 || ahead > mostAhead(ports, teller, said)) return {};
  refuse(ports, said);
  const commit = ahead > 1 ? undefined : await endRecorded(ports, teller, said);
  return commit === undefined ? {} : { commit };
}

/** How many versions ahead of this door's one a teller may be: it closes what the versions in between permit, too. */
function mostAhead({ directory, keeps }: WithdrawalPorts, teller: string, { consentId }: Withdrawal): number {
  if (!directory.roles(teller).includes('hospital')) return 0;
  return keeps(teller, consentId) ? MOST_AHEAD : 1;
}

/** Of the end that a patient at the teller's asks for; undefined where none is asked for, or it could not be recorded. */
async function endRecorded(
  ports: WithdrawalPorts,
  teller: string,
  { status, asker, ...said }: Told,
): Promise<Commit | undefined> {
  if (status === undefined || asker === undefined) return undefined;
  try {
    return await ports.recordEnd({ ...said, status, asker: { member: teller, ...asker } });
  } catch (error) {
    ports.onUnrecorded(error);
    return undefined;
  }
}

function refuse({ memory, now, consentVersion }: WithdrawalPorts, { consentId, version }: Withdrawal): void {
  const subject = refusalSubject.consent(consentId);
  const known = memory.refusal(subject);
  const pending = Number(known?.reason) > (consentVersion(consentId) ?? 0) ? known : undefined;
  // What was said before of a lower version must not keep this one from being obeyed, nor does saying it again and again
  // keep the consent shut for longer than what is never recorded may.
  if (known !== undefined && Number(known.reason) < version) memory.lift(subject);
  memory.refuse(subject, String(version), pending?.since ?? now());
}

function parse(body: string): Told | undefined {
  try {
    const { consentId, version, status, asker } = JSON.parse(body) as Partial<Told>;
    if (!isId(consentId) || !isNextVersion(version)) return undefined;
    if (status === undefined && asker === undefined) return { consentId, version };
    if (status === undefined || !ENDED.includes(status) || !isPatient(asker)) return undefined;
    return { consentId, version, status, asker: { user: asker.user, role: asker.role } };
  } catch {
    return undefined;
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(value);
}

function isNextVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 1 && Number(value) <= MAX_VERSION;
}

/** Staff of another hospital cannot ask for it. */
function isPatient(asker: Partial<AskedEnd['asker']> | undefined): asker is AskedEnd['asker'] {
  return typeof asker?.user === 'string' && ['patient', 'guardian'].includes(asker.role ?? '');
}

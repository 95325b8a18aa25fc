/**
 * The consents this custodian decides on: each checked by itself, with keys this member registered, against the highest
 * version it ever saw. What does not hold counts for nothing, closes the patient to other members and raises an alarm.
 */
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto';

import type { ConsentInForce } from '@salus/chaincode/consent/decide';
import type { ConsentRecord, RecordConsent } from '@salus/chaincode/consent/api';

import { canonicalForm, readStatement, type StatementSubject } from '../identity/statements.js';
import type { Memory } from '../keys/memory.js';
import type { PatientKeys } from '../patient/keys.js';
import type { Facts } from '../patient/lookup.js';
import { REVOKED_SPACE, revokedKey } from '../patient/project.js';
import type { Place, ProjectedConsent } from './project.js';
import type { ConsentShelf } from './shelf.js';

/** How long a door obeys an announced withdrawal that the ledger does not get, ms. A door opens within 60 s of a tick only, so this is the ticks' time. */
export const ANNOUNCED_LIFETIME_MS = 86_400_000;

type Problem = 'rollback' | 'foreign-consent';
/** Hears what is wrong, once for each patient, and of a withdrawal that was announced and never came. */
export type Alarm = (what: Problem | 'withdrawal-overdue', pid: string) => void;

export interface TrustPorts {
  readonly member: string;
  readonly mspId: string;
  readonly channel: string;
  readonly facts: Pick<Facts, 'fact'>;
  readonly shelf: ConsentShelf;
  readonly memory: Memory;
  readonly patientKeys: Pick<PatientKeys, 'registered'>;
  readonly alarm: Alarm;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Subject of a refusal in force: a withdrawn consent, or a patient under alarm. */
export const refusalSubject = {
  consent: (consentId: string): string => `consent/${consentId}`,
  patient: (pid: string): string => `patient/${pid}`,
};

/** What this member says without a signature, as it remembers it: hex SHA-256 of its RFC 8785 form. */
export function wordHash({ pid, consentId, version, consent }: Omit<RecordConsent, 'salt'>): string {
  return createHash('sha256').update(canonicalForm({ pid, consentId, version, consent })).digest('hex');
}

/** What holds of a patient's consents. */
interface Checked {
  /** The highest version of each that holds. */
  readonly held: readonly ProjectedConsent[];
  /** Why some do not. */
  readonly problem: Problem | undefined;
}

/** A member's consents, checked before anything is decided on them. */
export class TrustedConsents {
  /** Of patients all of whose consents hold: signatures are checked once. */
  readonly #sound = new WeakMap<readonly ProjectedConsent[], Checked>();

  constructor(private readonly ports: TrustPorts) {}

  /** In force for this member's own staff: what does not hold neither permits nor hides what held before it. */
  within(pid: string): readonly ConsentInForce[] {
    return inForce(this.#checked(pid).held);
  }

  /**
   * The readings to decide on for other members: the consents in force, and, where a withdrawal is heard but not yet on
   * the ledger, those that will be left. Undefined = the patient is closed to them.
   */
  toOthers(pid: string): readonly (readonly ConsentInForce[])[] | undefined {
    const { held } = this.#checked(pid);
    if (this.ports.memory.refusalOf(refusalSubject.patient(pid)) !== undefined) return undefined;
    const all = inForce(held);
    const left = all.filter((consent) => !isRefused(this.ports, pid, consent));
    return left.length === all.length ? [all] : [all, left];
  }

  /** The highest version of a consent that holds; undefined where none does, or the patient is under alarm. */
  held(pid: string, consentId: string): ConsentRecord | undefined {
    const { held, problem } = this.#checked(pid);
    return problem === undefined ? held.find(({ record }) => record.consentId === consentId)?.record : undefined;
  }

  #checked(pid: string): Checked {
    const versions = this.ports.shelf.versions(pid);
    const known = this.#sound.get(versions);
    if (known !== undefined) return known;
    const checked = check(this.ports, versions);
    if (checked.problem === undefined) this.#sound.set(versions, checked);
    else close(this.ports, pid, checked.problem);
    return checked;
  }
}

function check(ports: TrustPorts, versions: readonly ProjectedConsent[]): Checked {
  const held: ProjectedConsent[] = [];
  const problems: (Problem | undefined)[] = [];
  for (const consent of Map.groupBy(versions, ({ record }) => record.consentId).values()) {
    problems.push(problemOf(ports, consent));
    held.push(...consent.filter((version) => holds(ports, version)).slice(0, 1));
  }
  return { held, problem: problems.find((problem) => problem !== undefined) };
}

/** What is wrong with the highest version of a consent, with any of what was said of it. */
function problemOf(ports: TrustPorts, versions: readonly ProjectedConsent[]): Problem | undefined {
  const highest = versions.filter(({ record }) => record.version === versions[0]?.record.version);
  const problems = highest.map((version) => problemOfVersion(ports, version));
  return problems.find((problem) => problem !== undefined);
}

function problemOfVersion(ports: TrustPorts, consent: ProjectedConsent): Problem | undefined {
  const { pid, consentId, version, countsAt } = consent.record;
  // No version may stop counting where the one before did: a denial would be lost that way.
  if (!countsAt.includes(ports.member)) return ports.shelf.everCounted(pid, consentId) ? 'rollback' : undefined;
  if (!isAuthentic(ports, consent)) return 'foreign-consent';
  return ports.memory.sawVersion(consentId, version, hashOf(consent)) ? undefined : 'rollback';
}

/** Whether a version may be decided on: it counts here, is authentic, and nothing else was seen in its place. */
function holds(ports: TrustPorts, consent: ProjectedConsent): boolean {
  const { consentId, version, countsAt } = consent.record;
  if (!countsAt.includes(ports.member) || !isAuthentic(ports, consent)) return false;
  return ports.memory.highestSeen(consentId) !== version || ports.memory.hasSeen(consentId, version, hashOf(consent));
}

function inForce(held: readonly ProjectedConsent[]): readonly ConsentInForce[] {
  return held
    .filter(({ record }) => record.status === 'active')
    .map(({ record }) => ({
      id: record.consentId,
      version: record.version,
      care: record.consent as unknown as ConsentInForce['care'],
    }));
}

/** Of all the ledger holds of a version: it is written once, so that not even the time in it may differ. */
function hashOf({ record }: ProjectedConsent): string {
  return createHash('sha256').update(canonicalForm(record)).digest('hex');
}

function close({ memory, now, alarm }: TrustPorts, pid: string, what: Problem): void {
  const subject = refusalSubject.patient(pid);
  if (memory.refusalOf(subject) !== undefined) return;
  memory.refuse(subject, what, now());
  alarm(what, pid);
}

/** Heard to be withdrawn, and the ledger does not say so yet. A version that came after it lifts the refusal, or its end. */
function isRefused({ memory, now, alarm }: TrustPorts, pid: string, { id, version }: ConsentInForce): boolean {
  const subject = refusalSubject.consent(id);
  const refusal = memory.refusal(subject);
  if (refusal === undefined) return false;
  const isOverdue = Date.parse(now()) - Date.parse(refusal.since) > ANNOUNCED_LIFETIME_MS;
  const isPending = version < Number(refusal.reason);
  if (isPending && !isOverdue) return true;
  if (isPending) alarm('withdrawal-overdue', pid);
  memory.lift(subject);
  return false;
}

/**
 * Seen to be so before; or signed with a key this member registered; or said by this member: its transaction, as the
 * creator's signature says, and its word, as it remembers it. Who endorsed may not put another into its mouth.
 */
function isAuthentic(ports: TrustPorts, consent: ProjectedConsent): boolean {
  const { record, creatorMspId } = consent;
  if (ports.memory.hasSeen(record.consentId, record.version, hashOf(consent))) return true;
  if (record.statement !== undefined) return isSigned(ports, consent, record.statement);
  return creatorMspId === ports.mspId && ports.memory.isOwnWord(wordHash(record));
}

function isSigned(ports: TrustPorts, { record, place }: ProjectedConsent, statement: string): boolean {
  const read = readStatement(statement);
  const key = read && ports.patientKeys.registered(record.pid, read.kid);
  if (read === undefined || key === undefined) return false;
  if (key.revoked && !isBefore(place, revocationOf(ports, record.pid, read.kid))) return false;
  return isAbout(read.subject, ports.channel, record) && saysWith(key.jwk, statement) === canonicalForm(record.consent);
}

/** Where the ledger has this member's revocation of a key; undefined while it does not have it. */
function revocationOf({ facts, member }: TrustPorts, pid: string, kid: string): Place | undefined {
  const fact = facts.fact(REVOKED_SPACE, revokedKey(pid, member, kid));
  return fact === undefined ? undefined : (JSON.parse(fact) as Place);
}

function isBefore(place: Place, revocation: Place | undefined): boolean {
  if (revocation === undefined) return true;
  return place.block < revocation.block || (place.block === revocation.block && place.index < revocation.index);
}

function isAbout(
  { channel, consent, version, replaces }: StatementSubject,
  here: string,
  record: ProjectedConsent['record'],
): boolean {
  if (channel !== here || consent !== record.consentId || version !== record.version) return false;
  return replaces === (version === 1 ? null : version - 1);
}

/** What a statement says, if this key signed it. */
function saysWith(jwk: object, statement: string): string | undefined {
  const [header = '', payload = '', signature = ''] = statement.split('.');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const bytes = Buffer.from(signature, 'base64url');
  const isSigned = verify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, bytes);
  return isSigned ? Buffer.from(payload, 'base64url').toString('utf8') : undefined;
}

/**
 * The consents this custodian decides on: each checked by itself, with keys this member registered, against the highest
 * version it ever saw. What does not hold counts for nothing, closes the patient to other members and raises an alarm.
 */
import { asInForce, mayReplace, replacedAmong, type ConsentInForce } from '@salus/chaincode/consent/decide';
import type { RecordConsent, StoredConsent } from '@salus/chaincode/consent/api';

import { heardDenials, isEnding, obeyDenial, refusalSubject, type AnnouncedPorts } from './announced.js';
import { hashOf, isAuthentic } from './authentic.js';
import type { ProjectedConsent } from './project.js';
import { inBlockOrder, type ConsentShelf } from './shelf.js';

/** After all that is ordered: a key that was revoked signs nothing there. */
const NOT_ORDERED = { block: Infinity, index: 0 };

/** What closes a patient to other members. */
export type Problem = 'rollback' | 'foreign-consent';
/** Hears what is wrong, once for each patient, and of what was announced and never came. */
export type Alarm = (what: Problem | 'withdrawal-overdue' | 'denial-overdue', pid: string) => void;

/** What tells a consent that counts from one that does not, and who hears of one that does not. */
export interface TrustPorts extends AnnouncedPorts {
  readonly shelf: ConsentShelf;
  /** The own peer's committed blocks, as far as they are applied. */
  readonly applied: { readonly block: number };
  readonly alarm: Alarm;
}

/** What is wrong with a version of a consent. */
export interface Finding {
  readonly problem: Problem;
  readonly consentId: string;
  readonly version: number;
  /** Hex SHA-256 of all the ledger holds of the version. */
  readonly hash: string;
  /** MSP id of the member that sent the transaction. */
  readonly sender: string;
  /** What was seen in its place is not here any more: the projection must be rebuilt before anything can be said. */
  readonly isLost: boolean;
}

/** Why a patient is closed to other members. */
export interface Closure {
  readonly problem: string;
  /** FHIR instant. */
  readonly since: string;
  /** None where what was wrong is there no more. */
  readonly findings: readonly Finding[];
}

/** What holds of a patient's consents. */
interface Checked {
  /** The highest version of each that holds. */
  readonly held: readonly ProjectedConsent[];
  /** Ids of those that another one that holds replaced. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Why some do not. */
  readonly findings: readonly Finding[];
  /** Another gateway of the member saw a version in a block that this one has not applied yet. */
  readonly isBehind: boolean;
  /** Nothing was ever wrong, nor is now. */
  readonly isSound: boolean;
  /** State of the member's memory and block it was checked at; absent = it holds whatever comes. */
  readonly mark?: string;
}

/** A member's consents, checked before anything is decided on them. */
export class TrustedConsents {
  /** Signatures are checked once; where something is wrong, again whenever the member's memory changed. */
  readonly #known = new WeakMap<readonly ProjectedConsent[], Checked>();

  constructor(private readonly ports: TrustPorts) {}

  /**
   * The readings to decide on for this member's own staff, each of which must permit: the consents in force, and, where
   * something is heard that the ledger does not say yet, what is left without the ones that end, with those that deny.
   * What does not hold neither permits nor hides what held before it.
   */
  within(pid: string): readonly (readonly ConsentInForce[])[] {
    return this.#readings(pid);
  }

  /** The readings to decide on for other members, as within; undefined = the patient is closed to them. */
  toOthers(pid: string): readonly (readonly ConsentInForce[])[] | undefined {
    // Checked first: it is what closes the patient.
    const readings = this.#readings(pid);
    const isClosed = this.ports.memory.refusalOf(refusalSubject.patient(pid)) !== undefined;
    return isClosed || this.#checked(pid).isBehind ? undefined : readings;
  }

  #readings(pid: string): readonly (readonly ConsentInForce[])[] {
    const { held, replaced } = this.#checked(pid);
    const all = inForce(held.filter(({ record }) => !replaced.has(record.consentId)));
    const newest = (id: string) => held.find(({ record }) => record.consentId === id)?.record.version;
    const heard = heardDenials(this.ports, pid, newest);
    const left = all.filter((each) => !isEnding(this.ports, pid, each) && !heard.some(({ id }) => id === each.id));
    return left.length === all.length && heard.length === 0 ? [all] : [all, [...left, ...heard]];
  }

  /** Whether any patient's consent ever denied anything, or is heard to. */
  get deniesAnything(): boolean {
    const { shelf, memory } = this.ports;
    return shelf.deniesAnything || memory.refusals(refusalSubject.denials()).length > 0;
  }

  /** Obeys what a version denies that a member tells of before the ledger has it, if it will count here. */
  hear(teller: string, record: RecordConsent): void {
    const { member, mspId, shelf } = this.ports;
    const newest = shelf.one(record.pid, record.consentId)?.record.version ?? 0;
    if (record.version <= newest) return;
    obeyDenial(this.ports, { record, creatorMspId: teller === member ? mspId : '', place: NOT_ORDERED });
  }

  /** The highest version of a consent that holds; undefined where none does, or the patient is under alarm. */
  held(pid: string, consentId: string): StoredConsent | undefined {
    const { held, findings } = this.#checked(pid);
    return findings.length === 0 ? held.find(({ record }) => record.consentId === consentId)?.record : undefined;
  }

  /** The consent that replaced another one of the patient's for good; undefined = none that holds did. */
  replacedBy(pid: string, consentId: string): string | undefined {
    return this.#checked(pid).replaced.get(consentId);
  }

  /** Why the patient is closed to other members; undefined = it is open. */
  closure(pid: string): Closure | undefined {
    const { findings } = this.#checked(pid);
    const refusal = this.ports.memory.refusal(refusalSubject.patient(pid));
    return refusal && { problem: refusal.reason, since: refusal.since, findings };
  }

  /** Opens the patient again: what was found counts for nothing as before, but closes no more. */
  reopen(pid: string, { findings }: Closure): void {
    this.ports.memory.setAside(findings.map(({ hash }) => hash));
    this.ports.memory.lift(refusalSubject.patient(pid));
  }

  #checked(pid: string): Checked {
    const { shelf, memory, applied } = this.ports;
    const versions = shelf.versions(pid);
    const known = this.#known.get(versions);
    const mark = (): string => `${memory.mark} ${applied.block}`;
    if (known !== undefined && (known.mark === undefined || known.mark === mark())) return known;
    const checked = check(this.ports, versions);
    const [first] = checked.findings;
    if (first !== undefined) close(this.ports, pid, first.problem);
    const kept = checked.isSound ? checked : { ...checked, mark: mark() };
    this.#known.set(versions, kept);
    return kept;
  }
}

function check(ports: TrustPorts, versions: readonly ProjectedConsent[]): Checked {
  const held: ProjectedConsent[] = [];
  const findings: (Finding & { readonly isSetAside: boolean })[] = [];
  for (const consent of Map.groupBy(versions, ({ record }) => record.consentId).values()) {
    findings.push(...findingsOf(ports, consent));
    held.push(...consent.filter((version) => holds(ports, version)).slice(0, 1));
  }
  const replaced = replacedHere(ports, versions);
  const isBehind = versions.some(({ record }) => isSeenLater(ports, record.consentId));
  const isSound = findings.length === 0 && !isBehind;
  return { held, replaced, findings: findings.filter(({ isSetAside }) => !isSetAside), isBehind, isSound };
}

function isSeenLater({ memory, applied }: TrustPorts, consentId: string): boolean {
  return memory.seenIn(consentId) > applied.block;
}

/** By any version that holds, the newest or not: what was replaced does not come back when what replaced it ends. */
function replacedHere(ports: TrustPorts, versions: readonly ProjectedConsent[]): ReadonlyMap<string, string> {
  if (!versions.some(({ record }) => mayReplace(record.consent))) return new Map();
  return replacedAmong(inBlockOrder(versions.filter((version) => holds(ports, version))));
}

/** What is wrong with the highest version of a consent, with any of what was said of it. */
function findingsOf(
  ports: TrustPorts,
  versions: readonly ProjectedConsent[],
): readonly (Finding & { readonly isSetAside: boolean })[] {
  const highest = versions.filter(({ record }) => record.version === versions[0]?.record.version);
  return highest.flatMap((consent) => {
    const problem = problemOf(ports, consent);
    const hash = hashOf(consent);
    if (problem === undefined) return [];
    const { consentId, version } = consent.record;
    const isLost = !isSeenHere(ports, consentId, versions);
    const isSetAside = ports.memory.isSetAside(hash);
    return [{ problem, consentId, version, hash, sender: consent.creatorMspId, isLost, isSetAside }];
  });
}

function problemOf(ports: TrustPorts, consent: ProjectedConsent): Problem | undefined {
  const { pid, consentId, version, countsAt } = consent.record;
  // No version may stop counting where the one before did: a denial would be lost that way.
  if (!countsAt.includes(ports.member)) return ports.shelf.everCounted(pid, consentId) ? 'rollback' : undefined;
  if (!isAuthentic(ports, consent)) return 'foreign-consent';
  const isSeen = ports.memory.sawVersion(consentId, version, hashOf(consent), consent.place.block);
  return isSeen || isSeenLater(ports, consentId) ? undefined : 'rollback';
}

/** Whether the version of a consent that was last seen to hold, if any, is among these. */
function isSeenHere({ memory }: TrustPorts, consentId: string, versions: readonly ProjectedConsent[]): boolean {
  if (memory.highestSeen(consentId) === undefined) return true;
  return versions.some((each) => memory.hasSeen(consentId, each.record.version, hashOf(each)));
}

/** Whether a version may be decided on: it counts here, is authentic, and nothing else was seen in its place. */
function holds(ports: TrustPorts, consent: ProjectedConsent): boolean {
  const { consentId, version, countsAt } = consent.record;
  if (!countsAt.includes(ports.member) || !isAuthentic(ports, consent)) return false;
  return ports.memory.highestSeen(consentId) !== version || ports.memory.hasSeen(consentId, version, hashOf(consent));
}

function inForce(held: readonly ProjectedConsent[]): readonly ConsentInForce[] {
  return held.filter(({ record }) => record.status === 'active').map(({ record }) => asInForce(record));
}

function close({ memory, now, alarm }: TrustPorts, pid: string, what: Problem): void {
  const subject = refusalSubject.patient(pid);
  if (memory.refusalOf(subject) !== undefined) return;
  memory.refuse(subject, what, now());
  alarm(what, pid);
}

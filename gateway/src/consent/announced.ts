/**
 * What this member heard of its patients' consents before the ledger has it: that one ends or is replaced, and what a new
 * version denies. It is obeyed from then on and only closes, since whatever is shown is permitted without it, too. It is
 * remembered for a day, also once the ledger says the same: another gateway of the member may be behind.
 */
import type { RecordConsent } from '@salus/chaincode/consent/api';
import { onlyPermits, validateConsent, type ConsentInForce } from '@salus/chaincode/consent/decide';

import type { Memory } from '../keys/memory.js';
import { isSaid, wordHash, type AuthenticPorts, type SaidVersion } from './authentic.js';

/** How long a door obeys what was announced and the ledger does not get, ms. A door opens within 60 s of a tick only, so this is the ticks' time. */
export const ANNOUNCED_LIFETIME_MS = 86_400_000;
/** Most denials of one patient that are obeyed before the ledger has them; of what is beyond them the ledger decides alone. */
export const MAX_HEARD_DENIALS = 200;

/** Subject of a refusal in force: a consent that ends, a version that denies something, or a patient under alarm. */
export const refusalSubject = {
  consent: (consentId: string): string => `consent/${consentId}`,
  denials: (pid = ''): string => (pid === '' ? 'denial/' : `denial/${pid}/`),
  patient: (pid: string): string => `patient/${pid}`,
};

/** Where it is remembered, and who hears of what never came. */
export interface AnnouncedPorts extends AuthenticPorts {
  readonly memory: Memory;
  readonly alarm: (what: 'withdrawal-overdue' | 'denial-overdue', pid: string) => void;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Whether a version denies anything once it is in force. */
export function denies(consent: RecordConsent['consent']): boolean {
  return consent.status === 'active' && !onlyPermits(consent as unknown as ConsentInForce['care']);
}

/** Obeys what a version denies from now on, if it will count here once the ledger has it. */
export function obeyDenial(ports: AnnouncedPorts, said: SaidVersion): void {
  const { memory, now } = ports;
  const { pid, consentId, version, consent } = said.record;
  if (!denies(consent) || validateConsent(consent).length > 0 || !isSaid(ports, said)) return;
  const heard = refusalSubject.denials(pid);
  if (memory.refusals(heard).length >= MAX_HEARD_DENIALS) return;
  memory.refuse(`${heard}${consentId}/${version}/${wordHash(said.record)}`, JSON.stringify(consent), now());
}

/** The versions heard of that deny something to a patient and are newer than what the ledger says of their consents. */
export function heardDenials(
  ports: AnnouncedPorts,
  pid: string,
  newest: (consentId: string) => number | undefined,
): readonly ConsentInForce[] {
  return ports.memory.refusals(refusalSubject.denials(pid)).flatMap((refusal) => {
    const [, , id = '', number] = refusal.subject.split('/');
    const version = Number(number);
    const isPending = version > (newest(id) ?? 0);
    if (!isObeyed(ports, { ...refusal, isPending, overdue: 'denial-overdue', pid })) return [];
    return [{ id, version, care: JSON.parse(refusal.reason) as ConsentInForce['care'] }];
  });
}

/** Whether a consent in force is heard to end or to be replaced, and the ledger does not say so yet. */
export function isEnding(ports: AnnouncedPorts, pid: string, { id, version }: ConsentInForce): boolean {
  const subject = refusalSubject.consent(id);
  const refusal = ports.memory.refusal(subject);
  if (refusal === undefined) return false;
  const isPending = version < Number(refusal.reason);
  return isObeyed(ports, { subject, since: refusal.since, isPending, overdue: 'withdrawal-overdue', pid });
}

/** What the ledger says already needs no refusal any more; what it never said has an end. */
function isObeyed(
  { memory, now, alarm }: AnnouncedPorts,
  { subject, since, isPending, overdue, pid }: Announcement,
): boolean {
  if (Date.parse(now()) - Date.parse(since) <= ANNOUNCED_LIFETIME_MS) return isPending;
  if (isPending) alarm(overdue, pid);
  memory.lift(subject);
  return false;
}

interface Announcement {
  readonly subject: string;
  /** FHIR instant. */
  readonly since: string;
  /** The ledger does not say so yet. */
  readonly isPending: boolean;
  readonly overdue: 'withdrawal-overdue' | 'denial-overdue';
  readonly pid: string;
}

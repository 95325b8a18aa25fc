/**
 * Which consents of a patient stand: a version that comes into force replaces, for good, every other consent in force
 * that carries one of its identifiers (R4 Consent.identifier, system and value) or that its extension
 * `urn:salus:replaces` names. Pure; shared by contract and door, which each judge what they hold themselves.
 */
import type { CareConsent, Identifier } from './terms';

/** Extension of a Consent that names the one it replaces, by valueReference `Consent/{id}`. */
export const REPLACES = 'urn:salus:replaces';

const LITERAL = /^Consent\/([A-Za-z0-9.-]{1,64})$/;

/** A version of a consent, as far as it tells what stands. */
export interface StandingVersion {
  readonly consentId: string;
  readonly status: string;
  readonly consent: object;
}

/** Ids of the consents that a consent names as replaced; undefined for a name that is none. */
export function namedIn(consent: object): readonly (string | undefined)[] {
  return (listOf((consent as CareConsent).extension) as readonly (Extension | null)[])
    .filter((each) => each?.url === REPLACES)
    .map((each) => LITERAL.exec(String(each?.valueReference?.reference))?.[1]);
}

/** Whether a consent replaces another one that is in force when it comes into force. */
export function replaces(consent: object, other: Pick<StandingVersion, 'consentId' | 'consent'>): boolean {
  if (namedIn(consent).includes(other.consentId)) return true;
  const carried = identifiersOf(consent);
  return carried.length > 0 && identifiersOf(other.consent).some((each) => carried.includes(each));
}

/** Whether a consent could replace any other at all. */
export function mayReplace(consent: object): boolean {
  return namedIn(consent).length > 0 || identifiersOf(consent).length > 0;
}

/**
 * Of versions in block order: which consent was replaced by which. What is replaced stays so, whatever becomes of what
 * replaced it, and neither comes into force again nor replaces anything.
 */
export function replacedAmong(versions: readonly StandingVersion[]): ReadonlyMap<string, string> {
  const inForce = new Map<string, StandingVersion>();
  const replaced = new Map<string, string>();
  for (const version of versions) {
    const { consentId, status, consent } = version;
    if (replaced.has(consentId)) continue;
    inForce.delete(consentId);
    if (status !== 'active') continue;
    for (const other of [...inForce.values()].filter((each) => replaces(consent, each))) {
      inForce.delete(other.consentId);
      replaced.set(other.consentId, consentId);
    }
    inForce.set(consentId, version);
  }
  return replaced;
}

/** Identifiers with system and value: a value alone says nothing beyond whoever gave it. */
function identifiersOf(consent: object): readonly string[] {
  const list = listOf((consent as CareConsent).identifier) as readonly (Identifier | null)[];
  return list.flatMap((each) => (each?.system && each.value ? [JSON.stringify([each.system, each.value])] : []));
}

type Extension = NonNullable<CareConsent['extension']>[number];

/** What a consent that has ended holds was never looked at: it may have any form. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * What staff may make of a consent that patient or guardian gave, and what none may make of it whom it denies. Pure: by
 * what is written in both versions alone, so that a version that says the same in another way is none of these.
 */
import { canonical } from '../lib/canonical';
import { NO_REDISCLOSURE } from './labels';
import { basePolicy } from './policies';
import { onlyPermits } from './provisions';
import type { CareConsent, Provision } from './terms';

/** What nothing is decided on: when and by whom it was given, written down and checked. */
const TOLD = ['meta', 'dateTime', 'performer', 'verification', 'organization', 'sourceReference'];

/**
 * Whether a version shows nobody more than the one before it: it ends what only permits, or it differs in rules directly
 * below the root alone, of which plain denials came and plain permits went.
 */
export function isNarrower(next: object, before: object): boolean {
  const [made, stood] = [next as CareConsent, before as CareConsent];
  if (made.status !== 'active') return onlyPermits(stood);
  if (canonical(withoutRules(made)) !== canonical(withoutRules(stood))) return false;
  const [rules, earlier] = [rulesOf(made), rulesOf(stood)];
  return without(rules, earlier).every(isPlainDenial) && without(earlier, rules).every(isPlainPermit);
}

/**
 * Whether a version ends a consent as the patient, or whoever acts for the patient, said on paper or by word of mouth:
 * R4 Consent.performer says who, and a verification with whom that was checked, and when. `patients`: FHIR ids of the patient.
 */
export function isToldRevocation(consent: object, patients: readonly string[]): boolean {
  const { status, performer, verification } = consent as Revocation;
  if (status !== 'inactive') return false;
  const isTheirs = ({ reference }: Reference = {}): boolean =>
    reference !== undefined && (RELATED.test(reference) || patients.some((id) => reference === `Patient/${id}`));
  return (
    listOf<Reference>(performer).some(isTheirs) &&
    listOf<Verification>(verification).some(
      ({ verified, verifiedWith, verificationDate }) =>
        verified === true && typeof verificationDate === 'string' && isTheirs(verifiedWith),
    )
  );
}

/** Whether a consent denies something to a RelatedPerson (FHIR id) by name; where nobody says whom, to any. */
export function deniesRelated(consent: object, person: string | undefined): boolean {
  const care = consent as CareConsent;
  const { provision = {} } = care;
  const type = provision.type ?? basePolicy(care)?.effect;
  const visit = (rule: Provision, isWithin: boolean): boolean => {
    const isNamed = isWithin || (rule.actor ?? []).some(({ reference }) => isRelated(reference?.reference, person));
    return (isNamed && rule.type === 'deny') || (rule.provision ?? []).some((each) => visit(each, isNamed));
  };
  return visit({ ...provision, ...(type !== undefined && { type }) }, false);
}

const RELATED = /^RelatedPerson\/[A-Za-z0-9.-]{1,64}$/;

function isRelated(reference: string | undefined, person: string | undefined): boolean {
  if (reference === undefined) return false;
  return person === undefined ? RELATED.test(reference) : reference === `RelatedPerson/${person}`;
}

function withoutRules(consent: CareConsent): object {
  const decided = Object.entries(consent).filter(([name]) => !TOLD.includes(name));
  const root = Object.entries(consent.provision ?? {}).filter(([name]) => name !== 'provision');
  return { ...Object.fromEntries(decided), provision: Object.fromEntries(root) };
}

function rulesOf({ provision }: CareConsent): readonly Provision[] {
  return provision?.provision ?? [];
}

/** Those that are not among the others, each as often as it stands there. */
function without(rules: readonly Provision[], others: readonly Provision[]): readonly Provision[] {
  const left = others.map(textOf);
  return rules.filter((rule) => {
    const at = left.indexOf(textOf(rule));
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

function textOf(rule: Provision): string {
  return canonical(rule);
}

function isPlainDenial({ type, provision }: Provision): boolean {
  return type === 'deny' && (provision ?? []).length === 0;
}

/** What another permit obliges to must not go with it. */
function isPlainPermit(rule: Provision): boolean {
  return rule.type === 'permit' && (rule.provision ?? []).length === 0 && !textOf(rule).includes(NO_REDISCLOSURE);
}

interface Reference {
  readonly reference?: string;
}

interface Verification {
  readonly verified?: unknown;
  readonly verifiedWith?: Reference;
  readonly verificationDate?: unknown;
}

interface Revocation {
  readonly status?: unknown;
  readonly performer?: unknown;
  readonly verification?: unknown;
}

/** What a consent that has ended holds was never looked at: it may have any form. */
function listOf<T extends object>(value: unknown): readonly Partial<T>[] {
  const all = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return all.filter((each): each is Partial<T> => typeof each === 'object' && each !== null);
}

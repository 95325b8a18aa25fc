import type { ConsentRecord } from './api';
import { ALWAYS } from './dimensions';
import type { Question } from './dimensions';
import { isDataLabel, NO_REDISCLOSURE, PART_2_LABELS, PART_2_NOTICE } from './labels';
import { implicitRule, tableGoverns } from './policies';
import { speakingRules } from './provisions';
import type { Spoken } from './provisions';
import { spanOf } from './spans';
import type { AccessRequest, ConsentInForce, Decision, Obligation, ResourceFacts } from './terms';

export { careForm, joinCareForm } from './care-form';
export type { CareForm, Rest } from './care-form';
export { codingsOf, factsOf, labellingCodings, patientIn } from './facts';
export { labelsToAssign } from './labels';
export { onlyPermits } from './provisions';
export { mayReplace, namedIn, replaces, replacedAmong } from './replacing';
export type { StandingVersion } from './replacing';
export { periodSpan } from './spans';
export { MAX_PROVISIONS, validateConsent } from './validate';
export type { ConsentProblem } from './validate';
export type * from './terms';

/** A version of a consent as it is decided on, where it is in force. */
export function asInForce({ consentId, version, consent }: VersionSaid): ConsentInForce {
  return { id: consentId, version, care: consent as unknown as ConsentInForce['care'] };
}

/** A version of a consent, whatever else is known of it. */
type VersionSaid = Pick<ConsentRecord, 'consentId' | 'version' | 'consent'>;

/**
 * The one decision: may this request see this resource? Pure. `consents`: every consent in force for the patient, none
 * left out by the asker; `now`: FHIR instant.
 *
 * Within a consent the deepest rule that matches speaks, a denial before a permit at equal depth. Across consents a
 * denial stands before a permit, but for the default denial of a consent that lists what it permits: that one yields
 * to what another permits. Where none speaks the implicit policy does. What one permit, or a rule around it, obliges to
 * holds whichever of several decides. Throws RangeError when `now` is no instant.
 */
export function decide(
  request: AccessRequest,
  resource: ResourceFacts,
  consents: readonly ConsentInForce[],
  now: string,
): Decision {
  const question: Question = { request, facts: resource, now: instant(now) };
  const own = patientsOwn(question, consents);
  if (own) return own;
  const heard = consents.flatMap((consent) => {
    const rules = speakingRules(consent.care, question);
    const rule = deepest(rules);
    return rule ? [{ consent, rule, rules }] : [];
  });
  const denial = heard.find(({ rule }) => rule.effect === 'deny' && !rule.yields);
  if (denial) return said(denial);
  const permit = heard.find(({ rule }) => rule.effect === 'permit');
  if (permit && !tableGoverns(request)) return said(permit, obligations(request, resource, permitsAmong(heard)));
  const fallback = heard.find(({ rule }) => rule.yields);
  if (fallback) return said(fallback);
  return implicitly(request, resource.type);
}

/**
 * May this request see anything at all, before a resource is known? Permit wherever `decide` could permit some
 * resource; a permit here promises nothing about any one.
 */
export function mayAskAtAll(request: AccessRequest, consents: readonly ConsentInForce[], now: string): Decision {
  const question: Question = { request, facts: undefined, now: instant(now) };
  const own = patientsOwn(question, consents);
  if (own) return own;
  const heard = consents.map((consent) => ({ consent, rules: speakingRules(consent.care, question) }));
  const denial = first(heard, certainDenial);
  if (denial) return said(denial);
  const permit = first(heard, possiblePermit);
  if (permit && !tableGoverns(request)) return said(permit, removals(heard.flatMap(({ rules }) => rules)));
  const fallback = permit ? undefined : first(heard, certainFallback);
  return fallback ? said(fallback) : implicitly(request, undefined);
}

interface Heard {
  readonly consent: ConsentInForce;
  readonly rule: Spoken;
}

/**
 * The right of access: a patient at the custodian reads the own record, whatever the consents say of others; a guardian
 * all but what is denied to the guardian by name.
 */
function patientsOwn(question: Question, consents: readonly ConsentInForce[]): Decision | undefined {
  const { request, facts } = question;
  if (request.isPatient !== true || request.member !== request.custodian) return undefined;
  if (request.representative !== undefined) {
    const pick = facts === undefined ? certainDenial : deepest;
    const ofPerson = consents.map((consent) => ({
      consent,
      rules: speakingRules(consent.care, question).filter(isOfPerson),
    }));
    const denial = first(ofPerson, (rules) => onlyDenial(pick(rules)));
    if (denial) return said(denial);
  }
  return { outcome: 'permit', obligations: [], rule: 'implicit/within/patient' };
}

function isOfPerson({ ofRepresentative }: Spoken): boolean {
  return ofRepresentative;
}

function onlyDenial(rule: Spoken | undefined): Spoken | undefined {
  return rule?.effect === 'deny' ? rule : undefined;
}

function implicitly(request: AccessRequest, type: string | undefined): Decision {
  const { effect, path, redact, except } = implicitRule(request, type);
  const obligation: Obligation[] =
    effect === 'permit' && redact.length > 0 ? [{ kind: 'redact', elements: redact, types: except }] : [];
  return { outcome: effect, obligations: obligation, rule: path };
}

function said({ consent, rule }: Heard, obligations: readonly Obligation[] = []): Decision {
  const { id, version } = consent;
  return { outcome: rule.effect, obligations, consent: { id, version }, rule: rule.path };
}

function first(
  heard: readonly { consent: ConsentInForce; rules: readonly Spoken[] }[],
  pick: (rules: readonly Spoken[]) => Spoken | undefined,
): Heard | undefined {
  for (const { consent, rules } of heard) {
    const rule = pick(rules);
    if (rule) return { consent, rule };
  }
  return undefined;
}

function deepest(rules: readonly Spoken[]): Spoken | undefined {
  return rules.reduce<Spoken | undefined>((best, rule) => (best && !beats(rule, best) ? best : rule), undefined);
}

function beats(rule: Spoken, best: Spoken): boolean {
  if (rule.depth !== best.depth) return rule.depth > best.depth;
  return rule.effect === 'deny' && best.effect === 'permit';
}

/** The deepest denial that holds for every resource, unless a permit may lie deeper. */
function certainDenial(rules: readonly Spoken[]): Spoken | undefined {
  const denial = deepest(rules.filter(({ effect, fit }) => effect === 'deny' && fit === ALWAYS));
  if (!denial || denial.yields) return undefined;
  return rules.some(({ effect, depth }) => effect === 'permit' && depth > denial.depth) ? undefined : denial;
}

/** The default denial of every resource that a consent does not list. */
function certainFallback(rules: readonly Spoken[]): Spoken | undefined {
  return rules.find(({ yields, fit }) => yields && fit === ALWAYS);
}

/** A permit that may hold for some resource: no denial of every resource lies as deep or deeper. */
function possiblePermit(rules: readonly Spoken[]): Spoken | undefined {
  const denial = deepest(rules.filter(({ effect, fit }) => effect === 'deny' && fit === ALWAYS));
  return deepest(rules.filter(({ effect, depth }) => effect === 'permit' && depth > (denial?.depth ?? -1)));
}

/** Every rule that permits, of every consent that does. */
function permitsAmong(heard: readonly (Heard & { readonly rules: readonly Spoken[] })[]): readonly Spoken[] {
  return heard
    .filter(({ rule }) => rule.effect === 'permit')
    .flatMap(({ rules }) => rules.filter(({ effect }) => effect === 'permit'));
}

function obligations(
  request: AccessRequest,
  resource: ResourceFacts,
  permits: readonly Spoken[],
): readonly Obligation[] {
  if (request.member === request.custodian) return [];
  const part2 = resource.sensitivities.some((label) => PART_2_LABELS.includes(label));
  const stated = permits.some(({ isBinding }) => isBinding);
  if (!part2 && !stated) return [];
  return [{ kind: 'no-redisclosure', label: NO_REDISCLOSURE, notice: part2 ? PART_2_NOTICE : '' }];
}

function removals(rules: readonly Spoken[]): readonly Obligation[] {
  const labels = rules
    .filter(({ effect }) => effect === 'deny')
    .flatMap((rule) => rule.labels.filter(isDataLabel).map(({ code }) => code ?? ''));
  return labels.length > 0 ? [{ kind: 'remove', labels: [...new Set(labels)] }] : [];
}

function instant(now: string): number {
  const span = spanOf(now);
  if (!span) throw new RangeError(`not a FHIR instant: ${now}`);
  return span.from;
}

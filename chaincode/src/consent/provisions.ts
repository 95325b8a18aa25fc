import {
  actorsBound,
  ALWAYS,
  both,
  dataFits,
  labelFits,
  namesData,
  namesMember,
  namesPurpose,
  namesRepresentative,
  NEVER,
  partiesFit,
} from './dimensions';
import type { Fit, Question } from './dimensions';
import { isDataLabel, NO_REDISCLOSURE } from './labels';
import { basePolicy, type BaseRule, baseRule } from './policies';
import { BREAK_GLASS } from './purposes';
import type { CareConsent, Coding, Effect, Provision } from './terms';

/** The rules of one consent that speak of a question. */

/** One rule that speaks. */
export interface Spoken {
  readonly effect: Effect;
  /** 0 = the root. */
  readonly depth: number;
  readonly path: string;
  /** PERHAPS: it depends on the resource. */
  readonly fit: Fit;
  /** A root denial with permits below it: what is not listed is denied, unless another consent permits it. */
  readonly yields: boolean;
  /** Labels the rule states. */
  readonly labels: readonly Coding[];
  /** The rule or one around it says NORDSCLCD. */
  readonly isBinding: boolean;
  /** The rule or one above names the person who comes for the patient. */
  readonly ofRepresentative: boolean;
}

/** What surrounds a nested rule. */
interface Surroundings {
  readonly depth: number;
  /** How far all rules above speak, each as what it is. */
  readonly fit: Fit;
  /** How far they speak when read as permits: a permit must lie within what surrounds it, read strictly. */
  readonly strict: Fit;
  /** The nearest labels: a rule's own replace those above it. */
  readonly labels: { readonly list: readonly Coding[]; readonly effect: Effect } | undefined;
  /** The rule or one above says NORDSCLCD. */
  readonly isBinding: boolean;
  /** The rule or one above names an actor or data. */
  readonly specific: boolean;
  /** The rule or one above names the member that asks. */
  readonly memberNamed: boolean;
  /** The rule or one above names the person who comes for the patient. */
  readonly ofRepresentative: boolean;
}

const NONE: readonly Coding[] = [];
const OUTSIDE: Surroundings = {
  depth: -1,
  fit: ALWAYS,
  strict: ALWAYS,
  labels: undefined,
  isBinding: false,
  specific: false,
  memberNamed: false,
  ofRepresentative: false,
};

/** Every rule of a consent that speaks, or may speak, of the question. */
export function speakingRules(consent: CareConsent, question: Question): readonly Spoken[] {
  if (!isApplicable(consent)) return [];
  const root = consent.provision ?? {};
  const own = effectOf(root);
  const base = own ? rootRule(own) : baseRule(consent, question.request);
  const spoken: Spoken[] = [];
  const visit = (rule: Provision, effect: Effect | undefined, path: string, outer: Surroundings): void => {
    const parties = partiesFit(rule, question);
    if (parties === NEVER) return;
    const around = surround(rule, effect ?? 'permit', within(outer, parties), question);
    if (around.fit === NEVER) return;
    const from = (outer.depth < 0 ? base : undefined) ?? { path, ofBreakGlass: false };
    const said = effect && say(rule, effect, from, around, question);
    if (said) spoken.push(said);
    rule.provision?.forEach((nested, index) => {
      visit(nested, effectOf(nested), `${path}.provision[${index}]`, around);
    });
  };
  visit(root, base?.effect, 'provision', OUTSIDE);
  return spoken;
}

function rootRule(effect: Effect): BaseRule {
  return { effect, path: 'provision', ofBreakGlass: false };
}

/**
 * Whether the end of the consent can open nothing: no rule denies, but for a root that only denies what the rules below
 * it do not permit, whoever asks for whatever.
 */
export function onlyPermits(consent: CareConsent): boolean {
  const root = consent.provision ?? {};
  const own = effectOf(root);
  const policy = own === undefined ? basePolicy(consent) : undefined;
  if ((own ?? policy?.effect) !== 'deny') return !hasDenial(root);
  return isDefaultDenial(root) && policy?.ofBreakGlass !== true && !hasDenial(root);
}

function isDefaultDenial(root: Provision): boolean {
  const isExclusion = root.purpose?.some(({ code }) => code === BREAK_GLASS) ?? false;
  const isSpecific = namesActorOrData(root) || (root.securityLabel?.length ?? 0) > 0 || isExclusion;
  return hasPermit(root) && !isSpecific;
}

function namesActorOrData(rule: Provision): boolean {
  return (rule.actor?.length ?? 0) > 0 || namesData(rule);
}

function hasDenial(rule: Provision): boolean {
  return rule.provision?.some((nested) => nested.type === 'deny' || hasDenial(nested)) ?? false;
}

/** Active, and about privacy or research: consent to undergo a treatment decides nothing here. */
function isApplicable({ status, scope }: CareConsent): boolean {
  if (status !== 'active') return false;
  return scope?.coding?.some(({ code }) => code === 'patient-privacy' || code === 'research') ?? false;
}

function effectOf({ type }: Provision): Effect | undefined {
  return type === 'permit' || type === 'deny' ? type : undefined;
}

/** What surrounds a rule whose parties speak so far of the request. */
function within(outer: Surroundings, parties: Fit): Surroundings {
  if (parties === ALWAYS) return outer;
  return { ...outer, fit: both(outer.fit, parties), strict: both(outer.strict, parties) };
}

function saysToKeep({ securityLabel }: Provision): boolean {
  return securityLabel?.some(({ code }) => code === NO_REDISCLOSURE) ?? false;
}

/** The surroundings a rule makes for those below it, its own dimensions included. */
function surround(rule: Provision, effect: Effect, outer: Surroundings, question: Question): Surroundings {
  const { facts } = question;
  const bound = actorsBound(rule, question, outer.memberNamed);
  const own = rule.securityLabel?.filter(isDataLabel) ?? NONE;
  return {
    depth: outer.depth + 1,
    fit: both(outer.fit, dataFits(rule, effect, facts)),
    strict: both(both(outer.strict, bound), dataFits(rule, 'permit', facts)),
    labels: own.length > 0 ? { list: own, effect } : outer.labels,
    isBinding: outer.isBinding || saysToKeep(rule),
    memberNamed: outer.memberNamed || namesMember(rule, question),
    ofRepresentative: outer.ofRepresentative || namesRepresentative(rule, question),
    specific: outer.specific || namesActorOrData(rule) || own.length > 0,
  };
}

function say(
  rule: Provision,
  effect: Effect,
  { path, ofBreakGlass }: Omit<BaseRule, 'effect'>,
  around: Surroundings,
  question: Question,
): Spoken | undefined {
  if (!ofBreakGlass && !namesPurpose(rule, question.request)) return undefined;
  if (isOptOut(effect, around, question) || isBeyondLimits(effect, around, question)) return undefined;
  const fit = fitAsSaid(effect, around, question);
  if (fit === NEVER) return undefined;
  const yields = around.depth === 0 && effect === 'deny' && hasPermit(rule);
  const { depth, isBinding, ofRepresentative } = around;
  return { effect, depth, path, fit, yields, labels: rule.securityLabel ?? [], isBinding, ofRepresentative };
}

function fitAsSaid(effect: Effect, { fit, strict, labels }: Surroundings, { facts }: Question): Fit {
  const data = effect === 'permit' ? both(fit, strict) : fit;
  if (labels === undefined) return data;
  const label = labelFits(labels.list, labels.effect, facts);
  const said = both(data, label);
  return effect === 'permit' ? both(said, labelFits(labels.list, 'permit', facts)) : said;
}

/** A denial that names neither actor nor data opts out of sharing: it does not bind the custodian's own staff. */
function isOptOut(effect: Effect, around: Surroundings, { request }: Question): boolean {
  return effect === 'deny' && !around.specific && request.member === request.custodian;
}

/** Whatever else is permitted to all, a delegate gets what is permitted to the delegate. */
function isBeyondLimits(effect: Effect, { ofRepresentative }: Surroundings, { request }: Question): boolean {
  return effect === 'permit' && request.representative !== undefined && !ofRepresentative;
}

function hasPermit(rule: Provision): boolean {
  return rule.provision?.some((nested) => nested.type === 'permit' || hasPermit(nested)) ?? false;
}

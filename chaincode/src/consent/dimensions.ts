import { isDataLabel, labelsFit } from './labels';
import { BREAK_GLASS, purposeCovers } from './purposes';
import { periodSpan } from './spans';
import type {
  AccessRequest,
  Action,
  CodeableConcept,
  Coding,
  Effect,
  Identifier,
  Period,
  Provision,
  ProvisionActor,
  ProvisionData,
  ResourceFacts,
} from './terms';

/** The dimensions of a provision: OR within one, AND across them; an absent one says nothing. */

/** How far a rule speaks of a request. PERHAPS: it depends on a resource not yet known. */
export const NEVER = 0;
const PERHAPS = 1;
/** The rule speaks of the request whatever the resource is. */
export const ALWAYS = 2;
/** NEVER, PERHAPS or ALWAYS; the lowest of a provision's dimensions is that of the provision. */
export type Fit = 0 | 1 | 2;

/** The question a rule is held against; without `facts` no resource is known yet. */
export interface Question {
  readonly request: AccessRequest;
  readonly facts: ResourceFacts | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** System of the identifier by which a consent names a member. */
export const MEMBER = 'urn:salus:member';
/** System of the identifier by which a consent names a person. */
export const USER = 'urn:salus:user';
/** System of the identifier by which a consent names a role of staff. */
export const ROLE = 'urn:salus:role';
/** Code system of `provision.class` where it names types of resources (R4 valueset-resource-types). */
export const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';

/** Types that have no clinical time: a denial of a period does not reach them. */
const TIMELESS = ['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'Substance'];

/** An action asked for is named by any of these. Reading across members is a disclosure, within one a use. */
const NAMED_BY: Readonly<Record<Action, { readonly within: readonly string[]; readonly between: readonly string[] }>> =
  {
    access: { within: ['access', 'use'], between: ['access', 'disclose'] },
    use: { within: ['use', 'access'], between: ['use'] },
    disclose: { within: ['disclose'], between: ['disclose', 'access'] },
    collect: { within: ['collect'], between: ['collect'] },
    correct: { within: ['correct'], between: ['correct'] },
  };

/** The lesser of two fits. */
export function both(one: Fit, other: Fit): Fit {
  return one < other ? one : other;
}

/** How far period, actor, action and purpose of a rule speak of the request. BTG is asked of the rule itself alone. */
export function partiesFit(rule: Provision, question: Question): Fit {
  const { request, now } = question;
  const fits =
    periodFits(rule.period, now) &&
    anyOf(rule.action, (action) => actionFits(action, request)) &&
    (request.purpose === BREAK_GLASS || anyOf(rule.purpose, ({ code }) => purposeCovers(code ?? '', request.purpose)));
  return fits ? actorsFit(rule.actor, question) : NEVER;
}

/** PERHAPS where an actor is one whom the custodian alone can look up, and it was not asked yet. */
function actorsFit(actors: Provision['actor'], { request, facts }: Question): Fit {
  if (anyOf(actors, (actor) => actorFits(actor, request))) return ALWAYS;
  const isOpen = facts === undefined && request.references === undefined;
  return isOpen && actors?.some((actor) => roleFits(actor, request) && isLookedUp(actor)) === true ? PERHAPS : NEVER;
}

/** Whether only the custodian's own record tells who it is: a team, a role held, an identifier of another system. */
function isLookedUp({ reference }: ProvisionActor): boolean {
  const { reference: literal = '', identifier } = reference ?? {};
  const system = identifier?.system ?? MEMBER;
  return (
    /^(Practitioner|PractitionerRole|CareTeam|Organization)\//.test(literal) || ![MEMBER, USER, ROLE].includes(system)
  );
}

/**
 * How far the actors of a rule name the request's person without doubt. A bare user id, or a literal Practitioner, is
 * the custodian's own person, or one of the member that a rule around it names: other members have users of that id too.
 * A denial is read broadly, a permit strictly.
 */
export function actorsBound({ actor }: Provision, question: Question, isMemberNamed: boolean): Fit {
  const { request } = question;
  if (isMemberNamed || request.member === request.custodian) return ALWAYS;
  const qualified = { ...request, user: `${request.member}/${request.user}` };
  return actorsFit(actor, { ...question, request: qualified });
}

/** Whether a rule's actors name the request's member. */
export function namesMember({ actor }: Provision, { request }: Question): boolean {
  const named = actor?.map(({ reference }) => reference?.identifier) ?? [];
  return named.some((each) => each?.value === request.member && (each.system === undefined || each.system === MEMBER));
}

/** Whether a rule's actors name the person who comes for the patient. */
export function namesRepresentative({ actor }: Provision, { request }: Question): boolean {
  return actor?.some(({ reference }) => isRepresentative(reference?.reference, request)) ?? false;
}

function isRepresentative(reference: string | undefined, { representative }: AccessRequest): boolean {
  return reference !== undefined && reference === representative;
}

/** Whether a rule may speak of a break-glass request at all: it names BTG. */
export function namesPurpose(rule: Provision, request: AccessRequest): boolean {
  return request.purpose !== BREAK_GLASS || (rule.purpose?.some(({ code }) => code === BREAK_GLASS) ?? false);
}

/** Whether class, code, dataPeriod and data of a rule speak of the resource, read as for `effect`. */
export function dataFits(rule: Provision, effect: Effect, facts: ResourceFacts | undefined): Fit {
  if (!namesData(rule)) return ALWAYS;
  if (facts === undefined) return PERHAPS;
  const fits =
    anyOf(rule.class, (type) => type.code === facts.type) &&
    anyOf(rule.code, (concept) => codeFits(concept, facts)) &&
    dataPeriodFits(rule.dataPeriod, effect, facts) &&
    anyOf(rule.data, (data) => datumFits(data, facts));
  return fits ? ALWAYS : NEVER;
}

/** Whether security labels speak of the resource: a ceiling for a permit, a floor for a denial. */
export function labelFits(labels: readonly Coding[], effect: Effect, facts: ResourceFacts | undefined): Fit {
  if (!labels.some(isDataLabel)) return ALWAYS;
  if (facts === undefined) return PERHAPS;
  return labelsFit(labels, effect, facts) ? ALWAYS : NEVER;
}

/** Whether a rule names data by class, code, period or reference. */
export function namesData({ class: types, code, data, dataPeriod }: Provision): boolean {
  return dataPeriod !== undefined || isSome(types) || isSome(code) || isSome(data);
}

function isSome(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}

function anyOf<T>(list: readonly T[] | undefined, fits: (item: T) => boolean): boolean {
  return list === undefined || list.length === 0 || list.some(fits);
}

function periodFits(period: Period | undefined, now: number): boolean {
  if (period === undefined) return true;
  const span = periodSpan(period);
  return span !== undefined && span.from <= now && now <= span.to;
}

function rolesOf({ role }: ProvisionActor): readonly Coding[] {
  return role?.coding?.filter(({ system }) => system === ROLE) ?? [];
}

function roleFits(actor: ProvisionActor, request: AccessRequest): boolean {
  const roles = rolesOf(actor);
  return roles.length === 0 || roles.some(({ code }) => code === request.role);
}

function actorFits(actor: ProvisionActor, request: AccessRequest): boolean {
  if (!roleFits(actor, request)) return false;
  if (actor.reference === undefined) return rolesOf(actor).length > 0;
  const { identifier, reference } = actor.reference;
  return (
    (identifier !== undefined && identifierFits(identifier, request)) ||
    (reference !== undefined && literalFits(reference, request))
  );
}

function identifierFits({ system, value }: Identifier, request: AccessRequest): boolean {
  if (value === undefined) return false;
  return namesOf(system, request).includes(value) || ownsIdentifier({ system, value }, request);
}

/** Values by which an identifier of this system names the actor; without system it names a member. */
function namesOf(system: string | undefined, { member, user, role }: AccessRequest): readonly string[] {
  if (system === undefined || system === MEMBER) return [member];
  if (system === USER) return [user, `${member}/${user}`];
  if (system === ROLE) return [role, `${member}/${role}`];
  return [];
}

function ownsIdentifier(named: { system: string | undefined; value: string }, { identifiers }: AccessRequest): boolean {
  return identifiers?.some((own) => own.system === named.system && own.value === named.value) ?? false;
}

function literalFits(reference: string, request: AccessRequest): boolean {
  if (isRepresentative(reference, request)) return true;
  return reference === `Practitioner/${request.user}` || (request.references?.includes(reference) ?? false);
}

function actionFits(action: CodeableConcept, request: AccessRequest): boolean {
  const named = NAMED_BY[request.action][request.member === request.custodian ? 'within' : 'between'];
  return action.coding?.some(({ code }) => named.includes(code ?? '')) ?? false;
}

function codeFits(concept: CodeableConcept, facts: ResourceFacts): boolean {
  return (
    concept.coding?.some(({ system, code }) =>
      facts.codes.some((own) => own.code === code && (system === undefined || own.system === system)),
    ) ?? false
  );
}

/** A permit covers data that lies in the period as a whole; a denial whatever touches it, undated data included. */
function dataPeriodFits(period: Period | undefined, effect: Effect, { when, type }: ResourceFacts): boolean {
  if (period === undefined) return true;
  const span = periodSpan(period);
  if (span === undefined) return effect === 'deny';
  if (when === undefined) return effect === 'deny' && !TIMELESS.includes(type);
  if (effect === 'permit') return span.from <= when.from && when.to <= span.to;
  return span.from <= when.to && when.from <= span.to;
}

function datumFits({ meaning, reference }: ProvisionData, facts: ResourceFacts): boolean {
  const target = reference?.reference;
  if (target === undefined) return false;
  switch (meaning) {
    case 'instance':
      return facts.self === target;
    case 'related':
      return facts.self === target || facts.referencedBy.includes(target);
    case 'dependents':
      return facts.self === target || facts.references.includes(target);
    case 'authoredby':
      return facts.authors.includes(target);
    default:
      return false;
  }
}

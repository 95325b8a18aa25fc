import { MEMBER, RESOURCE_TYPES, ROLE, USER } from './dimensions';
import { careForm } from './care-form';
import { isDataLabel, NO_REDISCLOSURE } from './labels';
import { basePolicy } from './policies';
import { isPurpose } from './purposes';
import { namedIn, REPLACES } from './replacing';
import { periodSpan } from './spans';
import type { CareConsent, CodeableConcept, Coding, Period, Provision, ProvisionActor, ProvisionData } from './terms';

/** What a Consent must say to be decided on. A rule that could not be understood is refused, never ignored. */

/** Most provisions in one consent, the root included. */
export const MAX_PROVISIONS = 1000;

const STATUSES = ['draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error'];
const ENDED = ['rejected', 'inactive', 'entered-in-error'];
const SCOPES = ['patient-privacy', 'research'];
const ACTIONS = ['collect', 'access', 'use', 'disclose', 'correct'];
const MEANINGS = ['instance', 'related', 'dependents', 'authoredby'];
/** Of whom a custodian's record tells whether they are the person that asks. */
const LITERAL_ACTORS = /^(Practitioner|PractitionerRole|CareTeam|Organization|RelatedPerson)\/[A-Za-z0-9.-]{1,64}$/;
const LITERAL = /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/;
const KNOWN_ACTOR_SYSTEMS = [MEMBER, USER, ROLE];

/** Why a consent is refused: path of the element and what would be right. */
export interface ConsentProblem {
  readonly path: string;
  readonly reason: string;
}

/**
 * Every reason to refuse a consent's care form, in document order; empty = it can be decided on. What has ended decides
 * nothing: it may say what was taken once and would not be now.
 */
export function validateConsent(consent: Readonly<Record<string, unknown>>): readonly ConsentProblem[] {
  const care = consent as unknown as CareConsent;
  const rules = ENDED.includes(care.status ?? '') ? [] : rulesProblems(care);
  return [...headProblems(care), ...freeText(consent), ...rules];
}

function rulesProblems(care: CareConsent): ConsentProblem[] {
  return [...replacingProblems(care), ...policyProblems(care), ...rootProblems(care.provision)];
}

/** What is meant to be replaced and is not understood would stay in force. */
function replacingProblems(care: CareConsent): ConsentProblem[] {
  const named = namedIn(care);
  const isOther = named.every((id) => id !== undefined && id !== care.id);
  return unless(isOther, 'extension', `${REPLACES} needs a valueReference to another one: Consent/{id}`);
}

function headProblems(consent: CareConsent): ConsentProblem[] {
  const scopes = consent.scope?.coding?.map(({ code }) => code ?? '') ?? [];
  return [
    ...unless(STATUSES.includes(consent.status ?? ''), 'status', `must be one of ${STATUSES.join(', ')}`),
    ...unless(
      scopes.some((code) => SCOPES.includes(code)),
      'scope',
      `must be ${SCOPES.join(' or ')}: another scope is not decided on`,
    ),
    ...unless(hasPolicy(consent), 'policyRule', 'a consent needs policy or policyRule, for example OPTIN or OPTOUT'),
  ];
}

/** A policyRule that nothing here knows would deny nothing, whatever it was meant to. */
function policyProblems(consent: CareConsent): ConsentProblem[] {
  const isNamed = consent.policyRule?.coding?.some(({ code }) => code !== undefined) ?? false;
  const isKnown = !isNamed || consent.provision?.type !== undefined || basePolicy(consent) !== undefined;
  return unless(isKnown, 'policyRule', 'not known here: use OPTIN or OPTOUT, or say provision.type');
}

function hasPolicy({ policy, policyRule }: CareConsent): boolean {
  const ruled = policyRule?.coding?.some(({ code }) => code !== undefined) ?? false;
  return ruled || (policy?.some(({ uri, authority }) => (uri ?? authority) !== undefined) ?? false);
}

/** What keeps a consent out of the care form. */
function freeText(consent: Readonly<Record<string, unknown>>): ConsentProblem[] {
  return careForm(consent).rest.map(({ path }) => ({
    path: path.slice(1).replaceAll('/', '.'),
    reason: 'free text is no part of the care form: sign without text, display, contained, attachment, text extension',
  }));
}

function rootProblems(root: Provision | undefined): ConsentProblem[] {
  if (root === undefined) return [];
  const problems: ConsentProblem[] = [];
  let count = 0;
  const visit = (rule: Provision, path: string): void => {
    count += 1;
    if (count > MAX_PROVISIONS) return;
    problems.push(...ruleProblems(rule, path));
    for (const [index, nested] of (rule.provision ?? []).entries()) visit(nested, `${path}.provision[${index}]`);
  };
  visit(root, 'provision');
  const over = unless(count <= MAX_PROVISIONS, 'provision', `at most ${MAX_PROVISIONS} provisions in a consent`);
  return [...over, ...problems];
}

function ruleProblems(rule: Provision, path: string): ConsentProblem[] {
  return [
    ...typeProblems(rule, path),
    ...periodProblems(rule.period, `${path}.period`),
    ...each(rule.actor, `${path}.actor`, actorProblems),
    ...each(rule.action, `${path}.action`, actionProblems),
    ...each(rule.securityLabel, `${path}.securityLabel`, labelProblems),
    ...each(rule.purpose, `${path}.purpose`, purposeProblems),
    ...each(rule.class, `${path}.class`, classProblems),
    ...each(rule.code, `${path}.code`, codeProblems),
    ...periodProblems(rule.dataPeriod, `${path}.dataPeriod`),
    ...each(rule.data, `${path}.data`, dataProblems),
    ...unless(
      !('modifierExtension' in rule),
      `${path}.modifierExtension`,
      'not understood, so nothing is decided on it',
    ),
  ];
}

function typeProblems({ type }: Provision, path: string): ConsentProblem[] {
  if (type === undefined && path === 'provision') return [];
  return unless(type === 'permit' || type === 'deny', `${path}.type`, 'a nested rule needs type permit or deny');
}

function periodProblems(period: Period | undefined, path: string): ConsentProblem[] {
  if (period === undefined) return [];
  const span = periodSpan(period);
  if (span === undefined) return [{ path, reason: 'start and end must be FHIR dates or dateTimes' }];
  return unless(span.from <= span.to, path, 'start must not be after end');
}

function actorProblems({ role, reference }: ProvisionActor, path: string): ConsentProblem[] {
  const byRole = role?.coding?.some(({ system, code }) => system === ROLE && code !== undefined) ?? false;
  const literal = LITERAL_ACTORS.test(reference?.reference ?? '');
  const known = byRole || literal || isKnownIdentifier(reference?.identifier);
  return unless(
    known,
    path,
    `unknown form of actor: use reference.identifier with a value and system ${KNOWN_ACTOR_SYSTEMS.join(', ')} ` +
      'or another system, a literal reference to a Practitioner, PractitionerRole, CareTeam, Organization or ' +
      'RelatedPerson, or a role of urn:salus:role',
  );
}

function isKnownIdentifier(identifier: { system?: string; value?: string } | undefined): boolean {
  return identifier?.value !== undefined && identifier.value !== '';
}

function actionProblems(action: CodeableConcept, path: string): ConsentProblem[] {
  const known = action.coding?.some(({ code }) => ACTIONS.includes(code ?? '')) ?? false;
  return unless(known, path, `must be one of ${ACTIONS.join(', ')}`);
}

function labelProblems(label: Coding, path: string): ConsentProblem[] {
  const known = label.code !== undefined && (isDataLabel(label) || label.code === NO_REDISCLOSURE);
  return unless(known, path, 'must be a code of v3-Confidentiality or v3-ActCode, with its system');
}

function purposeProblems(purpose: Coding, path: string): ConsentProblem[] {
  return unless(isPurpose(purpose.code ?? ''), path, 'needs a code of HL7 v3 PurposeOfUse');
}

function classProblems(coding: Coding, path: string): ConsentProblem[] {
  const known = coding.code !== undefined && (coding.system === undefined || coding.system === RESOURCE_TYPES);
  return unless(known, path, `must be a resource type, system ${RESOURCE_TYPES}`);
}

function codeProblems(concept: CodeableConcept, path: string): ConsentProblem[] {
  return unless(concept.coding?.some(({ code }) => code !== undefined) ?? false, path, 'needs a coding with a code');
}

function dataProblems({ meaning, reference }: ProvisionData, path: string): ConsentProblem[] {
  return [
    ...unless(MEANINGS.includes(meaning ?? ''), `${path}.meaning`, `must be one of ${MEANINGS.join(', ')}`),
    ...unless(
      LITERAL.test(reference?.reference ?? ''),
      `${path}.reference`,
      'must be a literal reference Type/id of a resource here, of no version',
    ),
  ];
}

function unless(holds: boolean, path: string, reason: string): ConsentProblem[] {
  return holds ? [] : [{ path, reason }];
}

function each<T>(
  list: readonly T[] | undefined,
  path: string,
  check: (item: T, path: string) => ConsentProblem[],
): ConsentProblem[] {
  return (list ?? []).flatMap((item, index) => check(item, `${path}[${index}]`));
}

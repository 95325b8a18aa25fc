import { BREAK_GLASS, purposeCovers } from './purposes';
import type { AccessRequest, CareConsent, Effect } from './terms';

/** The policies a consent may rest on, and what applies without one: the one table to review. */

const CLINICIANS = ['physician', 'nurse', 'pharmacist', 'laboratory'] as const;

/** A policy that a consent may name: what holds where none of its provisions speaks. */
export interface BasePolicy {
  readonly effect: Effect;
  /** Where present: the policy speaks of these roles and purposes alone. */
  readonly roles?: readonly string[];
  readonly purposes?: readonly string[];
  /** It speaks of break-glass, too: other policies leave that to rules that name it. */
  readonly ofBreakGlass?: true;
}

/** HL7 v3 ActCode (policyRule) and the four implicit policies of IHE PCF 1.1 section 53.2.1 (policy.uri). */
const BASE_POLICIES: Readonly<Record<string, BasePolicy>> = {
  OPTIN: { effect: 'permit' },
  OPTOUT: { effect: 'deny' },
  'https://profiles.ihe.net/ITI/PCF/Policy-basic-normal': { effect: 'permit', roles: CLINICIANS, purposes: ['TREAT'] },
  'https://profiles.ihe.net/ITI/PCF/Policy-all-normal': { effect: 'permit' },
  'https://profiles.ihe.net/ITI/PCF/Policy-break-glass-only': { effect: 'deny' },
  'https://profiles.ihe.net/ITI/PCF/Policy-deny': { effect: 'deny', ofBreakGlass: true },
};

const NOTES = [
  'DocumentReference',
  'Composition',
  'ClinicalImpression',
  'Communication',
  'QuestionnaireResponse',
  'Media',
  'Binary',
];
/** Elements that hold what somebody wrote. */
const WORDS = ['note', 'text', 'presentedForm', 'conclusion'];
const ADMINISTRATIVE = [
  'Patient',
  'Encounter',
  'Appointment',
  'EpisodeOfCare',
  'Coverage',
  'Account',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'SearchParameter',
];
const SPECIMENS = ['Observation', 'DiagnosticReport', 'ServiceRequest', 'Specimen', 'Encounter', 'Patient'];

interface ImplicitRow {
  readonly roles: readonly string[];
  readonly purposes: readonly string[];
  /** Types the role needs for this; absent = all. */
  readonly types?: readonly string[];
  readonly except?: readonly string[];
  /** Elements left out of what it sees, and of what that contains. */
  readonly redact?: readonly string[];
}

/** Within the custodian: treatment, payment and operations by role, the minimum necessary. */
const WITHIN: readonly ImplicitRow[] = [
  { roles: ['physician', 'nurse', 'pharmacist'], purposes: ['TREAT', BREAK_GLASS] },
  { roles: ['laboratory'], purposes: ['TREAT'], types: [...SPECIMENS, 'Practitioner', 'Organization', 'Location'] },
  { roles: ['device-gateway'], purposes: ['TREAT'], types: ['Observation', 'Device', 'DeviceMetric', 'Patient'] },
  { roles: ['biller'], purposes: ['HPAYMT'], except: NOTES, redact: WORDS },
  { roles: ['physician', 'nurse', 'pharmacist', 'privacy-officer', 'quality-officer'], purposes: ['HOPERAT'] },
  { roles: ['admin'], purposes: ['HOPERAT'], types: ADMINISTRATIVE },
];

/** Purposes the table above governs within the custodian: there a consent can take away, not add. */
const GOVERNED = ['TREAT', 'HPAYMT', 'HOPERAT', BREAK_GLASS];

/** Roles to which, in an emergency, another member's record opens without a consent, unless the patient excluded it. */
const EMERGENCY_ROLES = ['physician', 'nurse'];

/** What a consent's base policy says of a request, and at which path of the consent it stands. */
export interface BaseRule {
  readonly effect: Effect;
  readonly ofBreakGlass: boolean;
  readonly path: string;
}

/** The policy a consent names, whoever asks; undefined where none is in the table. */
export function basePolicy(consent: CareConsent): BasePolicy | undefined {
  const named = policyNames(consent).find(({ name }) => Object.hasOwn(BASE_POLICIES, name));
  return named && BASE_POLICIES[named.name];
}

/** What the policy a consent names says of this request; undefined where it says nothing or is not in the table. */
export function baseRule(consent: CareConsent, request: AccessRequest): BaseRule | undefined {
  for (const { name, path } of policyNames(consent)) {
    const policy = Object.hasOwn(BASE_POLICIES, name) ? BASE_POLICIES[name] : undefined;
    if (policy === undefined) continue;
    const { effect, ofBreakGlass = false } = policy;
    return speaksOf(policy, request) ? { effect, path, ofBreakGlass } : undefined;
  }
  return undefined;
}

/** Names of a consent's policies, in order of precedence: policyRule, then policy. */
function policyNames(consent: CareConsent): readonly { readonly name: string; readonly path: string }[] {
  const rules = consent.policyRule?.coding ?? [];
  const policies = consent.policy ?? [];
  return [
    ...rules.map(({ code }) => ({ name: code ?? '', path: 'policyRule' })),
    ...policies.map(({ uri }, index) => ({ name: uri ?? '', path: `policy[${index}]` })),
  ];
}

function speaksOf(policy: BasePolicy, request: AccessRequest): boolean {
  return (
    (policy.roles?.includes(request.role) ?? true) &&
    (policy.purposes?.some((purpose) => purposeCovers(purpose, request.purpose)) ?? true)
  );
}

/** What applies where no consent speaks: the effect, which rule it is, and elements to leave out. */
export interface ImplicitRule {
  readonly effect: Effect;
  readonly path: string;
  readonly redact: readonly string[];
  /** Types that it does not see, contained in what it sees either. */
  readonly except: readonly string[];
}

/** Nothing is left out. */
const WHOLE = { redact: [], except: [] };

/** What applies where no consent speaks. `type` absent: some resource is asked for, not yet known which. */
export function implicitRule(request: AccessRequest, type: string | undefined): ImplicitRule {
  if (request.member !== request.custodian) return betweenMembers(request);
  if (request.flagged === true && request.careRelationship !== true && request.purpose !== BREAK_GLASS)
    return { effect: 'deny', path: 'implicit/within/flagged', ...WHOLE };
  const row = WITHIN.find((candidate) => rowAdmits(candidate, request, type));
  const path = `implicit/within/${request.role}/${request.purpose}`;
  return { effect: row ? 'permit' : 'deny', path, redact: row?.redact ?? [], except: row?.except ?? [] };
}

/** Between members nothing, but in an emergency. */
function betweenMembers({ purpose, role }: AccessRequest): ImplicitRule {
  const isEmergency = purpose === BREAK_GLASS && EMERGENCY_ROLES.includes(role);
  if (isEmergency) return { effect: 'permit', path: 'implicit/break-glass', ...WHOLE };
  return { effect: 'deny', path: 'implicit/between', ...WHOLE };
}

/** Whether the implicit table, not a consent, says what staff of the custodian may see for this purpose. */
export function tableGoverns(request: AccessRequest): boolean {
  return request.member === request.custodian && GOVERNED.some((purpose) => purposeCovers(purpose, request.purpose));
}

function rowAdmits(row: ImplicitRow, request: AccessRequest, type: string | undefined): boolean {
  if (!row.roles.includes(request.role)) return false;
  if (!row.purposes.some((purpose) => purposeCovers(purpose, request.purpose))) return false;
  if (type === undefined) return true;
  return (row.types?.includes(type) ?? true) && !(row.except?.includes(type) ?? false);
}

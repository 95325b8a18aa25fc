import { factsOf, type AccessRequest, type ConsentInForce, type Provision } from '@salus/chaincode/consent/decide';

/** Words for consents, requests and resources, so that cases read like sentences. */

export const NOW = '2026-03-01T12:00:00Z';

export const system = {
  actReason: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  confidentiality: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  sensitivity: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  types: 'http://hl7.org/fhir/resource-types',
  category: 'http://terminology.hl7.org/CodeSystem/observation-category',
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
};

/** A physician of northside who asks stmary for treatment's sake. */
export function ask(change: Partial<AccessRequest> = {}): AccessRequest {
  return {
    custodian: 'stmary',
    member: 'northside',
    user: 'u-baker',
    role: 'physician',
    purpose: 'TREAT',
    action: 'access',
    ...change,
  };
}

/** Staff of the custodian itself. */
export function within(change: Partial<AccessRequest> = {}): AccessRequest {
  return ask({ member: 'stmary', user: 'u-adams', ...change });
}

let count = 0;

/** An active privacy consent in force; `policy` OPTIN or OPTOUT or a URI. */
export function consent(provision: Provision | undefined, change: object = {}): ConsentInForce {
  count += 1;
  const care = {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    policyRule: { coding: [{ code: 'OPTOUT' }] },
    ...(provision ? { provision } : {}),
    ...change,
  };
  return { id: `consent-${count}`, version: 1, care: care as ConsentInForce['care'] };
}

export const permit = (dimensions: Provision = {}): Provision => ({ type: 'permit', ...dimensions });
export const deny = (dimensions: Provision = {}): Provision => ({ type: 'deny', ...dimensions });

/** Dimensions. */
export const by = {
  member: (...names: string[]): Provision => ({
    actor: names.map((value) => ({ reference: { identifier: { system: 'urn:salus:member', value } } })),
  }),
  identifier: (value: string, system?: string): Provision => ({
    actor: [{ reference: { identifier: { value, ...(system ? { system } : {}) } } }],
  }),
  literal: (reference: string): Provision => ({ actor: [{ reference: { reference } }] }),
  purpose: (...codes: string[]): Provision => ({
    purpose: codes.map((code) => ({ system: system.actReason, code })),
  }),
  action: (...codes: string[]): Provision => ({ action: codes.map((code) => ({ coding: [{ code }] })) }),
  type: (...codes: string[]): Provision => ({ class: codes.map((code) => ({ system: system.types, code })) }),
  code: (code: string, of?: string): Provision => ({ code: [{ coding: [{ code, ...(of ? { system: of } : {}) }] }] }),
  level: (...codes: string[]): Provision => ({
    securityLabel: codes.map((code) => ({ system: system.confidentiality, code })),
  }),
  kind: (...codes: string[]): Provision => ({
    securityLabel: codes.map((code) => ({ system: system.sensitivity, code })),
  }),
  data: (meaning: string, reference: string): Provision => ({ data: [{ meaning, reference: { reference } }] }),
};
export const laboratory = by.code('laboratory', system.category);

interface Labelled {
  readonly security?: readonly { system: string; code: string }[];
}

/** A FHIR resource's facts, N unless labelled otherwise. */
export function resource(
  fields: { resourceType: string; id?: string; [name: string]: unknown },
  { security = [{ system: system.confidentiality, code: 'N' }] }: Labelled = {},
  referencedBy: readonly string[] = [],
): ReturnType<typeof factsOf> {
  return factsOf({ ...fields, meta: { security } }, referencedBy);
}

export const glucose = {
  resourceType: 'Observation',
  id: 'glucose',
  category: [{ coding: [{ system: system.category, code: 'laboratory' }] }],
  code: { coding: [{ system: system.loinc, code: '2339-0' }] },
  effectiveDateTime: '2025-05-10T08:00:00Z',
  encounter: { reference: 'Encounter/visit' },
  performer: [{ reference: 'Practitioner/lab-tech' }],
};
export const pulse = {
  resourceType: 'Observation',
  id: 'pulse',
  category: [{ coding: [{ system: system.category, code: 'vital-signs' }] }],
  code: { coding: [{ system: system.loinc, code: '8867-4' }] },
  effectiveDateTime: '2024-12-31',
};
export const asthma = {
  resourceType: 'Condition',
  id: 'asthma',
  code: { coding: [{ system: system.snomed, code: '195967001' }] },
  encounter: { reference: 'Encounter/visit' },
  asserter: { reference: 'Practitioner/u-adams' },
};
export const letter = { resourceType: 'DocumentReference', id: 'letter', date: '2025-06-01T00:00:00Z' };
export const person = { resourceType: 'Patient', id: 'p1' };

/** One that opts in by its policyRule. */
export function optIn(provision?: object): ConsentInForce {
  return consent(provision, { policyRule: { coding: [{ code: 'OPTIN' }] } });
}

/** One under an implicit policy of IHE PCF 1.1, such as basic-normal. */
export function pcf(name: string): ConsentInForce {
  return consent(undefined, {
    policyRule: undefined,
    policy: [{ uri: `https://profiles.ihe.net/ITI/PCF/Policy-${name}` }],
  });
}

/** One under a policy that only its author knows. */
export function local(provision?: object): ConsentInForce {
  return consent(provision, { policyRule: undefined, policy: [{ uri: 'http://example.org/house-rules' }] });
}

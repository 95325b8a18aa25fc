import assert from 'node:assert/strict';

import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';

import type { Hospital } from '../support/sharing-world.js';

/** Everything of Ann's record for a member, for treatment. */
export function composeConsent(member: string): JsonObject {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: 'Patient/ann' },
    policyRule: { coding: [{ code: 'OPTIN' }] },
    provision: {
      type: 'permit',
      actor: [{ reference: { identifier: { system: 'urn:salus:member', value: member } } }],
      purpose: [{ code: 'TREAT' }],
    },
  };
}

/** Sends it as its patient does, or, with a statement, as anybody can; the consent's id. */
export async function sendConsent(
  hospital: Hospital,
  consent: JsonObject,
  id?: string,
  statement?: string,
): Promise<string> {
  const { member } = hospital.settings;
  const patient = (consent.patient as { reference: string }).reference.replace('Patient/', '');
  const actor: Actor =
    statement === undefined
      ? { member, user: `p-${patient}`, role: 'patient', purpose: 'PATRQT', patient, scopes: ['patient/*.cruds'] }
      : { member, user: 'u-baker', role: 'physician', purpose: 'TREAT', scopes: ['user/*.cruds'] };
  const request = {
    method: id === undefined ? 'POST' : 'PUT',
    path: id === undefined ? 'Consent' : `Consent/${id}`,
    query: new URLSearchParams(),
    headers: statement === undefined ? {} : { 'x-statement': statement },
    body: JSON.stringify(id === undefined ? consent : { ...consent, id }),
    actor,
  };
  const proceed = (): never => assert.fail('the domain answers itself');
  const { headers } = await hospital.sharing.handlers.Consent!(
    request,
    id === undefined ? 'create' : 'update',
    proceed,
  );
  return /Consent\/([^/]+)\//.exec(headers.Location ?? '')?.[1] ?? '';
}

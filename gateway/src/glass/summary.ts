/** The emergency summary as a document in the shape of an International Patient Summary (http://hl7.org/fhir/uv/ips). Pure. */
import type { JsonObject } from '../fhir/json.js';

const LOINC = 'http://loinc.org';

/** Sections: title, LOINC code, and the types that belong to each. */
const SECTIONS = [
  ['Allergies and intolerances', '48765-2', ['AllergyIntolerance']],
  ['Medication summary', '10160-0', ['MedicationStatement', 'MedicationRequest']],
  ['Problem list', '11450-4', ['Condition']],
  ['Immunizations', '11369-6', ['Immunization']],
  ['Procedures', '47519-4', ['Procedure']],
  ['Medical devices', '46264-8', ['DeviceUseStatement']],
] as const;

/** A document over entries of the patient's record: the Composition first, what is no part of a section at the end. */
export function summaryDocument(
  entries: readonly JsonObject[],
  of: { readonly patient: string; readonly custodian: string; readonly id: string; readonly at: string },
): JsonObject {
  const resources = entries.filter(({ resource }) => isClinical(resource));
  const section = SECTIONS.map(([title, code, types]) => {
    const own = resources.filter((entry) => (types as readonly string[]).includes(typeOf(entry)));
    const coded = { title, code: { coding: [{ system: LOINC, code }] } };
    return own.length === 0 ? { ...coded, emptyReason: NOTHING_SHOWN } : { ...coded, entry: own.map(referenceTo) };
  });
  const composition = {
    resourceType: 'Composition',
    id: of.id,
    status: 'final',
    type: { coding: [{ system: LOINC, code: '60591-5' }] },
    subject: { reference: `Patient/${of.patient}` },
    date: of.at,
    author: [{ identifier: { system: 'urn:salus:member', value: of.custodian } }],
    title: 'Emergency summary',
    section,
  };
  return {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${of.id}` },
    timestamp: of.at,
    entry: [{ fullUrl: `urn:uuid:${of.id}`, resource: composition }, ...entries],
  };
}

/** Nothing recorded, or nothing that may be shown: which of them is not told. */
const NOTHING_SHOWN = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/list-empty-reason', code: 'unavailable' }],
};

function isClinical(resource: unknown): boolean {
  return typeof resource === 'object' && resource !== null && 'id' in resource;
}

function typeOf({ resource }: JsonObject): string {
  return (resource as { resourceType: string }).resourceType;
}

function referenceTo({ resource }: JsonObject): JsonObject {
  const { resourceType, id } = resource as { resourceType: string; id: string };
  return { reference: `${resourceType}/${id}` };
}

/** The MedicationDispense of a pack (R4 medicationdispense.html): prescription, pack, lot. Pure. */
import type { JsonObject } from '../../fhir/json.js';
import { asList, textOf } from '../event/json.js';
import { canonicalEpc } from '../gs1/epc.js';
import { packOf } from '../packs/identity.js';
import type { LotTerms } from '../packs/stored.js';
import { lotIdentifier } from '../trade/holders.js';

/** System of the identifier that is a pack's GS1 Digital Link. */
export const PACK_SYSTEM = 'https://id.gs1.org';

/** What is dispensed, on whose prescription, to whom. */
export interface Given {
  readonly prescription: JsonObject;
  readonly epc: string;
  readonly gtin: string;
  readonly terms?: LotTerms | undefined;
  /** FHIR id of a Patient kept here. */
  readonly patient: string;
}

/** As it is kept before the ledger is asked. */
export function dispenseOf({ prescription, epc, gtin, terms, patient }: Given): JsonObject {
  const identifier = [
    { system: PACK_SYSTEM, value: epc },
    ...(terms === undefined ? [] : [lotIdentifier(terms.gtin, terms.batch)]),
  ];
  const batch = terms && { lotNumber: terms.batch, expirationDate: terms.expiry };
  const medication = {
    resourceType: 'Medication',
    id: 'pack',
    code: { coding: [{ system: 'https://www.gs1.org/gtin', code: gtin }] },
    ...(batch === undefined ? {} : { batch }),
  };
  return {
    resourceType: 'MedicationDispense',
    contained: [medication],
    identifier,
    status: 'in-progress',
    medicationReference: { reference: '#pack' },
    subject: { reference: `Patient/${patient}` },
    authorizingPrescription: [{ reference: `MedicationRequest/${String(prescription.id)}` }],
  };
}

/** The packs that a MedicationDispense names, canonical. */
export function packsIn({ identifier }: JsonObject): readonly string[] {
  return asList(identifier).flatMap((each) => {
    const isPack = textOf(each, 'system') === PACK_SYSTEM;
    const epc = isPack ? canonicalEpc(textOf(each, 'value') ?? '') : undefined;
    return epc === undefined || packOf(epc) === undefined ? [] : [epc];
  });
}

/** Whether a MedicationDispense is of this pack. */
export function isOfPack(dispense: JsonObject, epc: string): boolean {
  return packsIn(dispense).includes(epc);
}

/** JSON Patch for a dispense that was undone: it is no record of anything that was (R4 valueset-medicationdispense-status). */
export function undonePatch(): string {
  return JSON.stringify([
    { op: 'replace', path: '/status', value: 'entered-in-error' },
    { op: 'add', path: '/statusReasonCodeableConcept', value: { text: 'undone' } },
  ]);
}

/** Whether a MedicationDispense is of this prescription. */
export function isDispensedOn({ authorizingPrescription }: JsonObject, prescription: string): boolean {
  return asList(authorizingPrescription).some(
    (each) => textOf(each, 'reference') === `MedicationRequest/${prescription}`,
  );
}

/** JSON Patch for the end: handed over, or why it was not. */
export function endPatch(now: string, refused?: string): string {
  const ended =
    refused === undefined
      ? [{ op: 'add', path: '/whenHandedOver', value: now }]
      : [{ op: 'add', path: '/statusReasonCodeableConcept', value: { text: refused } }];
  const status = refused === undefined ? 'completed' : 'cancelled';
  return JSON.stringify([{ op: 'replace', path: '/status', value: status }, ...ended]);
}

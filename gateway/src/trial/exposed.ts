/**
 * `$exposed`: who at this site was given kits of a lot, or kits by their numbers. Who a participant is, the participant's site
 * alone knows: no other member finds anybody exposed. While the trial is blinded kits have no lot in public, and whoever
 * supplies names kit numbers.
 */
import type { KitRecord, TrialView } from '@salus/chaincode/trial/api';

import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';
import { type ContentFacts, patientOf } from './content.js';

const ROLES: readonly string[] = ['investigator', 'coordinator', 'pharmacist'];

/** Somebody who was given a kit. */
export interface Exposed {
  readonly participant: string;
  readonly kit: string;
  /** FHIR id of the Patient, as long as the record of the patient is kept. */
  readonly patient?: string | undefined;
}

/** What finding them takes. */
export interface ExposedPorts {
  readonly member: string;
  readonly facts: ContentFacts;
  /** Puts on a patient's list who was shown that the patient is exposed. */
  readonly shown: (patient: string) => void;
}

/** Kits in their newest state, of the lot or of these numbers, that were dispensed at this site. Throws Refusal. */
export function exposedBy(
  { member, facts, shown }: ExposedPorts,
  { trial }: TrialView,
  {
    actor,
    kits,
    lot,
    numbers,
  }: {
    readonly actor: Actor;
    readonly kits: readonly KitRecord[];
    readonly lot: string | null;
    readonly numbers: readonly string[];
  },
): readonly Exposed[] {
  if (!trial.parties.sites.includes(member) || !ROLES.includes(actor.role)) {
    throw new Refusal('forbidden', 'not-a-party', `who was exposed is shown at a site, to: ${ROLES.join(', ')}`);
  }
  if (lot === null && numbers.length === 0) throw new Refusal('invalid', 'structure', 'name a lot, or kits');
  return newestKits(kits).flatMap(({ kit, site, participant, opened }) => {
    const isMeant = numbers.includes(kit) || (lot !== null && opened?.lot === lot);
    if (!isMeant || site !== member || participant === undefined) return [];
    const patient = patientOf(facts, { trial: trial.trial, participant });
    if (patient !== undefined) shown(patient);
    return [{ participant, kit, patient }];
  });
}

/** Each kit as it is now. */
export function newestKits(kits: readonly KitRecord[]): readonly KitRecord[] {
  return [...new Map(kits.map((record) => [record.kit, record])).values()];
}

/** The parameters of the answer. */
export function exposedParameters(found: readonly Exposed[]): readonly object[] {
  return found.map(({ participant, kit, patient }) => ({
    name: 'exposed',
    part: [
      { name: 'participant', valueString: participant },
      { name: 'kit', valueString: kit },
      ...(patient === undefined ? [] : [{ name: 'patient', valueReference: { reference: `Patient/${patient}` } }]),
    ],
  }));
}

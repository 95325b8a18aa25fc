/** Ends the keys of guardians whose mandate ended, by its date, at the patient's majority, or because staff ended it. */
import { setTimeout as delay } from 'node:timers/promises';

import type { Mandates } from '../consent/mandates.js';
import type { PatientKeys } from './keys.js';

/** Pause between two looks, ms. */
const LOOK_EVERY_MS = 10_000;

/** The keys, what they depend on, and who hears of one that could not be revoked yet: it is tried again. */
export interface GuardianKeyPorts {
  readonly patientKeys: Pick<PatientKeys, 'ofGuardians' | 'endGuardian'>;
  readonly mandates: Pick<Mandates, 'ofPerson'>;
  readonly onFailure: (error: unknown) => void;
}

/** Ends keys until the signal aborts. */
export async function keepKeysEnded(ports: GuardianKeyPorts, signal: AbortSignal): Promise<void> {
  const turn = () => delay(LOOK_EVERY_MS, true, { signal, ref: false }).catch(() => false);
  while (await turn()) await endKeys(ports).catch(ports.onFailure);
}

/** Revokes the keys of all who are guardians no more. Throws Refusal. */
async function endKeys({ patientKeys, mandates }: Omit<GuardianKeyPorts, 'onFailure'>): Promise<void> {
  for (const { pid, patient, person, jwk } of patientKeys.ofGuardians()) {
    if (mandates.ofPerson(patient, person)?.kind === 'guardian') continue;
    await patientKeys.endGuardian(pid, jwk);
  }
}

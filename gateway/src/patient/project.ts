/** What the projection makes of patients in `care`: pid to custodians, and a custodian's FHIR id to pid. */
import type { PatientRecord } from '@salus/chaincode/patient/api';
import { mspIdOf, parseKey } from '@salus/chaincode/registry/api';

import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';

export const PATIENT_SPACE = 'patient';
const CARE = 'care';

/** Key of the facts that lead from a Patient's FHIR id to the pid, one for each custodian that gave the id. */
export const byPatientId = (patientId: string): string => `id/${patientId}/`;
/** Key of the facts that lead from a pid to its custodians, one for each. */
export const byPid = (pid: string): string => `pid/${pid}/`;

/**
 * Facts of one committed write. Who keeps a patient under which id is believed of that custodian's own transactions
 * alone: nobody can say it of another (T16).
 */
export function patientProjector(write: LedgerWrite, { creatorMspId }: LedgerTransaction): readonly Change[] {
  if (write.collection !== CARE || write.key === undefined || write.value === undefined) return [];
  if (parseKey(write.key)?.name !== 'patient') return [];
  const { pid, custodians } = JSON.parse(Buffer.from(write.value).toString('utf8')) as PatientRecord;
  const vouched = Object.entries(custodians).filter(([custodian]) => mspIdOf(custodian) === creatorMspId);
  return vouched.flatMap(([custodian, { patientId }]) => [
    { kind: 'fact', space: PATIENT_SPACE, key: `${byPid(pid)}${custodian}`, value: patientId },
    { kind: 'fact', space: PATIENT_SPACE, key: `${byPatientId(patientId)}${custodian}`, value: pid },
  ]);
}

/** What the projection makes of patients in `care`: pid to custodians, and a custodian's FHIR id to pid. */
import type { PatientRecord } from '@salus/chaincode/patient/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';

export const PATIENT_SPACE = 'patient';
const CARE = 'care';

/** Key of the fact that leads from a Patient's FHIR id to the pid. */
export const byPatientId = (patientId: string): string => `id/${patientId}`;
/** Key of the fact that leads from a pid to its custodians. */
export const byPid = (pid: string): string => `pid/${pid}`;

/** Facts of one committed write. */
export function patientProjector(write: LedgerWrite): readonly Change[] {
  if (write.collection !== CARE || write.key === undefined || write.value === undefined) return [];
  if (parseKey(write.key)?.name !== 'patient') return [];
  const { pid, custodians } = JSON.parse(Buffer.from(write.value).toString('utf8')) as PatientRecord;
  const ids = Object.values(custodians).map(({ patientId }) => patientId);
  return [
    { kind: 'fact', space: PATIENT_SPACE, key: byPid(pid), value: JSON.stringify(custodians) },
    ...ids.map((id) => ({ kind: 'fact', space: PATIENT_SPACE, key: byPatientId(id), value: pid }) as const),
  ];
}

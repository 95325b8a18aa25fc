import { kind } from '../lib/kind';
import type { PatientKey, PatientLink, PatientRecord } from './api';

/** patient/<pid>: its custodians. */
export const patientKind = kind<PatientRecord>('patient', 'care', 'pid');
/** patient-key/<pid>/<custodian>/<kid>: a key that counts at that custodian. */
export const patientKeyKind = kind<PatientKey>('patient-key', 'care', 'pid', 'custodian', 'kid');
/** patient-link/<linkId>: two custodians' patients are one person. */
export const patientLinkKind = kind<PatientLink>('patient-link', 'care', 'linkId');

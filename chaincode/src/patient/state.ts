import { kind } from '../lib/kind';
import type { LookupEntry, LookupSecret, PatientKey, PatientLink, PatientRecord } from './api';

/** patient/<pid>: its custodians. */
export const patientKind = kind<PatientRecord>('patient', 'care', 'pid');
/** patient-key/<pid>/<custodian>/<kid>: a key that counts at that custodian. */
export const patientKeyKind = kind<PatientKey>('patient-key', 'care', 'pid', 'custodian', 'kid');
/** patient-link/<linkId>: two custodians' patients are one person. */
export const patientLinkKind = kind<PatientLink>('patient-link', 'care', 'linkId');
/** lookup-entry/<custodian>/<entryId>: by which codes others find a custodian's patient. */
export const lookupEntryKind = kind<LookupEntry>('lookup-entry', 'care', 'custodian', 'entryId');
/** lookup-secret/<quarter>: under which the hospitals make their codes. */
export const lookupSecretKind = kind<LookupSecret>('lookup-secret', 'care-keys', 'quarter');

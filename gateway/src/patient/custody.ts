/** Signs for patients who have no key of their own, with the key this member's wallet keeps for them. */
import { signStatement, type StatementSubject } from '../identity/statements.js';
import { signingKey } from '../identity/keys.js';
import type { Wallet } from '../keys/wallet.js';
import type { PatientKeys } from './keys.js';

/** Signs what a patient, or staff for the patient, says here; undefined where the wallet holds no key in force. */
export type SignForPatient = (
  of: { readonly pid: string; readonly patientId: string },
  resource: object,
  subject: StatementSubject,
) => Promise<string | undefined>;

/** A signer over a member's wallet. */
export function custodialSigner(wallet: Wallet, patientKeys: Pick<PatientKeys, 'custodial'>): SignForPatient {
  return async ({ pid, patientId }, resource, subject) => {
    if (patientKeys.custodial(pid) === undefined) return undefined;
    return await signStatement(resource, subject, signingKey(wallet.privateKey(patientId)));
  };
}

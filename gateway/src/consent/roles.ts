/** Which roles write which types at their own hospital. */
import { custodianStaff } from '@salus/chaincode/access/api';

const CLINICAL = ['physician', 'nurse', 'pharmacist', 'laboratory', 'investigator', 'coordinator', 'admin'];

/** Types that other roles write too. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  Observation: ['device-gateway'],
  Device: ['device-gateway'],
  Consent: ['patient', 'guardian', 'privacy-officer'],
  Claim: ['biller'],
  Coverage: ['biller'],
  Subscription: ['patient', 'guardian', 'privacy-officer'],
};

/** Types that say who may act for a patient: by those alone who register patients' keys. */
const RESERVED = ['RelatedPerson'];

/** Whether the role may write resources of the type. */
export function mayWrite(role: string, type: string): boolean {
  if (RESERVED.includes(type)) return (custodianStaff as readonly string[]).includes(role);
  return CLINICAL.includes(role) || (FURTHER[type]?.includes(role) ?? false);
}

/** Which roles write which types at their own hospital. */

const CLINICAL = ['physician', 'nurse', 'pharmacist', 'laboratory', 'investigator', 'coordinator', 'admin'];

/** Types that other roles write too. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  Observation: ['device-gateway'],
  Device: ['device-gateway'],
  Consent: ['patient', 'guardian', 'privacy-officer'],
  Claim: ['biller'],
  Coverage: ['biller'],
};

/** Whether the role may write resources of the type. */
export function mayWrite(role: string, type: string): boolean {
  return CLINICAL.includes(role) || (FURTHER[type]?.includes(role) ?? false);
}

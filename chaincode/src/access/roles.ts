/** Roles of people and devices. */
export const roles = [
  'physician',
  'nurse',
  'pharmacist',
  'laboratory',
  'patient',
  'guardian',
  'privacy-officer',
  'supply-operator',
  'quality-officer',
  'carrier',
  'sponsor',
  'cro',
  'investigator',
  'coordinator',
  'monitor',
  'statistician',
  'ethics',
  'board',
  'researcher',
  'regulator',
  'auditor',
  'biller',
  'adjudicator',
  'device-gateway',
  'admin',
] as const;

/** One of `roles`. */
export type Role = (typeof roles)[number];

/** Purposes of use that somebody may claim: codes of HL7 v3 PurposeOfUse. */
export const purposes = [
  'TREAT',
  'ETREAT',
  'BTG',
  'COC',
  'HPAYMT',
  'CLMATTCH',
  'HOPERAT',
  'HQUALIMP',
  'PATSFTY',
  'HCOMPL',
  'HLEGAL',
  'FRAUD',
  'HSYSADMIN',
  'HRESCH',
  'CLINTRCH',
  'PUBHLTH',
  'PATRQT',
  'FAMRQT',
] as const;

/** One of `purposes`. */
export type Purpose = (typeof purposes)[number];

/** The one table of which purposes of use each role may claim. */
export const purposesOf: Readonly<Record<Role, readonly Purpose[]>> = {
  physician: ['TREAT', 'ETREAT', 'BTG', 'COC', 'HOPERAT', 'HQUALIMP'],
  nurse: ['TREAT', 'ETREAT', 'BTG', 'COC'],
  pharmacist: ['TREAT', 'ETREAT'],
  laboratory: ['TREAT'],
  patient: ['PATRQT'],
  guardian: ['FAMRQT', 'PATRQT'],
  'privacy-officer': ['HOPERAT', 'HCOMPL', 'HLEGAL'],
  'supply-operator': ['HOPERAT'],
  'quality-officer': ['HOPERAT', 'HQUALIMP', 'PATSFTY'],
  carrier: ['HOPERAT'],
  sponsor: ['HRESCH', 'CLINTRCH'],
  cro: ['HRESCH', 'CLINTRCH'],
  investigator: ['TREAT', 'HRESCH', 'CLINTRCH'],
  coordinator: ['HRESCH', 'CLINTRCH'],
  monitor: ['HRESCH', 'CLINTRCH'],
  statistician: ['HRESCH', 'CLINTRCH'],
  ethics: ['HRESCH', 'CLINTRCH'],
  board: ['HRESCH', 'CLINTRCH', 'PATSFTY'],
  researcher: ['HRESCH', 'CLINTRCH'],
  regulator: ['PUBHLTH', 'HCOMPL', 'PATSFTY'],
  auditor: ['HCOMPL', 'FRAUD', 'HOPERAT'],
  biller: ['HPAYMT', 'CLMATTCH'],
  adjudicator: ['HPAYMT', 'CLMATTCH', 'FRAUD'],
  'device-gateway': ['TREAT'],
  admin: ['HSYSADMIN', 'HOPERAT'],
};

/** Roles whose word, given at a custodian, is the custodian's: they register patients' keys and record consents. */
export const custodianStaff: readonly Role[] = ['physician', 'nurse', 'privacy-officer', 'admin'];

/** Roles whose word at a custodian is that custodian's: its staff, and patient or guardian whom it authenticated. */
export const heardAtCustodian: readonly Role[] = [...custodianStaff, 'patient', 'guardian'];

/** Whether the role may claim the purpose. */
export function mayClaim(role: string, purpose: string): boolean {
  const table: Readonly<Record<string, readonly string[]>> = purposesOf;
  return Object.hasOwn(table, role) && table[role]?.includes(purpose) === true;
}

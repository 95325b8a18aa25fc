/** Who asks in the world. */

/** A person at a member, for a purpose; `patient`: which record a patient or guardian comes for. */
export interface Asker {
  readonly member: string;
  readonly user: string;
  readonly role: string;
  readonly purpose: string;
  readonly patient?: string;
}

/** Staff of all kinds of members, and an emergency that nobody explained. */
export const staff: readonly Asker[] = [
  { member: 'stmary', user: 'dr-adams', role: 'physician', purpose: 'TREAT' },
  { member: 'stmary', user: 'dr-cook', role: 'physician', purpose: 'TREAT' },
  { member: 'stmary', user: 'n-1', role: 'nurse', purpose: 'TREAT' },
  { member: 'stmary', user: 'b-1', role: 'biller', purpose: 'HPAYMT' },
  { member: 'stmary', user: 'a-1', role: 'admin', purpose: 'HOPERAT' },
  { member: 'stmary', user: 'r-1', role: 'researcher', purpose: 'HRESCH' },
  { member: 'stmary', user: 'c-1', role: 'carrier', purpose: 'HOPERAT' },
  { member: 'stmary', user: 'dr-adams', role: 'physician', purpose: 'BTG' },
  { member: 'northside', user: 'dr-baker', role: 'physician', purpose: 'TREAT' },
  { member: 'northside', user: 'dr-dunn', role: 'physician', purpose: 'TREAT' },
  { member: 'northside', user: 'n-2', role: 'nurse', purpose: 'TREAT' },
  { member: 'northside', user: 'b-2', role: 'biller', purpose: 'HPAYMT' },
  { member: 'northside', user: 'r-2', role: 'researcher', purpose: 'HRESCH' },
  { member: 'northside', user: 'dr-baker', role: 'physician', purpose: 'BTG' },
  { member: 'acme', user: 'r-3', role: 'researcher', purpose: 'HRESCH' },
  { member: 'medisure', user: 'j-1', role: 'adjudicator', purpose: 'HPAYMT' },
];

/** The patient of a record, or a guardian, at a hospital. */
export function comingFor(patient: string, member: string, isGuardian: boolean): Asker {
  const role = isGuardian ? 'guardian' : 'patient';
  const purpose = isGuardian ? 'FAMRQT' : 'PATRQT';
  return { member, user: `${role}-${patient}`, role, purpose, patient };
}

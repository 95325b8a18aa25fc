/** Search parameters that name the patient a search is about. */
export function patientParameters(type: string): readonly string[] {
  return type === 'Patient' ? ['_id'] : ['patient', 'subject', 'patient:Patient', 'subject:Patient'];
}

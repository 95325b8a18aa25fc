/** System of participants' codes. */
export const PARTICIPANT_SYSTEM = 'urn:salus:participant';

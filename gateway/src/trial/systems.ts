/** System of participants' codes. */
export const PARTICIPANT_SYSTEM = 'urn:salus:participant';
/** System of the names of acts on data points. */
export const DATA_POINT_SYSTEM = 'urn:salus:data-point';
/** System of the names of answered criteria of eligibility. */
export const CRITERION_SYSTEM = 'urn:salus:eligibility-criterion';
/** System of adverse events' names on this ledger. */
export const EVENT_SYSTEM = 'urn:salus:adverse-event';
/** System of the names of sponsors' reports of adverse events to regulators. */
export const SAFETY_REPORT_SYSTEM = 'urn:salus:safety-report';
/** System of members' names. */
export const MEMBER_SYSTEM = 'urn:salus:member';
/** System of trial names on this ledger. */
export const TRIAL_SYSTEM = 'urn:salus:trial';

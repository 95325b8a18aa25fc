/** Systems of identifiers by which resources name who is known to Salus. */

/** A person: the subject of the person's tokens, of another member as `member/subject`. */
export const USER = 'urn:salus:user';
/** A member. */
export const MEMBER = 'urn:salus:member';

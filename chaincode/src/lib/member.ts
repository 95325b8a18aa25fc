import { refuseCall } from './refusal';

/** MSP id of a member: `stmary` has StmaryMSP. */
export function mspIdOf(member: string): string {
  return `${member.charAt(0).toUpperCase()}${member.slice(1)}MSP`;
}

/** The member an MSP id is of. Refused for the MSPs of orderers and strangers. */
export function memberOf(mspId: string): string {
  const member = mspId.charAt(0).toLowerCase() + mspId.slice(1).replace(/MSP$/, '');
  if (!/^[a-z][a-z0-9-]*$/.test(member) || mspIdOf(member) !== mspId) {
    throw refuseCall('not-a-member', "the MSP id is no member's: a member has an id such as StmaryMSP");
  }
  return member;
}

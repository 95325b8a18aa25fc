/** Limits of a topology. The ports of one kind lie side by side, so most limits keep neighbours apart. */

/** Gateways of one number lie side by side, one for each member, before those of the next number begin. */
export const MEMBERS_MAX = 16;
/** A `care` fact needs the peers of two members. */
export const MEMBERS_MIN = 2;
/** Peers of neighbouring members lie PEER_STRIDE ports apart, the last of which is the orderer's operations port. */
export const PEERS_MAX = 9;
/** Ports from one member's first peer to the next member's. */
export const PEER_STRIDE = 10;
/** Gateways of one member. */
export const GATEWAYS_MAX = 6;
/** GS1 company prefixes of one member. */
export const COMPANY_PREFIXES_MAX = 20;
/** Premises (SGLN) of one member. */
export const PREMISES_MAX = 200;
/** Sequence of the chaincode's definition. */
export const SEQUENCE_MAX = 1_000_000;
/** Characters of a member's title. */
export const TITLE_LENGTH_MAX = 80;
/** Below lie the ports that need privileges. */
export const PORT_MIN = 1024;
/** The highest port there is. */
export const PORT_MAX = 65_535;
/** Raft needs a majority, so 4 and 6 tolerate no more than 3 and 5: they are the steps on the way, one orderer at a time. */
export const ORDERERS_ALLOWED: readonly number[] = [1, 3, 4, 5, 6, 7];

/** registry: who the members are, agreed by a majority of them. All of it is public. */
import { refusals } from '../lib/refusal';
import {
  code,
  hex256,
  list,
  memberName,
  object,
  oneOf,
  optional,
  type Parser,
  type PublicJwk,
  publicJwk,
  text,
} from '../lib/schema';

export { decodeRefusal } from '../lib/refusal';
export type { Category, RefusalData } from '../lib/refusal';
export { mspIdOf } from '../lib/member';
export { collections, parseKey, type KeyParts } from '../lib/kind';
export type { PublicJwk } from '../lib/schema';

/** Transactions of this domain. */
export const transactions = {
  /** Public write; argument: RegistryEntry as JSON. The caller's member approves it. */
  approve: 'registry:approve',
  /** Evaluate; argument empty; answers a RegistryView as JSON. */
  read: 'registry:read',
  /** Evaluate at one peer; argument empty; answers a CodeView as JSON: what that peer's chaincode runs. */
  code: 'registry:code',
} as const;

/** What registry:code answers: SHA-256 of the code, lower-case hex, as the label of its package names it. */
export interface CodeView {
  readonly code: string;
}

/** Most members a consortium may have. */
export const MAX_MEMBERS = 100;

/** The members, in the order in which they tick the clock. The first entry that must come into force. */
export interface ConsortiumEntry {
  readonly kind: 'consortium';
  readonly members: readonly { readonly name: string; readonly mspId: string }[];
  /** With the first consortium only: entries of members that come into force with it, so that one vote founds all. */
  readonly entries?: readonly MemberEntry[] | undefined;
  /** Hash of the entry in force that this one replaces; absent for the first. */
  readonly replaces?: string | undefined;
}

/** What the consortium knows of one member. Its own keys and addresses (OWN_FIELDS) it may change alone. */
export interface MemberEntry {
  readonly kind: 'member';
  readonly name: string;
  readonly mspId: string;
  /** hospital, pharmacy, manufacturer, sponsor, wholesaler, payer, regulator, witness, cro ... */
  readonly roles: readonly string[];
  /** GS1 company prefixes, digits. */
  readonly gcp: readonly string[];
  /** Party GLN as a GS1 URI or Digital Link. */
  readonly pgln?: string | undefined;
  /** SGLN of each of its premises, as a GS1 URI or Digital Link. */
  readonly premises: readonly string[];
  readonly gatewayUrl: string;
  readonly doorUrl: string;
  /** Public keys of its gateways (ES256), found by `kid`. */
  readonly keys: readonly PublicJwk[];
  /** Roots of the TLS certificates its door shows and its gateways use: lower-case hex SHA-256 of the DER. */
  readonly doorRoots: readonly string[];
  /** Hash of the entry in force that this one replaces; absent for the first. */
  readonly replaces?: string | undefined;
}

/** What registry:approve takes. */
export type RegistryEntry = ConsortiumEntry | MemberEntry;

/** The fields of its entry that a member changes alone. */
export const OWN_FIELDS = [
  'gatewayUrl',
  'doorUrl',
  'keys',
  'doorRoots',
] as const satisfies readonly (keyof MemberEntry)[];

/** An entry in force with its hash: SHA-256 of its RFC 8785 form, lower-case hex. */
export interface InForce<Entry extends RegistryEntry = RegistryEntry> {
  readonly hash: string;
  readonly entry: Entry;
}

/** One member's approval of one entry. */
export interface Approval {
  /** `consortium` or `member:<name>`. */
  readonly subject: string;
  readonly hash: string;
  /** The member that approved. */
  readonly member: string;
}

/** What registry:read answers. */
export interface RegistryView {
  readonly consortium?: InForce<ConsortiumEntry>;
  readonly members: readonly InForce<MemberEntry>[];
  readonly approvals: readonly Approval[];
}

/** Emitted when an entry comes into force; payload: Approval of the member whose approval decided. */
export const events = { changed: 'registry:changed' } as const;

/** Why registry refuses. */
export const refuse = refusals({
  'no-consortium': 'unavailable',
  'not-in-consortium': 'forbidden',
  'unknown-subject': 'not-found',
  'name-mismatch': 'invalid',
  'stale-entry': 'conflict',
  'key-taken': 'conflict',
  'already-approved': 'conflict',
});

const mspId = text(/^[A-Z][A-Za-z0-9-]{0,31}MSP$/, 'an MSP id such as StmaryMSP');
const url = text(/^https?:\/\/[!-~]{1,500}$/, 'an http or https URL of at most 500 characters');
const gln = text(/^[!-~]{1,200}$/, 'a GS1 URI of at most 200 characters');

/** Parser of MemberEntry. */
export const parseMember: Parser<MemberEntry> = object<MemberEntry>({
  kind: oneOf('member'),
  name: memberName,
  mspId,
  roles: list(code, 1, 20),
  gcp: list(text(/^[0-9]{4,12}$/, '4 to 12 digits'), 0, 20),
  pgln: optional(gln),
  premises: list(gln, 0, 1000),
  gatewayUrl: url,
  doorUrl: url,
  keys: list(publicJwk, 1, 20),
  doorRoots: list(hex256, 0, 20),
  replaces: optional(hex256),
});

const parseConsortium: Parser<ConsortiumEntry> = object<ConsortiumEntry>({
  kind: oneOf('consortium'),
  members: list(object({ name: memberName, mspId }), 1, MAX_MEMBERS),
  entries: optional(list(parseMember, 0, MAX_MEMBERS)),
  replaces: optional(hex256),
});

/** Parser of RegistryEntry. */
export const parseEntry: Parser<RegistryEntry> = (value, path) => {
  const kind = (value as { kind?: unknown } | null)?.kind;
  return kind === 'consortium' ? parseConsortium(value, path) : parseMember(value, path);
};

/** How many approvals put an entry in force. */
export function majorityOf(members: number): number {
  return Math.floor(members / 2) + 1;
}

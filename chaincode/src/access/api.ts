/** access: who asked for what of whom, and what was decided, written before data leaves. In `care`. */
import type { Obligation } from '../consent/terms';
import { refusals } from '../lib/refusal';
import {
  code,
  compactJws,
  fhirId,
  hex256,
  integer,
  list,
  memberName,
  object,
  oneOf,
  optional,
  type Parser,
  text,
} from '../lib/schema';

export { isIncluded, merklePath, merkleRoot } from '../lib/merkle';
export { EMERGENCY_TYPES, isSummary, SECOND_ACT_MS } from './emergency';
export { decidedAgain, type Considered, type Decided } from './decided';
export {
  custodianStaff,
  heardAtCustodian,
  mayClaim,
  purposes,
  purposesOf,
  roles,
  type Purpose,
  type Role,
} from './roles';

/** Transactions of this domain; requests travel in the transient map under `request`, the actor under `actor`. */
export const transactions = {
  /** `care` write; RequestAccess. Writes one record whatever is decided, and returns nothing. */
  request: 'access:request',
  /** Evaluate; ReadAccess; answers an AccessRecord as JSON to requester, custodians and witness; else not found. */
  read: 'access:read',
  /** `care` write; DiscloseAccess. A custodian anchors what it delivered under accesses. */
  disclose: 'access:disclose',
  /** `of-<member>` write; AnchorReads. A member anchors a slice of its local read log. */
  anchor: 'access:anchor',
} as const;

/** Most resource types one scope may name. */
export const MAX_SCOPE_TYPES = 150;

/** What of the record is asked for. */
export interface AccessScope {
  /** FHIR types; empty = every type of the patient's compartment. */
  readonly types: readonly string[];
  /** `read` one instance, `search`, `history`, or `everything`. */
  readonly interaction: 'read' | 'search' | 'history' | 'everything';
  /** Of a `read` or an instance's `history`: the logical id at the custodian. */
  readonly id?: string | undefined;
}

/** access:request. */
export interface RequestAccess {
  /** 256 random bits: names this access from now on. */
  readonly aid: string;
  /** The patient; for an id the requester does not know, a decoy of its own, which costs and writes the same. */
  readonly pid: string;
  readonly purpose: string;
  readonly scope: AccessScope;
  /** Ask this custodian only; absent = every custodian but the requester. */
  readonly custodian?: string | undefined;
  /** With purpose BTG; free text stays at the custodian. */
  readonly breakGlass?: BreakGlass | undefined;
  /** The link in force by which the asker came from a patient of its own; while it is decided, the link cannot end unseen. */
  readonly link?: string | undefined;
  /** A member outside `care` asks through the calling custodian: its signed request. See SignedRequest. */
  readonly onBehalfOf?: string | undefined;
  readonly salt: string;
}

/** Why the glass is broken. */
export interface BreakGlass {
  readonly reasonCode: string;
  /**
   * The second act: aid of the first, an access to the emergency summary of the same patient by the same person; then
   * everything may be asked for. Absent = the first act, which asks for the emergency summary alone.
   */
  readonly follows?: string | undefined;
}

/** Payload of RequestAccess.onBehalfOf: compact JWS, ES256, by a key of the asking member's registry entry (`kid`). */
export interface SignedRequest {
  readonly channel: string;
  readonly aid: string;
  readonly member: string;
  /** The custodian asked; it knows the patient and submits for the asking member. */
  readonly custodian: string;
  readonly actor: { readonly user: string; readonly role: string };
  readonly purpose: string;
  readonly scope: AccessScope;
}

/** access:read. */
export interface ReadAccess {
  readonly aid: string;
}

/** Most deliveries that one transaction anchors. */
export const MAX_MANIFESTS = 100;

/** access:disclose. */
export interface DiscloseAccess {
  /** 1 to MAX_MANIFESTS. */
  readonly manifests: readonly Manifest[];
}

/** What a custodian delivered at once under an access. */
export interface Manifest {
  readonly aid: string;
  /** 256 random bits: one for each manifest. */
  readonly manifestId: string;
  /** Merkle root over the delivered resources, lower-case hex. */
  readonly root: string;
  /** How many resources. */
  readonly count: number;
  readonly salt: string;
}

/** access:anchor. */
export interface AnchorReads {
  /** 256 random bits. */
  readonly anchorId: string;
  /** Merkle root over the salted log entries first to last, lower-case hex. */
  readonly root: string;
  readonly first: number;
  readonly last: number;
  readonly salt: string;
}

/** What was decided for one custodian. */
export interface CustodianDecision {
  readonly decision: 'permit' | 'deny';
  /** Path of the rule that decided, as consent's `decide` gives it. */
  readonly path: string;
  /** The consent that decided; absent where the implicit policy did. */
  readonly consent?: { readonly consentId: string; readonly version: number };
  /** What the custodian must do with what it delivers, as consent's `decide` gives it. */
  readonly obligations: readonly Obligation[];
}

/** Stored under access/<aid>. */
export interface AccessRecord {
  readonly aid: string;
  readonly pid: string;
  /** Member that asks. */
  readonly requester: string;
  /** Member that submitted for it; absent when it did so itself. */
  readonly submittedBy?: string;
  readonly actor: { readonly user: string; readonly role: string };
  readonly purpose: string;
  readonly scope: AccessScope;
  readonly breakGlass?: BreakGlass;
  /** The link by which the asker came from a patient of its own. */
  readonly link?: string;
  /** `permit` when any custodian's is. */
  readonly decision: 'permit' | 'deny';
  /** By custodian; empty for a patient nobody has. */
  readonly custodians: Readonly<Record<string, CustodianDecision>>;
  /** Every consent in force that was read. */
  readonly consents: readonly { readonly consentId: string; readonly version: number }[];
  /** SHA-256 of the RFC 8785 form of what was decided on, so that the decision can be replayed. */
  readonly inputHash: string;
  /** The tick at which it was decided; an access lives ACCESS_LIFETIME_MS from here. */
  readonly at: string;
}

/** How long a door honours an access after the tick it was decided at, ms. */
export const ACCESS_LIFETIME_MS = 600_000;

/** Stored under disclosure/<aid>/<manifestId>. */
export interface Disclosure {
  readonly aid: string;
  readonly manifestId: string;
  readonly custodian: string;
  readonly root: string;
  readonly count: number;
  /** FHIR instant of the transaction. */
  readonly disclosed: string;
}

/** Stored under read-anchor/<anchorId> in the member's own collection. */
export interface ReadAnchor {
  readonly anchorId: string;
  readonly root: string;
  readonly first: number;
  readonly last: number;
  /** FHIR instant of the transaction. */
  readonly anchored: string;
}

/** Why access refuses. A denial is no refusal: it is a record. */
export const refuse = refusals({
  'purpose-mismatch': 'invalid',
  'purpose-not-claimable': 'forbidden',
  'reason-missing': 'invalid',
  'not-a-hospital': 'forbidden',
  'summary-first': 'conflict',
  'link-not-in-force': 'conflict',
  'access-exists': 'conflict',
  'unknown-access': 'not-found',
  'signed-request-invalid': 'forbidden',
  'not-permitted': 'forbidden',
  'manifest-exists': 'conflict',
  'anchor-exists': 'conflict',
});

const resourceType = text(/^[A-Z][A-Za-z]{0,63}$/, 'a FHIR resource type');

/** Parser of AccessScope. */
export const parseScope: Parser<AccessScope> = object<AccessScope>({
  types: list(resourceType, 0, MAX_SCOPE_TYPES),
  interaction: oneOf('read', 'search', 'history', 'everything'),
  id: optional(fhirId),
});

/** Parser of RequestAccess. */
export const parseRequest: Parser<RequestAccess> = object<RequestAccess>({
  aid: hex256,
  pid: hex256,
  purpose: code,
  scope: parseScope,
  custodian: optional(memberName),
  breakGlass: optional(object<BreakGlass>({ reasonCode: code, follows: optional(hex256) })),
  link: optional(hex256),
  onBehalfOf: optional(compactJws),
  salt: hex256,
});

/** Parser of SignedRequest. */
export const parseSignedRequest: Parser<SignedRequest> = object<SignedRequest>({
  channel: code,
  aid: hex256,
  member: memberName,
  custodian: memberName,
  actor: object({ user: code, role: code }),
  purpose: code,
  scope: parseScope,
});

/** Parser of ReadAccess. */
export const parseRead: Parser<ReadAccess> = object<ReadAccess>({ aid: hex256 });

const count = integer(0, Number.MAX_SAFE_INTEGER);

const manifest: Parser<Manifest> = object<Manifest>({
  aid: hex256,
  manifestId: hex256,
  root: hex256,
  count,
  salt: hex256,
});

/** Parser of DiscloseAccess. */
export const parseDisclose: Parser<DiscloseAccess> = object<DiscloseAccess>({
  manifests: list(manifest, 1, MAX_MANIFESTS),
});

/** Parser of AnchorReads. */
export const parseAnchor: Parser<AnchorReads> = object<AnchorReads>({
  anchorId: hex256,
  root: hex256,
  first: count,
  last: count,
  salt: hex256,
});

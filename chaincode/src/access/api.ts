/** access: who asked for what of whom, and what was decided, written before data leaves. In `care`. */
import type { Obligation } from '../consent/terms';
import { digest } from '../lib/canonical';
import { refusals } from '../lib/refusal';
import {
  code,
  compactJws,
  fhirId,
  hex256,
  instant,
  list,
  memberName,
  object,
  oneOf,
  optional,
  type Parser,
  text,
} from '../lib/schema';
import { type MemberEntry, parseMember } from '../registry/api';

export { type Jws, parseJws } from '../lib/jws';
export { isIncluded, merklePath, merkleRoot } from '../lib/merkle';
export { EMERGENCY_TYPES, isSummary, SECOND_ACT_MS } from './emergency';
export {
  type AnchorReads,
  type DiscloseAccess,
  type Disclosure,
  type Manifest,
  MAX_MANIFESTS,
  parseAnchor,
  parseDisclose,
  type ReadAnchor,
} from './anchored';
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
  /** `care` write; LateAccess. Records a break-glass access that two gateways' logs kept while the ledger was away. */
  late: 'access:late',
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
  /** Of whom is asked, as namedPatient makes it: the custodian cannot submit it for another patient. */
  readonly patient: string;
  readonly actor: { readonly user: string; readonly role: string };
  readonly purpose: string;
  readonly scope: AccessScope;
}

/**
 * How a signed request names its patient, by the FHIR id at the custodian: SHA-256 of the RFC 8785 form, hex. It tells
 * the id to nobody who does not know it: the aid is random, and its salt.
 */
export function namedPatient(of: {
  readonly aid: string;
  readonly custodian: string;
  readonly patient: string;
}): string {
  const { aid, custodian, patient } = of;
  return digest({ aid, custodian, patient });
}

/** access:late. Submitted by who asked and by every custodian that opened, in any order. */
export interface LateAccess {
  /** Compact JWS, ES256, by a key of the asking member's registry entry (`kid`), over a SignedLate. */
  readonly request: string;
  /**
   * Where the member has replaced that key since: its entries before the one in force, the newest first, at most
   * MAX_FORMER. Each is believed by its hash, which the one after it names.
   */
  readonly formerly?: readonly MemberEntry[] | undefined;
  readonly salt: string;
}

/** Most entries of a member before the one in force that a late access is proven by. */
export const MAX_FORMER = 20;

/** What the asking member's gateway signed before it asked at the custodian's door, while the ledger was away. */
export interface SignedLate {
  readonly channel: string;
  readonly aid: string;
  readonly member: string;
  readonly pid: string;
  readonly actor: { readonly user: string; readonly role: string };
  readonly purpose: string;
  readonly scope: AccessScope;
  readonly breakGlass: BreakGlass;
  /** FHIR instant by the asking gateway's clock. */
  readonly at: string;
}

/** access:read. */
export interface ReadAccess {
  readonly aid: string;
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
  /** It was opened while the ledger was away, and is recorded afterwards. It opens nothing more. */
  readonly late?: Late;
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

/** Of an access that was opened while the ledger was away. What is decided in the record is decided when it is recorded. */
export interface Late {
  /** FHIR instant, by the asking gateway's clock. */
  readonly opened: string;
  /** SHA-256 of the RFC 8785 form of the SignedLate that every log holds. */
  readonly request: string;
  /** Members that say that their logs hold it: who asked, and the custodians that opened. */
  readonly heldBy: readonly string[];
  /** The key that signed was not in force any more when it was recorded: it was before, by the registry's entries. */
  readonly keyReplaced?: true;
}

/** How long a door honours an access after the tick it was decided at, ms. */
export const ACCESS_LIFETIME_MS = 600_000;

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
  'not-a-party': 'forbidden',
  'opened-ahead': 'invalid',
  'opened-long-ago': 'invalid',
  'late-differs': 'conflict',
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

const breakGlass: Parser<BreakGlass> = object<BreakGlass>({ reasonCode: code, follows: optional(hex256) });

/** Parser of RequestAccess. */
export const parseRequest: Parser<RequestAccess> = object<RequestAccess>({
  aid: hex256,
  pid: hex256,
  purpose: code,
  scope: parseScope,
  custodian: optional(memberName),
  breakGlass: optional(breakGlass),
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
  patient: hex256,
  actor: object({ user: code, role: code }),
  purpose: code,
  scope: parseScope,
});

/** Parser of LateAccess. */
export const parseLate: Parser<LateAccess> = object<LateAccess>({
  request: compactJws,
  formerly: optional(list(parseMember, 1, MAX_FORMER)),
  salt: hex256,
});

/** Parser of SignedLate. */
export const parseSignedLate: Parser<SignedLate> = object<SignedLate>({
  channel: code,
  aid: hex256,
  member: memberName,
  pid: hex256,
  actor: object({ user: code, role: code }),
  purpose: code,
  scope: parseScope,
  breakGlass,
  at: instant,
});

/** Parser of ReadAccess. */
export const parseRead: Parser<ReadAccess> = object<ReadAccess>({ aid: hex256 });

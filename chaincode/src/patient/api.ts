/** patient: which custodians know a person, under a random id, and the keys registered for that person. In `care`. */
import { refusals } from '../lib/refusal';
import {
  compactJws,
  fhirId,
  flag,
  hex256,
  keyId,
  memberName,
  object,
  oneOf,
  optional,
  type Parser,
  type PublicJwk,
  publicJwk,
  instant,
} from '../lib/schema';
import type { SignedHeader, SignedVersion } from '../lib/statement';

export {
  MAX_CODES,
  MAX_LISTED,
  parseListCodes,
  parseNewSecret,
  parsePurgeCodes,
  parseReadSecret,
  parseRetireSecret,
  lookupEntryKey,
  lookupSecretKey,
  quarterBefore,
  quarterOf,
  type ListCodes,
  type ListedCodes,
  type LookupEntry,
  type LookupSecret,
  type NewSecret,
  type PurgeCodes,
  type Quarter,
  type ReadSecret,
  type RetireSecret,
} from './codes';

/** Transactions of this domain; requests travel in the transient map under `request`, the actor under `actor`. */
export const transactions = {
  /** `care` write; RegisterPatient. The calling member becomes the patient's first custodian. */
  register: 'patient:register',
  /** `care` write; RegisterKey. By staff of a custodian: what is signed with this key counts at that custodian. */
  key: 'patient:key',
  /** Evaluate; ReadPatient; answers a PatientView as JSON. */
  read: 'patient:read',
  /** `care` write; LinkPatients. One custodian says that its patient is another custodian's; links nothing yet. */
  link: 'patient:link',
  /** `care` write; ChangeLink. The other custodian says so, too: the link is in force. */
  confirm: 'patient:confirm',
  /** `care` write; ChangeLink. Either custodian ends it, for good; each record stays as it was. */
  unlink: 'patient:unlink',
  /** `care` write; ListCodes. The calling custodian lists codes by which other hospitals find its patients. */
  listCodes: 'patient:list-codes',
  /** `care` write; PurgeCodes. Purges entries of the calling custodian's. */
  purgeCodes: 'patient:purge-codes',
  /** `care-keys` write; NewSecret. The quarter's secret, made by the first hospital that needs it. */
  newSecret: 'patient:new-secret',
  /** Evaluate at the member's own peer; ReadSecret; answers a LookupSecret as JSON. */
  secret: 'patient:secret',
  /** `care-keys` write; RetireSecret. Purges the secret of a quarter that is over. */
  retireSecret: 'patient:retire-secret',
} as const;

/** patient:register. */
export interface RegisterPatient {
  /** 256 random bits made by the gateway; never derived from anything. */
  readonly pid: string;
  /** FHIR id of the Patient at the calling member. */
  readonly patientId: string;
  /** The patient's key in the calling custodian's wallet, registered along with the patient: holder custodian. */
  readonly jwk?: PublicJwk | undefined;
  readonly salt: string;
}

/** Whose key it is: the patient's, a guardian's, or the patient's in the custodian's wallet (the custodian's word). */
export type KeyHolder = 'patient' | 'guardian' | 'custodian';

/** patient:key: registers a key, or revokes it with the same kid. */
export interface RegisterKey {
  readonly pid: string;
  readonly jwk: PublicJwk;
  readonly holder: KeyHolder;
  readonly state: 'active' | 'revoked';
  /** FHIR instant; of a guardian's key, from when on what it signs counts no more. */
  readonly until?: string | undefined;
  /** With state active: kid of the key in the custodian's wallet that this one replaces; it is revoked along with it. */
  readonly replaces?: string | undefined;
  /** With state revoked: also a key whose registration may be on its way; it is then refused. */
  readonly evenUnknown?: boolean | undefined;
  readonly salt: string;
}

/** patient:read. */
export interface ReadPatient {
  readonly pid: string;
}

/** patient:link. What is named of the other side is not looked up: nobody learns whom another hospital knows. */
export interface LinkPatients {
  /** 256 random bits made by the gateway. */
  readonly linkId: string;
  /** The calling custodian's patient. */
  readonly pid: string;
  /** A decoy where the caller's gateway found nobody. */
  readonly other: { readonly pid: string; readonly custodian: string };
  /** The patient's own word, as compact JWS: see LinkStatementHeader. */
  readonly statement?: string | undefined;
  readonly salt: string;
}

/** patient:confirm and patient:unlink. */
export interface ChangeLink {
  readonly linkId: string;
  /** For whose side it is said; absent = the calling member's. For another's it takes a statement. */
  readonly side?: string | undefined;
  readonly statement?: string | undefined;
  readonly salt: string;
}

/**
 * Protected header of a statement on a link; its payload is the RFC 8785 form of linkStatementPayload. It is signed with a
 * key that the custodian of its side registered for the patient, or for a guardian, and counts once: versions are 1 proposed,
 * 2 in force, and the next for the end.
 */
export type LinkStatementHeader = SignedHeader<SignedVersion & { readonly link: string }>;

/** What is signed of a link: whether both are one person, and under which FHIR ids the two custodians know them. */
export function linkStatementPayload(
  same: boolean,
  patients: readonly { readonly custodian: string; readonly patient: string }[],
): object {
  const sorted = [...patients].sort((one, other) => (one.custodian < other.custodian ? -1 : 1));
  return { patients: sorted.map(({ custodian, patient }) => ({ custodian, patient })), same };
}

/** Stored under patient/<pid>. */
export interface PatientRecord {
  readonly pid: string;
  /** By custodian's name. */
  readonly custodians: Readonly<Record<string, { readonly patientId: string }>>;
  /** FHIR instant of the registering transaction. */
  readonly registered: string;
}

/** Stored under patient-key/<pid>/<custodian>/<kid>. */
export interface PatientKey {
  readonly pid: string;
  readonly custodian: string;
  readonly jwk: PublicJwk;
  readonly holder: KeyHolder;
  readonly state: 'active' | 'revoked';
  /** FHIR instant from which what it signs counts no more; absent = none. */
  readonly until?: string;
  /** FHIR instant of the last change. */
  readonly changed: string;
}

/**
 * Whose word it is, as the member vouches: its staff's, or the patient's or guardian's whom it authenticated. With a
 * statement it is the patient's own, for the side of `member`, whoever submitted it.
 */
export interface LinkWord {
  readonly member: string;
  readonly statement?: string;
  /** The custodian of the other side, where it submitted the statement. */
  readonly via?: string;
  readonly user: string;
  readonly role: string;
  /** FHIR instant of the transaction. */
  readonly at: string;
}

/** One of the two records that a link says are of one person. */
export interface LinkSide {
  readonly pid: string;
  readonly custodian: string;
  /** Absent until the custodian said so. */
  readonly confirmed?: LinkWord;
}

/**
 * Stored under patient-link/<linkId>. It opens nothing: what each custodian shows is decided on what patients consented
 * to there.
 */
export interface PatientLink {
  readonly linkId: string;
  /** First the side that made it. */
  readonly sides: readonly [LinkSide, LinkSide];
  readonly state: 'proposed' | 'active' | 'ended';
  readonly ended?: LinkWord;
}

/** What patient:read answers. */
export interface PatientView {
  readonly patient: PatientRecord;
  readonly keys: readonly PatientKey[];
}

/** Why patient refuses. */
export const refuse = refusals({
  'not-a-hospital': 'forbidden',
  'not-staff': 'forbidden',
  'already-registered': 'conflict',
  'unknown-patient': 'not-found',
  'key-exists': 'conflict',
  'unknown-key': 'not-found',
  'key-revoked': 'gone',
  'not-heard': 'forbidden',
  'link-exists': 'conflict',
  'link-to-itself': 'invalid',
  'unknown-link': 'not-found',
  'link-confirmed': 'conflict',
  'link-ended': 'gone',
  'statement-invalid': 'invalid',
  'quarter-not-in-force': 'conflict',
  'entry-exists': 'conflict',
  'not-announced': 'not-found',
  'secret-exists': 'conflict',
  'unknown-secret': 'not-found',
});

/** Parser of RegisterPatient. */
export const parseRegister: Parser<RegisterPatient> = object<RegisterPatient>({
  pid: hex256,
  patientId: fhirId,
  jwk: optional(publicJwk),
  salt: hex256,
});

/** Parser of RegisterKey. */
export const parseRegisterKey: Parser<RegisterKey> = object<RegisterKey>({
  pid: hex256,
  jwk: publicJwk,
  holder: oneOf('patient', 'guardian', 'custodian'),
  state: oneOf('active', 'revoked'),
  until: optional(instant),
  replaces: optional(keyId),
  evenUnknown: optional(flag),
  salt: hex256,
});

/** Parser of ReadPatient. */
export const parseRead: Parser<ReadPatient> = object<ReadPatient>({ pid: hex256 });

/** Parser of LinkPatients. */
export const parseLink: Parser<LinkPatients> = object<LinkPatients>({
  linkId: hex256,
  pid: hex256,
  other: object({ pid: hex256, custodian: memberName }),
  statement: optional(compactJws),
  salt: hex256,
});

/** Parser of ChangeLink. */
export const parseChangeLink: Parser<ChangeLink> = object<ChangeLink>({
  linkId: hex256,
  side: optional(memberName),
  statement: optional(compactJws),
  salt: hex256,
});

/** consent: what patients permitted and denied, version by version, in its `care` form. In `care`. */
import type { JsonObject } from '../lib/canonical';
import { keyOf } from '../lib/kind';
import { refusals } from '../lib/refusal';
import { saltOf } from '../lib/salt';
import {
  code,
  compactJws,
  document,
  fhirId,
  hex256,
  integer,
  memberName,
  object,
  optional,
  type Parser,
} from '../lib/schema';
import type { SignedHeader, SignedVersion } from '../lib/statement';
import { consentKind } from './state';

/** Transactions of this domain; requests travel in the transient map under `request`, the actor under `actor`. */
export const transactions = {
  /** `care` write; RecordConsent. */
  record: 'consent:record',
  /** Evaluate; ReadConsent; answers a ConsentRecord as JSON. */
  read: 'consent:read',
  /** Evaluate; ListConsents; answers ConsentRecord[] as JSON: those in force. */
  list: 'consent:list',
} as const;

/** Most consents of one patient that may be in force at once. */
export const MAX_CONSENTS = 200;
/** Longest JSON text of a consent, UTF-16 code units. */
export const MAX_CONSENT_CHARACTERS = 65_536;
/** Highest version of a consent. */
export const MAX_VERSION = 1_000_000;

/** consent:record: the first version of a consent, or the one after the version it replaces. */
export interface RecordConsent {
  readonly pid: string;
  /** FHIR id of the Consent; random, unique in the consortium. */
  readonly consentId: string;
  readonly version: number;
  /** version - 1; absent for version 1. */
  readonly replaces?: number | undefined;
  /** R4 Consent in its `care` form: no text, display, contained, attachments or free-text extensions. */
  readonly consent: JsonObject;
  /** Compact JWS (ES256) by patient or guardian; absent when a custodian's staff submits it. See StatementHeader. */
  readonly statement?: string | undefined;
  /** Of a withdrawal that another hospital asked the submitting custodian for: who asked there. */
  readonly askedBy?: Asker | undefined;
  /** FHIR id of the RelatedPerson as whom a guardian comes to the submitting custodian, without a statement. */
  readonly representative?: string | undefined;
  readonly salt: string;
}

/** A person at another hospital, as that hospital names them. */
export interface Asker {
  readonly member: string;
  readonly user: string;
  readonly role: string;
}

/**
 * Protected header of a consent's statement; its payload is the RFC 8785 form of RecordConsent.consent. What it names
 * lies in the header, so that the payload stays the resource, and is signed like it.
 */
export type StatementHeader = SignedHeader<SignedVersion & { readonly consent: string }>;

/** consent:read. */
export interface ReadConsent {
  readonly consentId: string;
  readonly version: number;
}

/** consent:list. */
export interface ListConsents {
  readonly pid: string;
}

/** R4 Consent.status. */
export type ConsentStatus = 'draft' | 'proposed' | 'active' | 'rejected' | 'inactive' | 'entered-in-error';

/** From which states a consent may pass to which; the first version may have any of `initialStates`. */
export const transitions: Readonly<Record<ConsentStatus, readonly ConsentStatus[]>> = {
  draft: ['draft', 'proposed', 'active', 'rejected', 'entered-in-error'],
  proposed: ['proposed', 'active', 'rejected', 'entered-in-error'],
  active: ['active', 'inactive', 'entered-in-error'],
  rejected: ['entered-in-error'],
  inactive: ['entered-in-error'],
  'entered-in-error': [],
};
/** States in which a consent may begin. */
export const initialStates: readonly ConsentStatus[] = ['draft', 'proposed', 'active'];

/** Stored under consent/<consentId>/<version>. */
export interface ConsentRecord {
  readonly pid: string;
  readonly consentId: string;
  readonly version: number;
  readonly status: ConsentStatus;
  readonly consent: JsonObject;
  /** Kept so that the custodian's door checks it itself. */
  readonly statement?: string;
  /** Who asked for the withdrawal at another hospital. */
  readonly askedBy?: Asker;
  /** Patient or guardian said it, or said one in force before it that others only narrowed. */
  readonly ofPatient?: true;
  /** Custodians at which it counts. */
  readonly countsAt: readonly string[];
  /** Who submitted it. */
  readonly submitter: { readonly member: string; readonly user: string; readonly role: string };
  /** FHIR instant of the transaction; for showing, never decided on. */
  readonly recorded: string;
}

/** A ConsentRecord as the ledger keeps it. */
export interface StoredConsent extends ConsentRecord {
  /** Of this value alone, hex: see recordedSalt. */
  readonly salt: string;
}

/** Stored under consents/<pid>: every consent in force, in the order of their last change. */
export interface ConsentList {
  readonly pid: string;
  readonly inForce: readonly { readonly consentId: string; readonly version: number }[];
}

/** Why consent refuses. */
export const refuse = refusals({
  'unknown-patient': 'not-found',
  'unknown-consent': 'not-found',
  'not-authentic': 'forbidden',
  'statement-invalid': 'invalid',
  'version-conflict': 'conflict',
  'patient-mismatch': 'conflict',
  'illegal-transition': 'conflict',
  replaced: 'conflict',
  'replaces-nothing': 'conflict',
  'too-many-consents': 'conflict',
  'not-a-consent': 'invalid',
  'not-decidable': 'invalid',
});

/** The salt that a version has on the ledger once the request that brings it is committed, hex. */
export function recordedSalt({
  consentId,
  version,
  salt,
}: Pick<RecordConsent, 'consentId' | 'version' | 'salt'>): string {
  return saltOf(salt, keyOf(consentKind, consentId, version.toString()));
}

/** Parser of RecordConsent. */
export const parseRecord: Parser<RecordConsent> = object<RecordConsent>({
  pid: hex256,
  consentId: fhirId,
  version: integer(1, MAX_VERSION),
  replaces: optional(integer(1, MAX_VERSION)),
  consent: document(MAX_CONSENT_CHARACTERS),
  statement: optional(compactJws),
  askedBy: optional(object<Asker>({ member: memberName, user: code, role: code })),
  representative: optional(fhirId),
  salt: hex256,
});

/** Parser of ReadConsent. */
export const parseRead: Parser<ReadConsent> = object<ReadConsent>({
  consentId: fhirId,
  version: integer(1, MAX_VERSION),
});

/** Parser of ListConsents. */
export const parseList: Parser<ListConsents> = object<ListConsents>({ pid: hex256 });

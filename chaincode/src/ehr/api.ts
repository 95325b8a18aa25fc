/** ehr: a member's own records, every version, as ciphertext with a commitment. In `of-<member>`. */
import { keyOf } from '../lib/kind';
import { refusals } from '../lib/refusal';
import { base64url, hex256, integer, list, object, oneOf, optional, type Parser } from '../lib/schema';
import { erasureKind, idempotencyKind, resourceKind, versionPart } from './state';

/** Transactions of this domain; requests of the private ones travel in the transient map under `request`. */
export const transactions = {
  /** `of-<member>` write; WriteVersions. */
  write: 'ehr:write',
  /** Evaluate at the member's own peer; ReadHead; answers a HeadView as JSON. */
  head: 'ehr:head',
  /** Public write; argument: AnnounceErasure as JSON. Comes before any purge. */
  announce: 'ehr:erase-announce',
  /** `of-<member>` write; EraseVersions. */
  erase: 'ehr:erase',
  /** `of-<member>` write; ForgetKeys. */
  forget: 'ehr:forget',
} as const;

/** Most versions in one ehr:write, ehr:erase or ehr:head. */
export const MAX_ENTRIES = 2_000;
/** Days for which an Idempotency-Key is remembered, by the ledger's clock: afterwards it may be used anew. */
export const IDEMPOTENCY_DAYS = 30;
/** Most keys purged under one erasure. */
export const MAX_ERASED_KEYS = 1_000_000;
/** Longest ciphertext of one version, base64url characters (6 MiB of content). */
export const MAX_CIPHERTEXT_CHARACTERS = 8 * 1024 * 1024;
/** Shortest ciphertext: a GCM tag of 16 bytes. */
const TAG_CHARACTERS = 22;
/** Highest version of a resource. */
export const MAX_VERSION = 99_999_999;

/** What is stored of a version, as RFC 8785 JSON. A deletion is a version like any other, inside the ciphertext. */
export interface StoredValue {
  /** Format of this value. */
  readonly v: 1;
  /** 256 random bits. */
  readonly salt: string;
  /** AES-256-GCM with the tag at its end, base64url. */
  readonly ciphertext: string;
  /** SHA-256(version key, plaintext), lower-case hex. */
  readonly commitment: string;
}

/** One version to write. */
export interface VersionEntry {
  /** HMAC of `Type/id` under the member's look-up secret, lower-case hex. */
  readonly key: string;
  /** 1 for the first; else the one before must exist. */
  readonly version: number;
  readonly value: StoredValue;
}

/** ehr:write: all of it or nothing. */
export interface WriteVersions {
  /** HMAC of the client's Idempotency-Key under the member's look-up secret. */
  readonly idempotencyKey: string;
  /** HMAC of the client's request, by which a retry is told from another use of the same key. */
  readonly digest: string;
  readonly entries: readonly VersionEntry[];
  /** Further requests that share the transaction: the last entries are theirs, in their order. */
  readonly others?: readonly SharedRequest[] | undefined;
  /** What must not have been decided otherwise since the gateway looked. */
  readonly conditions?: readonly Condition[] | undefined;
  readonly salt: string;
}

/** A client's request among those of one ehr:write: each is remembered under its own key. */
export interface SharedRequest {
  readonly idempotencyKey: string;
  readonly digest: string;
  /** How many versions are its. */
  readonly entries: number;
}

/** Criteria that matched nothing when the gateway looked; whoever creates by the same ones takes turns here. */
export interface Condition {
  /** HMAC of the criteria under the member's look-up secret, lower-case hex. */
  readonly code: string;
  /** The transaction that last created by them, as far as the gateway had seen; absent = none. */
  readonly seen?: string | undefined;
}

/** ehr:head: what of this is there? */
export interface ReadHead {
  readonly entries: readonly { readonly key: string; readonly version: number }[];
  readonly idempotencyKeys: readonly string[];
}

/** What ehr:head answers, in the order asked. */
export interface HeadView {
  readonly entries: readonly boolean[];
  readonly idempotency: readonly (IdempotencyRecord | null)[];
}

/** ehr:erase-announce: says in public that so many keys will be purged, and why; nothing about whose. */
export interface AnnounceErasure {
  /** 256 random bits. */
  readonly erasureId: string;
  readonly reason: 'erasure' | 'rotation' | 'retention';
  /** How many keys will be purged under it. */
  readonly keys: number;
  /** RFC 9162 Merkle root over the hashes of the keys (lower-case hex, as blocks show them), in the order of the purges. */
  readonly root: string;
}

/** ehr:erase: purges a part of the versions under an erasure that this member announced; each part once. */
export interface EraseVersions {
  readonly erasureId: string;
  /** Parts are numbered from 0; each but the last has MAX_ENTRIES versions. */
  readonly part: number;
  readonly entries: readonly { readonly key: string; readonly version: number }[];
  readonly salt: string;
}

/** ehr:forget: lets go of idempotency keys whose time is over; one that is not there any more is passed over. */
export interface ForgetKeys {
  readonly idempotencyKeys: readonly string[];
}

/** Stored under purge/<erasureId>/<part>, in the transaction of the purges it counts. */
export interface PurgeRecord {
  readonly erasureId: string;
  readonly part: number;
  readonly keys: number;
  /** FHIR instant of the transaction. */
  readonly purged: string;
}

/** Stored under idempotency/<hmac>, in the transaction of the write it remembers. */
export interface IdempotencyRecord {
  readonly digest: string;
  readonly txId: string;
  /** How many versions it wrote. */
  readonly entries: number;
  /** FHIR instant of the transaction. */
  readonly at: string;
}

/** Stored under condition/<hmac>: the last create by these criteria. */
export interface ConditionRecord {
  readonly txId: string;
}

/** Stored in public under erasure/<erasureId>. */
export interface ErasureRecord {
  readonly erasureId: string;
  readonly member: string;
  readonly reason: 'erasure' | 'rotation' | 'retention';
  readonly keys: number;
  readonly root: string;
  /** FHIR instant of the transaction. */
  readonly announced: string;
}

/** Emitted by every ehr:erase; payload {erasureId, keys}. */
export const events = { erased: 'ehr:erased' } as const;

/** Why ehr refuses. */
export const refuse = refusals({
  'version-conflict': 'conflict',
  'duplicate-entry': 'invalid',
  'entries-missing': 'invalid',
  'already-done': 'conflict',
  'condition-changed': 'conflict',
  'idempotency-key-reused': 'invalid',
  'erasure-exists': 'conflict',
  'unknown-erasure': 'not-found',
  'not-your-erasure': 'forbidden',
  'too-many-keys': 'conflict',
  'part-done': 'conflict',
  'still-remembered': 'conflict',
});

/** The ledger's key of a version in `of-<member>`. */
export function versionKey(key: string, version: number): string {
  return keyOf(resourceKind, key, versionPart(version));
}

/** The ledger's key of an idempotency record in `of-<member>`. */
export function idempotencyKey(hmac: string): string {
  return keyOf(idempotencyKind, hmac);
}

/** Whether a key that was used at an instant may be used anew at another, both FHIR instants. */
export function isOver(used: string, now: string): boolean {
  return Date.parse(now) - Date.parse(used) > IDEMPOTENCY_DAYS * 86_400_000;
}

/** The public key of an announced erasure. */
export function erasureKey(erasureId: string): string {
  return keyOf(erasureKind, erasureId);
}

const version = integer(1, MAX_VERSION);
const position = object({ key: hex256, version });

const parseValue: Parser<StoredValue> = object<StoredValue>({
  v: (value, path) => integer(1, 1)(value, path) as 1,
  salt: hex256,
  ciphertext: base64url(TAG_CHARACTERS, MAX_CIPHERTEXT_CHARACTERS),
  commitment: hex256,
});

/** Parser of WriteVersions. */
export const parseWrite: Parser<WriteVersions> = object<WriteVersions>({
  idempotencyKey: hex256,
  digest: hex256,
  entries: list(object<VersionEntry>({ key: hex256, version, value: parseValue }), 1, MAX_ENTRIES),
  others: optional(
    list(
      object<SharedRequest>({ idempotencyKey: hex256, digest: hex256, entries: integer(1, MAX_ENTRIES) }),
      0,
      MAX_ENTRIES,
    ),
  ),
  conditions: optional(list(object<Condition>({ code: hex256, seen: optional(hex256) }), 0, MAX_ENTRIES)),
  salt: hex256,
});

/** Parser of ReadHead. */
export const parseHead: Parser<ReadHead> = object<ReadHead>({
  entries: list(position, 0, MAX_ENTRIES),
  idempotencyKeys: list(hex256, 0, MAX_ENTRIES),
});

/** Parser of ForgetKeys. */
export const parseForget: Parser<ForgetKeys> = object<ForgetKeys>({
  idempotencyKeys: list(hex256, 1, MAX_ENTRIES),
});

/** Parser of AnnounceErasure. */
export const parseAnnounce: Parser<AnnounceErasure> = object<AnnounceErasure>({
  erasureId: hex256,
  reason: oneOf('erasure', 'rotation', 'retention'),
  keys: integer(1, MAX_ERASED_KEYS),
  root: hex256,
});

/** Parser of EraseVersions. */
export const parseErase: Parser<EraseVersions> = object<EraseVersions>({
  erasureId: hex256,
  part: integer(0, MAX_ERASED_KEYS / MAX_ENTRIES - 1),
  entries: list(position, 1, MAX_ENTRIES),
  salt: hex256,
});

/** Between a FHIR version and what the ledger stores of it. Pure but for the randomness it is given. */
import { versionKey as ledgerKeyOf, type StoredValue, type VersionEntry } from '@salus/chaincode/ehr/api';

import { ON_LEDGER_LIMIT, setAside, type ContentFile } from '../keys/beside.js';
import { openContent, sealContent } from '../keys/content.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Actor, Authorship } from '../ports.js';
import { isResourceType } from '../projection/generated.js';
import { Unreadable } from '../projection/projector.js';

/** What is inside a version's ciphertext. */
export interface VersionContent {
  readonly type: string;
  readonly id: string;
  /** FHIR id of the Patient in whose compartment it lies. */
  readonly patient?: string;
  /** Absent in versions of a time when it was not kept. */
  readonly by?: Authorship;
  /** JSON text of the resource without meta.versionId and meta.lastUpdated; absent = a deletion. */
  readonly text?: string;
  /** What of its data is longer, in characters, lies beside the ledger; absent = all of it is here. */
  readonly beside?: number;
}

/** The secrets of one version: each used once. */
export interface VersionSecrets {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** The part of a resource's ledger keys that stands for its name, lower-case hex: only this member can make it. */
export function codeOf(keys: Pick<KeyStore, 'hmac'>, type: string, id: string): string {
  return keys.hmac('lookup', `${type}/${id}`);
}

/** A version as it is written. */
export interface MadeEntry {
  readonly entry: VersionEntry;
  /** The ledger's key it will lie under. */
  readonly ledgerKey: string;
  /** What is inside its ciphertext. */
  readonly plaintext: string;
  /** What its text names, to be kept before it is written. */
  readonly files: readonly ContentFile[];
}

/** One version as `ehr:write` takes it. */
export function toEntry(content: VersionContent, version: number, code: string, secrets: VersionSecrets): MadeEntry {
  const { written, files } = asWritten({ ...content, beside: ON_LEDGER_LIMIT }, secrets.key);
  const plaintext = plaintextOf(files.length === 0 ? content : written);
  const value: StoredValue = { v: 1, ...sealContent(plaintext, secrets.key, secrets.salt) };
  return { entry: { key: code, version, value }, ledgerKey: ledgerKeyOf(code, version), plaintext, files };
}

/** The stored value that this content, its long data in it, has under these secrets; always the same. */
export function toStoredValue(content: VersionContent, { key, salt }: VersionSecrets): StoredValue {
  return { v: 1, ...sealContent(plaintextOf(asWritten(content, key).written), key, salt) };
}

/** A version with names where its long data was. What else is kept in the collection is read whole from the ledger. */
function asWritten(
  content: VersionContent,
  key: Uint8Array,
): { readonly written: VersionContent; readonly files: readonly ContentFile[] } {
  const { type, text, beside } = content;
  if (text === undefined || beside === undefined || !isResourceType(type)) return { written: content, files: [] };
  const { text: named, files } = setAside(text, key, beside);
  return { written: { ...content, text: named }, files };
}

/** RFC 8785 bytes of a stored value, whose SHA-256 is the value hash in the block. */
export function storedBytes(value: StoredValue): Buffer {
  const { ciphertext, commitment, salt, v } = value;
  // Its members in RFC 8785 order; all are ASCII without anything to escape.
  return Buffer.from(JSON.stringify({ ciphertext, commitment, salt, v }));
}

/** How stored values are opened: by the key that was kept for this value in this place. */
export interface Opener {
  readonly keys: Pick<KeyStore, 'versionKey' | 'isErasedKey'>;
  readonly recent?: { take(ledgerKey: string, value: StoredValue): string | undefined };
}

/**
 * The plaintext of the stored value under a ledger key; undefined when it was erased. Throws Unreadable when no key was kept
 * for it there, or the key is not its own: the member's gateways keep it before they write.
 */
export function openStored(ledgerKey: string, bytes: Uint8Array, { keys, recent }: Opener): string | undefined {
  const value = readable(() => JSON.parse(Buffer.from(bytes).toString('utf8')) as StoredValue);
  const known = recent?.take(ledgerKey, value);
  if (known !== undefined) return known;
  const key = keys.versionKey(ledgerKey, Buffer.from(value.salt, 'hex'));
  if (key !== undefined) return readable(() => openContent(value, key));
  if (keys.isErasedKey(ledgerKey)) return undefined;
  throw new Unreadable('no key was kept for this value in this place');
}

/** What a version keeps of who wrote it, member by member always in the same order: the bytes are hashed. */
export function authorshipOf(actor: Actor, reason: readonly object[] | undefined): Authorship {
  const { member, user, role, purpose, patient, mandate } = actor;
  return {
    ...{ member, user, role, purpose },
    ...(patient === undefined ? {} : { patient }),
    ...(mandate === undefined ? {} : { mandate }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A line of JSON saying whose version it is and who wrote it, then the resource's text as it is, decimals untouched. */
function plaintextOf({ type, id, patient, by, beside, text }: VersionContent): string {
  const head = {
    type,
    id,
    ...(patient === undefined ? {} : { patient }),
    ...(by === undefined ? {} : { by }),
    ...(beside === undefined ? {} : { beside }),
    ...(text === undefined ? { deleted: true } : {}),
  };
  return `${JSON.stringify(head)}\n${text ?? ''}`;
}

/** The inverse of plaintextOf. Throws Unreadable. */
export function contentOf(plaintext: string): VersionContent {
  const end = plaintext.indexOf('\n');
  const { deleted, ...head } = readable(() => headOf(plaintext.slice(0, end)));
  return deleted === true ? head : { ...head, text: plaintext.slice(end + 1) };
}

/** Throws Error where it says nothing of which resource it is. */
function headOf(line: string): VersionContent & { readonly deleted?: true } {
  const head = JSON.parse(line) as Record<string, unknown>;
  const { type, id, patient = '' } = head;
  if (![type, id, patient].every((each) => typeof each === 'string')) throw new Error('no head of a version');
  return head as unknown as VersionContent;
}

/** Runs what reads content, which whoever holds the gateway's certificate may have written. */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Unreadable('no content of a version', { cause });
  }
}

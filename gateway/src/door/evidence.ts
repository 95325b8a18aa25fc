/** What lets a requester check a whole resource against the block: how its stored value was made. */
import { hash } from 'node:crypto';

import { parseKey } from '@salus/chaincode/registry/api';

import { isDutyLabel, isNotice } from '../consent/honoured.js';
import { storedBytes, toStoredValue } from '../ehr/translate.js';
import type { JsonObject } from '../fhir/json.js';
import { writtenText } from '../fhir/meta.js';
import type { Authorship } from '../ports.js';

const EVIDENCE_URL = 'urn:salus:evidence';

/** Travels as an extension of the Bundle entry. */
export interface Evidence {
  /** Key in the custodian's collection. */
  readonly ledgerKey: string;
  /** Base64url. */
  readonly versionKey: string;
  readonly salt: string;
  readonly txId: string;
  /** FHIR id of the Patient whose compartment it lies in; absent = none. */
  readonly patient?: string;
  /** Who wrote the version; absent where none was kept. */
  readonly by?: Authorship;
  /** What of its data is longer, in characters, lies beside the custodian's ledger: the version names those files by hash. */
  readonly beside?: number;
  /** How many labels and tags stand behind its own, put there for who asks: the rest is the version as it was written. */
  readonly added?: Added;
}

/** The extension of an entry that carries the evidence. */
export function evidenceExtension(evidence: Evidence): object {
  return { url: EVIDENCE_URL, valueString: JSON.stringify(evidence) };
}

/** The evidence an entry carries; undefined when it carries none that can be read. */
export function evidenceOf(entry: JsonObject): Evidence | undefined {
  const extensions = (entry.extension ?? []) as readonly { url?: unknown; valueString?: unknown }[];
  const text = extensions.find(({ url }) => url === EVIDENCE_URL)?.valueString;
  if (typeof text !== 'string') return undefined;
  try {
    const found = JSON.parse(text) as Partial<Evidence>;
    const whole = [found.ledgerKey, found.versionKey, found.salt, found.txId].every((each) => typeof each === 'string');
    return whole ? (found as Evidence) : undefined;
  } catch {
    return undefined;
  }
}

/** Numbers of what is added at the end of `meta.security` and `meta.tag`. */
export interface Added {
  readonly security: number;
  readonly tag: number;
}

/** A resource without what is added to it; undefined where that is anything but the labels and notices of a duty. */
export function withoutAdded(resource: JsonObject, added: Added): JsonObject | undefined {
  const { security = [], tag = [], ...meta } = (resource.meta ?? {}) as { security?: object[]; tag?: object[] };
  const [labels, ownLabels] = split(security, added.security);
  const [notices, ownTags] = split(tag, added.tag);
  if (!labels.every(isDutyLabel) || !notices.every(isNotice)) return undefined;
  const own: JsonObject = { ...meta, security: ownLabels, tag: ownTags };
  // Members stay in the order in which they were written; a list that is empty was not there.
  const names = Object.keys(resource.meta ?? {}).filter((name) => !isEmpty(own[name]));
  return { ...resource, meta: Object.fromEntries(names.map((name) => [name, own[name]])) };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** The last so many, and those before them. */
function split(list: readonly object[], last: number): readonly [readonly object[], readonly object[]] {
  const at = Math.max(0, list.length - last);
  return [list.slice(at), list.slice(0, at)];
}

/** Hex SHA-256 of the stored value that this resource (decimals exact) must have had on the ledger. */
function valueHash(resource: JsonObject, evidence: Evidence): string {
  const { resourceType, id } = resource as { resourceType: string; id: string };
  const content = {
    type: resourceType,
    id,
    ...(evidence.patient === undefined ? {} : { patient: evidence.patient }),
    ...(evidence.by === undefined ? {} : { by: evidence.by }),
    ...(typeof evidence.beside === 'number' ? { beside: evidence.beside } : {}),
    text: writtenText(resource, id),
  };
  const secrets = { key: Buffer.from(evidence.versionKey, 'base64url'), salt: Buffer.from(evidence.salt, 'base64url') };
  return sha256Hex(storedBytes(toStoredValue(content, secrets)));
}

/** A write as any member's peer sees it in a block. */
export interface HashedWrite {
  readonly collection?: string;
  readonly keyHash?: string;
  readonly valueHash?: string;
}

/** A transaction as the own peer's block has it; undefined when the peer does not know it. */
export type ReadTransaction = (
  txId: string,
) => Promise<{ readonly code: number; readonly writes: readonly HashedWrite[] } | undefined>;

/** Whether a valid transaction wrote exactly this version of the resource into the custodian's collection. */
export function agrees(
  resource: JsonObject,
  evidence: Evidence,
  custodian: string,
  transaction: Awaited<ReturnType<ReadTransaction>>,
): boolean {
  if (transaction?.code !== 0 || !isOfVersion(resource, evidence)) return false;
  const keyHash = sha256Hex(evidence.ledgerKey);
  const write = transaction.writes.find((each) => each.collection === `of-${custodian}` && each.keyHash === keyHash);
  const whole = evidence.added === undefined ? resource : withoutAdded(resource, evidence.added);
  if (whole === undefined || write?.valueHash === undefined) return false;
  return write.valueHash === valueHash(whole, evidence);
}

/** The number of a version is not in what is written, but in its key: an old version must not pass for another. */
function isOfVersion({ meta }: JsonObject, { ledgerKey }: Evidence): boolean {
  const { versionId } = (meta ?? {}) as { versionId?: string };
  const [, version] = parseKey(ledgerKey)?.attributes ?? [];
  return version !== undefined && Number(version) === Number(versionId);
}

function sha256Hex(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex');
}

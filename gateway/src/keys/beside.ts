/**
 * Long content beside the ledger (R4 binary.html, datatypes.html#attachment): each long `data` of a resource lies
 * encrypted in a file that is named by the hash of its bytes, and the version on the ledger names the file. Its key is
 * made of the version's key: whoever destroys the one destroys both. Pure.
 */
import { hash, hkdfSync } from 'node:crypto';

import { decrypt, encrypt, SECRET_BYTES } from './content.js';

/** Characters of `data` that lie on the ledger, in the version itself, at most. */
export const ON_LEDGER_LIMIT = 32_768;
/** How a member that is a string called data begins in the JSON text of a version. */
const DATA = '"data":"';
/** Stands where the data was: before its place among the files of the version, and the file's name. */
const NAMED = 'urn:salus:content:';
const NAME = /^urn:salus:content:(\d{1,6}):([0-9a-f]{64})$/;

/** What lies beside one version. */
export interface ContentFile {
  /** Hex SHA-256 of its bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A version's text as the ledger has it, and the files that it names. */
export interface SetAside {
  readonly text: string;
  readonly files: readonly ContentFile[];
}

/**
 * Puts names where data is longer than so many characters; the same text, limit and version key always give the same, by
 * which a reader checks it.
 */
export function setAside(text: string, versionKey: Uint8Array, limit: number): SetAside {
  const files: ContentFile[] = [];
  const named = withData(text, (data) => {
    // What is written like a name is set aside, too: a name that is read is one that was given here.
    if (data.length <= limit && !data.startsWith(NAMED)) return undefined;
    const place = files.length;
    const bytes = encrypt(Buffer.from(data), keyOf(versionKey, place));
    const name = hash('sha256', bytes, 'hex');
    files.push({ name, bytes });
    return `${NAMED}${place}:${name}`;
  });
  return { text: named, files };
}

/** Names of the files that a text names. */
export function namesIn(text: string): readonly string[] {
  const names: string[] = [];
  withData(text, (data) => {
    const [, , name] = NAME.exec(data) ?? [];
    if (name !== undefined) names.push(name);
    return undefined;
  });
  return names;
}

/** The text as it was set aside; undefined where a file is not there, is not whole, or is not of this version's key. */
export function joined(
  text: string,
  versionKey: Uint8Array,
  read: (name: string) => Uint8Array | undefined,
): string | undefined {
  let missing = 0;
  const whole = withData(text, (data) => {
    const [, place, name] = NAME.exec(data) ?? [];
    if (place === undefined || name === undefined || missing > 0) return undefined;
    const bytes = read(name);
    const opened = bytes === undefined ? undefined : openedOf(bytes, keyOf(versionKey, Number(place)));
    if (opened === undefined) missing += 1;
    return opened;
  });
  return missing === 0 ? whole : undefined;
}

/** What was changed, and what lies under another key, gives no authentic content (NIST SP 800-38D). */
function openedOf(bytes: Uint8Array, key: Uint8Array): string | undefined {
  try {
    return decrypt(bytes, key).toString('utf8');
  } catch {
    return undefined;
  }
}

/** The text with other strings in place of those called data; one with an escape is no base64 and stays. */
function withData(text: string, other: (data: string) => string | undefined): string {
  const parts: string[] = [];
  let done = 0;
  for (let at = text.indexOf(DATA); at >= 0; at = text.indexOf(DATA, at + 1)) {
    const start = at + DATA.length;
    const end = text.indexOf('"', start);
    if (end < 0) break;
    const data = text.slice(start, end);
    // Behind a backslash it is the end of a longer name.
    const instead = text[at - 1] === '\\' || data.includes('\\') ? undefined : other(data);
    if (instead === undefined) continue;
    parts.push(text.slice(done, start), instead);
    done = end;
    at = end;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(done);
}

/** Each place has a key of its own, used once: so the nonce may be the same. RFC 5869. */
function keyOf(versionKey: Uint8Array, place: number): Buffer {
  return Buffer.from(hkdfSync('sha256', versionKey, '', `content/${place}`, SECRET_BYTES));
}

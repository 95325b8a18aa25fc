/** Ids of the Provenance that is derived of a version. Nothing of a patient's number in `care` is in one. Pure. */
import { hash } from 'node:crypto';

import { versionKey } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { StoredVersion } from '../ports.js';

/** Hex characters of a code: enough that no two versions share them, few enough for an id of R4. */
const CODE_LENGTH = 48;
/** What keys of clinical versions and of consents' begin with. */
const [RESOURCE, CONSENT] = ['resource', 'consent'];
/** Longest id of R4 (datatypes.html#id). */
const LONGEST_ID = 64;

/** The id; undefined for what is no version of the ledger, such as a Provenance that is derived itself. */
export function provenanceId({ type, id, version, ledgerKey }: NamedVersion): string | undefined {
  const { name, attributes: [code = ''] = [] } = parseKey(ledgerKey) ?? {};
  if (name === RESOURCE) return `v${version}-${code.slice(0, CODE_LENGTH)}`;
  return name === CONSENT && type === 'Consent' ? consentProvenanceId(id, version) : undefined;
}

/** What of a version its Provenance is named by. */
type NamedVersion = Pick<StoredVersion, 'type' | 'id' | 'version' | 'ledgerKey'>;

/** By the consent's id, or by its hash where the id is too long. */
function consentProvenanceId(id: string, version: number): string {
  const plain = `consent-v${version}-${id}`;
  if (plain.length <= LONGEST_ID) return plain;
  return `consents-v${version}-${hash('sha256', id, 'hex').slice(0, CODE_LENGTH - String(version).length)}`;
}

/** Where the version that a derived Provenance's id names is found. */
export type ProvenanceOf =
  | {
      readonly kind: 'clinical';
      /** What the version's key starts with. */
      readonly keyStart: string;
    }
  | { readonly kind: 'consent'; readonly version: number; readonly id: string }
  /** A consent whose id is too long to stand in one: its version is looked for among all. */
  | { readonly kind: 'some-consent'; readonly version: number };

/** Undefined for an id that is given to no derived Provenance. */
export function provenanceOfId(id: string): ProvenanceOf | undefined {
  const [, number, code] = /^v([1-9]\d{0,7})-([0-9a-f]{48})$/.exec(id) ?? [];
  if (number !== undefined && code !== undefined) {
    const key = versionKey(code, Number(number));
    return { kind: 'clinical', keyStart: key.slice(0, key.indexOf(code) + code.length) };
  }
  const [, plural, version, rest = ''] = /^consent(s?)-v([1-9]\d{0,7})-([A-Za-z0-9.-]{1,64})$/.exec(id) ?? [];
  if (version === undefined) return undefined;
  if (plural === '') return { kind: 'consent', version: Number(version), id: rest };
  return /^[0-9a-f]{40,47}$/.test(rest) ? { kind: 'some-consent', version: Number(version) } : undefined;
}

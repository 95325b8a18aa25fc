/** Ids of the Provenance that is derived of a version: its number and the start of its code in the ledger's key. */
import { versionKey } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

/** Hex characters of the code: enough that no two versions share them, few enough for an id of R4. */
const CODE_LENGTH = 48;
/** What keys of versions begin with. */
const RESOURCE = 'resource';

/** The id; undefined for a key that is no version's. */
export function provenanceId(ledgerKey: string): string | undefined {
  const { name, attributes: [code = '', version = ''] = [] } = parseKey(ledgerKey) ?? {};
  return name === RESOURCE ? `v${Number(version)}-${code.slice(0, CODE_LENGTH)}` : undefined;
}

/** What the version's key starts with; undefined for an id that is given to no derived Provenance. */
export function keyStartOf(id: string): string | undefined {
  const [, version, code] = /^v([1-9]\d{0,7})-([0-9a-f]{48})$/.exec(id) ?? [];
  if (version === undefined || code === undefined) return undefined;
  const key = versionKey(code, Number(version));
  return key.slice(0, key.indexOf(code) + code.length);
}

/** What packs and containers are called: as EPC by people, as HMAC under their lot's secret on the ledger. */
import { createHmac, createSecretKey } from 'node:crypto';

import { canonicalForm } from '../../identity/statements.js';
import type { Directory } from '../../registry/directory.js';
import { formatLink, type Link, parseLink } from '../gs1/digital-link.js';
import { canonicalEpc } from '../gs1/epc.js';
import type { LotTerms } from './stored.js';

/** GTIN and serial of a pack, from its canonical Digital Link; undefined for what is no pack. */
export function packOf(epc: string): { readonly gtin: string; readonly serial: string } | undefined {
  const link = parseLink(epc);
  return link?.ai === '01' && link.qualifier?.ai === '21'
    ? { gtin: link.key, serial: link.qualifier.value }
    : undefined;
}

/** The canonical Digital Link of a pack. */
export function packEpc(gtin: string, serial: string): string {
  return formatLink({ ai: '01', key: gtin, qualifier: { ai: '21', value: serial } } satisfies Link);
}

/** The ledger's id of a pack or container, hex: nobody without the lot's secret makes it from what is printed. */
export function itemId(secret: string, epc: string): string {
  return itemIdsUnder(secret)(epc);
}

/** The ids of many under one secret: a key made ready once takes a seventh of the time. */
export function itemIdsUnder(secret: string): (epc: string) => string {
  const key = createSecretKey(secret, 'hex');
  return (epc) => createHmac('sha256', key).update(epc).digest('hex');
}

/** Under what the tree of a container's content is made, hex: the same again after a kill. */
export function treeSeed(secret: string, epc: string): string {
  return createHmac('sha256', createSecretKey(secret, 'hex')).update(`tree\n${epc}`).digest('hex');
}

/** What of a lot's terms goes from door to door, and nothing else that a teller may have added. */
export function termsOf({ lotId, gtin, batch, expiry, issuer, product }: LotTerms): LotTerms {
  return { lotId, gtin, batch, expiry, issuer, ...(product === undefined ? {} : { product }) };
}

/** The ledger's commitment to a lot's terms, hex: product and number are bound to the lot, and shown to who has its secret. */
export function termsDigest(secret: string, terms: LotTerms): string {
  const text = `terms\n${canonicalForm(termsOf(terms))}`;
  return createHmac('sha256', createSecretKey(secret, 'hex')).update(text).digest('hex');
}

/** The member that holds the company prefix of a GTIN; undefined where none does. */
export function licenseeOf(directory: Pick<Directory, 'names' | 'gs1'>, gtin: string): string | undefined {
  return directory.names.find((name) => directory.gs1(name).gcp.some((prefix) => isUnderPrefix(gtin, prefix)));
}

/** Whether a GTIN was made under a company prefix: its first digit only says how it is packed. */
export function isUnderPrefix(gtin: string, prefix: string): boolean {
  return gtin.slice(1).startsWith(prefix);
}

/** The member with this party GLN, in any spelling. */
export function memberOfParty(directory: Pick<Directory, 'names' | 'gs1'>, party: string): string | undefined {
  const wanted = canonicalEpc(party);
  if (wanted === undefined) return undefined;
  return directory.names.find((name) => canonicalEpc(directory.gs1(name).pgln ?? '') === wanted);
}

/** Whether this is 32 bytes in hex: an id, a salt or a digest. */
export function isHex(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

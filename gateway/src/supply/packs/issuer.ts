/** Asks whoever issued a pack for its terms: product and serial are the proof that one holds it. */
import type { Lot, Origin, PrefixAuthority } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';
import type { Directory } from '../../registry/directory.js';
import { PUBLIC_SPACE, publicRecord } from '../project.js';
import type { OpenedLot } from './handover.js';
import { isHex, isUnderPrefix, itemId, licenseeOf, packEpc, packOf, termsDigest } from './identity.js';
import type { KnownItem, PackShelf, ShelfPorts } from './shelf.js';
import type { UnitTerms } from './stored.js';

/** Path of the question for a pack below a door's base. */
export const VERIFY_PATH = '$supply-verify';
/** Path of the question for a lot by its number. */
export const LOT_PATH = '$supply-lot';
/** Longest such question, bytes. */
export const LOT_BYTES = 256;

/** What an issuer tells of one pack. */
export interface Told extends OpenedLot {
  readonly unit: UnitTerms;
  /** The container it was shipped in, as long as nobody took it out: its state and custody are that one's. */
  readonly within?: Origin['within'];
}

/** What one asks another member's door; undefined where it shows nothing. Throws when it cannot be asked. */
export type AskDoor = (member: string, path: string, question: object) => Promise<unknown>;

/** How the issuer of a pack is found by its company prefix, and asked. */
export interface IssuerPorts {
  readonly member: string;
  readonly shelf: PackShelf;
  readonly directory: Pick<Directory, 'names' | 'gs1'>;
  readonly projection: ShelfPorts['projection'];
  readonly ask: AskDoor;
}

/**
 * A pack by GTIN and serial: as known here, or as the licensee of its company prefix tells, or whom it authorised; undefined
 * where nobody does. Throws Refusal unavailable where one of them who might cannot be asked.
 */
export async function lookUp(ports: IssuerPorts, gtin: string, serial: string): Promise<KnownItem | undefined> {
  const epc = packEpc(gtin, serial);
  const known = ports.shelf.find(epc);
  // Who carries a pack knows nothing of it but its name.
  if (known?.terms !== undefined) return known;
  const told = await askIssuers<Told>(ports, gtin, VERIFY_PATH, { gtin, serial }, isWhole);
  if (told === undefined) return known;
  const { lotId, index, path } = told.unit;
  const within = told.within === undefined ? {} : { within: told.within };
  return { epc, item: itemId(told.secret, epc), terms: told.terms, origin: { lotId, index, path, ...within } };
}

/**
 * The id of a lot by GTIN and number: as known here, or as whoever committed it under the company prefix tells its licensee and
 * the regulator. Throws Refusal unavailable where one of them who might have cannot be asked.
 */
export async function lookUpLot(ports: IssuerPorts, gtin: string, batch: string): Promise<string | undefined> {
  const known = ports.shelf.lotIdOf(gtin, batch);
  if (known !== undefined) return known;
  const isIt = (told: Partial<OpenedLot>): boolean => isCommitted(ports, told, gtin, batch);
  return (await askIssuers<OpenedLot>(ports, gtin, LOT_PATH, { gtin, lot: batch }, isIt))?.terms.lotId;
}

/** Whether the ledger's lot is committed to this product and number: nobody's word alone says which lot is recalled. */
function isCommitted(
  { projection }: IssuerPorts,
  { terms, secret }: Partial<OpenedLot>,
  gtin: string,
  batch: string,
): boolean {
  if (terms?.gtin !== gtin || terms.batch !== batch || !isHex(secret)) return false;
  const lot = publicRecord(projection, `lot/${terms.lotId}`) as Lot | undefined;
  return lot?.terms === termsDigest(secret ?? '', terms) && isUnderPrefix(gtin, lot.prefix);
}

function isWhole({ unit, secret, terms }: Partial<Told>): boolean {
  return unit !== undefined && secret !== undefined && terms !== undefined;
}

/**
 * Who may have committed a pack of this GTIN: the licensee of its company prefix first, then whom it authorised to commit lots
 * under it, though that ended since.
 */
function issuersOf(
  { directory, projection }: Pick<IssuerPorts, 'directory' | 'projection'>,
  gtin: string,
): readonly string[] {
  const licensee = licenseeOf(directory, gtin);
  if (licensee === undefined) return [];
  const authorised = projection
    .facts(PUBLIC_SPACE, 'prefix/')
    .map(({ value }) => JSON.parse(value) as PrefixAuthority)
    .filter((each) => each.licensee === licensee && isUnderPrefix(gtin, each.prefix));
  return [licensee, ...authorised.map(({ member }) => member)];
}

/** The first answer that is one, of those who may have committed what is asked for. Throws Refusal unavailable. */
async function askIssuers<T extends object>(
  ports: IssuerPorts,
  gtin: string,
  path: string,
  question: object,
  isAnswer: (told: Partial<T>) => boolean,
): Promise<T | undefined> {
  let isAway = false;
  for (const issuer of issuersOf(ports, gtin).filter((each) => each !== ports.member)) {
    try {
      const told = (await ports.ask(issuer, path, question)) as Partial<T> | undefined;
      if (told !== undefined && isAnswer(told)) return told as T;
    } catch {
      isAway = true;
    }
  }
  if (!isAway) return undefined;
  const words = 'whoever issued it cannot be asked now: nothing was done, try again';
  throw new Refusal('unavailable', 'issuer-away', words);
}

/** A pack or container by its canonical EPC, as `lookUp` finds it. Throws Refusal for what nobody committed. */
export async function knownItem(ports: IssuerPorts, epc: string): Promise<KnownItem> {
  const pack = packOf(epc);
  const here = ports.shelf.find(epc);
  const known = here ?? (pack === undefined ? undefined : await lookUp(ports, pack.gtin, pack.serial));
  if (known === undefined) throw new Refusal('not-found', 'unknown-item', 'nobody committed it to the ledger');
  return known;
}

/**
 * Answers such a question about a pack that this member issued, or whose company prefix it holds; an empty answer for any other:
 * whoever else had a pack in hand does not say so. Undefined for what is no question.
 */
export function tell(
  { member, shelf, directory }: Pick<IssuerPorts, 'member' | 'shelf' | 'directory'>,
  body: string,
): Partial<Told> | undefined {
  const question = parse(body, 'serial');
  if (question === undefined) return undefined;
  const unit = shelf.unit(packEpc(question.gtin, question.number));
  const lot = unit === undefined ? undefined : openedLot(shelf, unit.lotId);
  if (unit === undefined || lot === undefined) return {};
  if (lot.terms.issuer !== member && licenseeOf(directory, lot.terms.gtin) !== member) return {};
  const within = shelf.find(unit.epc)?.origin?.within;
  return { ...lot, unit, ...(within === undefined ? {} : { within }) };
}

function openedLot(shelf: PackShelf, lotId: string): OpenedLot | undefined {
  const [terms, secret] = [shelf.lot(lotId), shelf.secret(lotId)];
  return terms === undefined || secret === undefined ? undefined : { terms, secret };
}

/** Answers the licensee of a product and the regulator with the terms of a lot of its own; nobody else, and nothing of others' lots. */
export function tellLot(
  { member, shelf, directory }: Pick<IssuerPorts, 'member' | 'shelf'> & { readonly directory: Directory },
  teller: string,
  body: string,
): Partial<OpenedLot> | undefined {
  const question = parse(body, 'lot');
  if (question === undefined) return undefined;
  const { gtin, number } = question;
  if (licenseeOf(directory, gtin) !== teller && !directory.roles(teller).includes('regulator')) return undefined;
  const lot = openedLot(shelf, shelf.lotIdOf(gtin, number) ?? '');
  return lot?.terms.issuer === member ? lot : {};
}

function parse(body: string, name: 'serial' | 'lot'): { readonly gtin: string; readonly number: string } | undefined {
  try {
    const { gtin, [name]: number } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    const isRight = typeof gtin === 'string' && typeof number === 'string' && /^\d{14}$/.test(gtin);
    return isRight && number.length <= 20 ? { gtin, number } : undefined;
  } catch {
    return undefined;
  }
}

/** Asks whoever issued a pack for its terms: product and serial are the proof that one holds it. */
import type { Origin } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';
import type { Directory } from '../../registry/directory.js';
import type { OpenedLot } from './handover.js';
import { itemId, licenseeOf, packEpc, packOf } from './identity.js';
import type { KnownItem, PackShelf } from './shelf.js';
import type { UnitTerms } from './stored.js';

/** Path of the question below a door's base. */
export const VERIFY_PATH = '$supply-verify';

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
  readonly ask: AskDoor;
}

/**
 * A pack by GTIN and serial: as known here, or as the licensee of its company prefix tells; undefined where nobody does.
 * Throws Refusal unavailable where the licensee cannot be asked.
 */
export async function lookUp(ports: IssuerPorts, gtin: string, serial: string): Promise<KnownItem | undefined> {
  const epc = packEpc(gtin, serial);
  const known = ports.shelf.find(epc);
  // Who carries a pack knows nothing of it but its name.
  if (known?.terms !== undefined) return known;
  const issuer = licenseeOf(ports.directory, gtin);
  if (issuer === undefined || issuer === ports.member) return known;
  const told = (await askIssuer(ports, issuer, { gtin, serial })) as Partial<Told> | undefined;
  if (told?.unit === undefined || told.secret === undefined || told.terms === undefined) return known;
  const { lotId, index, path } = told.unit;
  const within = told.within === undefined ? {} : { within: told.within };
  return { epc, item: itemId(told.secret, epc), terms: told.terms, origin: { lotId, index, path, ...within } };
}

async function askIssuer({ ask }: IssuerPorts, issuer: string, question: object): Promise<unknown> {
  try {
    return await ask(issuer, VERIFY_PATH, question);
  } catch {
    throw new Refusal(
      'unavailable',
      'issuer-away',
      'whoever issued it cannot be asked now: nothing was done, try again',
    );
  }
}

/** A pack or container by its canonical EPC, as `lookUp` finds it. Throws Refusal for what nobody committed. */
export async function knownItem(ports: IssuerPorts, epc: string): Promise<KnownItem> {
  const pack = packOf(epc);
  const here = ports.shelf.find(epc);
  const known = here ?? (pack === undefined ? undefined : await lookUp(ports, pack.gtin, pack.serial));
  if (known === undefined) throw new Refusal('not-found', 'unknown-item', 'nobody committed it to the ledger');
  return known;
}

/** Answers such a question; an empty answer for a pack of which nothing is known. Undefined for what is no question. */
export function tell(shelf: PackShelf, body: string): Partial<Told> | undefined {
  const question = parse(body);
  if (question === undefined) return undefined;
  const unit = shelf.unit(packEpc(question.gtin, question.serial));
  const [terms, secret] = unit === undefined ? [] : [shelf.lot(unit.lotId), shelf.secret(unit.lotId)];
  if (unit === undefined || terms === undefined || secret === undefined) return {};
  const within = shelf.find(unit.epc)?.origin?.within;
  return { terms, secret, unit, ...(within === undefined ? {} : { within }) };
}

function parse(body: string): { readonly gtin: string; readonly serial: string } | undefined {
  try {
    const { gtin, serial } = JSON.parse(body) as { readonly gtin?: unknown; readonly serial?: unknown };
    const isRight = typeof gtin === 'string' && typeof serial === 'string' && /^\d{14}$/.test(gtin);
    return isRight && serial.length <= 20 ? { gtin, serial } : undefined;
  } catch {
    return undefined;
  }
}

/** What a handover tells, each part held against the ledger: nobody's word alone changes what is known here. */
import { type Climate, isIncluded, type Lot } from '@salus/chaincode/supply/api';

import { digestOf } from '../cold/readings.js';
import { publicRecord } from '../project.js';
import type { Ledger } from '../../ports.js';
import { treeOf } from './content.js';
import type { Handover, OpenedLot, ToldReadings } from './handover.js';
import { isUnderPrefix, itemId, packEpc, packOf, termsDigest } from './identity.js';
import type { PackShelf, ShelfPorts } from './shelf.js';
import { statusOf } from './status.js';
import type { ContainerTerms, KeptReadings, UnitTerms } from './stored.js';

/** What it is held against. */
export interface TellingPorts {
  readonly ledger: Pick<Ledger, 'evaluate'>;
  readonly shelf: Pick<PackShelf, 'container' | 'find' | 'lotIdOf' | 'secret' | 'unit'>;
  readonly projection: Pick<ShelfPorts['projection'], 'fact'>;
}

/** The lot as the ledger has it, if these terms are what its issuer committed; one without a pack is taken from nobody. */
export async function committedLot(
  ledger: Pick<Ledger, 'evaluate'>,
  { terms, secret }: OpenedLot,
  unit: UnitTerms | undefined,
): Promise<Lot | undefined> {
  if (unit === undefined) return undefined;
  const { lotId, index, path } = unit;
  const { lot } = await statusOf(ledger, { item: itemId(secret, unit.epc), origin: { lotId, index, path } });
  if (lot?.lotId !== terms.lotId || lot.issuer !== terms.issuer || lot.expiry !== terms.expiry) return undefined;
  const isCommitted = lot.terms === termsDigest(secret, terms) && isUnderPrefix(terms.gtin, lot.prefix);
  return isCommitted ? lot : undefined;
}

/** Whether the lot holds this pack. */
export function isProven({ epc, index, path }: UnitTerms, { terms, secret }: OpenedLot, lot: Lot): boolean {
  const pack = packOf(epc);
  if (pack?.gtin !== terms.gtin || packEpc(pack.gtin, pack.serial) !== epc) return false;
  const siblings = path.map((each) => Buffer.from(each, 'hex'));
  return isIncluded(Buffer.from(lot.root, 'hex'), Buffer.from(itemId(secret, epc), 'hex'), index, lot.count, siblings);
}

/** Whether no lot takes the number, or a pack, of another one that is known here, and no container another's name. */
export function isOfNoOther({ shelf }: Pick<TellingPorts, 'shelf'>, { lots, units, containers }: Handover): boolean {
  const isNumber = ({ terms: { gtin, batch, lotId } }: OpenedLot): boolean =>
    (shelf.lotIdOf(gtin, batch) ?? lotId) === lotId;
  return (
    lots.every(isNumber) &&
    units.every(({ epc, lotId }) => (shelf.unit(epc)?.lotId ?? lotId) === lotId) &&
    containers.every(({ epc, item }) => (shelf.container(epc)?.item ?? item) === item)
  );
}

/** Whether each container is the ledger's, with these things in it. */
export async function areContainersTrue(ports: TellingPorts, { lots, units, containers }: Handover): Promise<boolean> {
  const told = new Map(lots.map(({ terms, secret }) => [terms.lotId, secret]));
  const secretOf = (lotId: string): string => told.get(lotId) ?? ports.shelf.secret(lotId) ?? '';
  const ids = new Map<string, string>(units.map(({ epc, lotId }) => [epc, itemId(secretOf(lotId), epc)]));
  for (const { epc, item } of containers) ids.set(epc, item);
  const idOf = (epc: string): string | undefined => ids.get(epc) ?? ports.shelf.find(epc)?.item;
  for (const each of containers) {
    // Under a lot of which nothing is left inside: its secret is none of the receiver's, and the name stays unproven.
    const secret = secretOf(each.lots[0] ?? '');
    const isNamed = secret === '' || each.item === itemId(secret, each.epc);
    if (!isNamed || !areInside(each, idOf) || !(await isPacked(ports, each))) return false;
  }
  return true;
}

function areInside({ children, items }: ContainerTerms, idOf: (epc: string) => string | undefined): boolean {
  const inside = new Set<string | undefined>(items);
  return children.every((epc) => inside.has(idOf(epc) ?? ''));
}

async function isPacked({ ledger }: TellingPorts, container: ContainerTerms): Promise<boolean> {
  const { item, lots } = container;
  const { item: found } = await statusOf(ledger, { item });
  return found?.children?.root === treeOf(container).root.toString('hex') && found.lots.join() === lots.join();
}

/** The batches that the ledger's chain of their item names; where others are named, or some left out, it is another chain. */
export function trueReadings(
  { projection }: Pick<TellingPorts, 'projection'>,
  readings: readonly ToldReadings[],
): readonly KeptReadings[] {
  return readings.flatMap(({ item, digests, signed }) => {
    const chain = digests.reduce((before, digest) => digestOf(before + digest), '');
    const climate = publicRecord(projection, `climate/${item}`) as Climate | undefined;
    const named = new Set(climate?.chain === chain ? digests : []);
    return signed
      .map((each) => ({ item, digest: digestOf(each), signed: each }))
      .filter(({ digest }) => named.has(digest));
  });
}

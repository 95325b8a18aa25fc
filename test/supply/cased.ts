/** A case of three packs, on a double of the ledger and as its issuer's gateway keeps it. */
import { checkDigit } from '@salus/gateway/supply/gs1/check-digit';
import { itemId, packEpc, termsDigest } from '@salus/gateway/supply/packs/identity';
import { PACK_TYPES } from '@salus/gateway/supply/packs/stored';

import { type ContractWorld, random } from '../support/contract-world.js';
import type { MemberShelf } from './member-shelf.js';
import { call, EXPIRY, PREFIX, regulator, sealed, Tree } from './world.js';

const GTIN = `0${PREFIX}00001${checkDigit(`0${PREFIX}00001`)}`;
/** What is printed on the case. */
export const CASE = 'https://id.gs1.org/00/040123450000003338';

/** A case that acme made and is to ship to stmary. */
export type Cased = Awaited<ReturnType<typeof cased>>;

/** Commits and packs it; the first of its packs is what is set apart. */
export async function cased(world: ContractWorld, acme: MemberShelf, storage?: object) {
  const [lotId, secret, salt] = [random(), random(), random()];
  const serials = ['A', 'B', 'C'];
  const epcs = serials.map((serial) => packEpc(GTIN, serial));
  const tree = new Tree(epcs.map((epc) => itemId(secret, epc)));
  const terms = { lotId, gtin: GTIN, batch: 'L1', expiry: EXPIRY, issuer: 'acme' };
  const lot = { lotId, prefix: PREFIX, count: 3, root: tree.root, expiry: EXPIRY };
  await world.submit('acme', 'supply:commit', call({ ...lot, storage, terms: termsDigest(secret, terms) }));
  const container = {
    epc: CASE,
    item: itemId(secret, CASE),
    lots: [lotId],
    children: epcs,
    items: tree.ids,
    seed: tree.seed,
  };
  const packing = { container: container.item, children: tree.content(true), lots: [lotId], salt };
  await world.submit('acme', 'supply:pack', call({ ...packing, moved: [] }));
  acme.secrets.keep({ [`lot/${lotId}`]: secret });
  await acme.keep([
    { type: PACK_TYPES.lot, value: { ...terms, serials } },
    { type: PACK_TYPES.container, value: container },
  ]);
  const [epc = ''] = epcs;
  const known = acme.shelf.find(epc);
  const receiver = sealed('stmary');
  const held = { of: 'item', id: known?.item, standing: 'held', origin: known?.origin };
  return {
    ...{ epc, item: known?.item ?? '', origin: known?.origin, case: container.item, salt, receiver },
    /** The regulator sets the first pack apart. */
    hold: () => world.submit('authority', 'supply:quarantine', call(held, regulator)),
    ship: () => world.submit('acme', 'supply:act', call({ act: 'ship', item: container.item, salt, to: receiver.to })),
  };
}

/** What a shipment of the case is, as handovers are made of it. */
export function shippedIn({ receiver }: Cased) {
  return { salts: new Map([[CASE, receiver.salt]]), receivers: new Set([receiver.to]) };
}

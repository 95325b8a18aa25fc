/** What a member commits anew: lots with their secrets and trees, and containers. */
import { randomBytes } from 'node:crypto';

import { type CommitLot, MAX_UNITS, merkleRoot, type PackContainer } from '@salus/chaincode/supply/api';

import type { NamedSecrets } from '../../keys/named-secrets.js';
import { Refusal } from '../../ledger/refusal.js';
import type { Directory } from '../../registry/directory.js';
import { saltApart } from './apart.js';
import {
  isUnderPrefix,
  itemId,
  itemIdsUnder,
  licenseeOf,
  packEpc,
  termsDigest,
  termsOf,
  treeSeed,
} from './identity.js';
import { treeOf } from './content.js';
import type { KnownItem, PackShelf } from './shelf.js';
import type { CommitStep, PackStep } from './steps.js';
import type { ContainerTerms, IssuedLot } from './stored.js';

interface MakingPorts {
  readonly member: string;
  readonly shelf: PackShelf;
  readonly secrets: NamedSecrets;
  readonly directory: Pick<Directory, 'names' | 'gs1'>;
}

/** Name of the secret that is the id of a lot under way. */
export function draftOf(gtin: string, batch: string): string {
  return `draft/${gtin}/${batch}`;
}

/** A lot's own copy of the terms, its secret, and what goes on the ledger. Throws Refusal for packs known already. */
export function newLot(
  { member, shelf, directory, secrets }: MakingPorts,
  { gtin, batch, expiry, serials, storage, product }: CommitStep,
): {
  readonly lot: IssuedLot;
  readonly secret: string;
  readonly request: Omit<CommitLot, 'storage'> & Pick<CommitStep, 'storage'>;
} {
  if (shelf.lotIdOf(gtin, batch) !== undefined || serials.some((each) => shelf.unit(packEpc(gtin, each)))) {
    throw new Refusal('conflict', 'lot-exists', 'this lot, or a pack of it, was committed before');
  }
  const licensee = licenseeOf(directory, gtin) ?? member;
  const prefix = directory.gs1(licensee).gcp.find((each) => isUnderPrefix(gtin, each)) ?? gtin.slice(1, 8);
  // What was drawn before the gateway was killed is the lot's for good: two ids for one pack would make it two packs.
  const lotId = secrets.find(draftOf(gtin, batch)) ?? randomBytes(32).toString('hex');
  const secret = secrets.find(`lot/${lotId}`) ?? randomBytes(32).toString('hex');
  const idOf = itemIdsUnder(secret);
  const root = rootOf(serials.map((serial) => idOf(packEpc(gtin, serial))));
  const terms = termsOf({ lotId, gtin, batch, expiry, issuer: member, product });
  return {
    lot: { ...terms, serials },
    secret,
    request: {
      lotId,
      prefix,
      count: serials.length,
      root,
      expiry,
      terms: termsDigest(secret, terms),
      ...(storage === undefined ? {} : { storage }),
    },
  };
}

/** A container's own copy, and what goes on the ledger. Throws Refusal for children that are not known here. */
export function newContainer(
  { member, shelf, secrets }: MakingPorts,
  { container: epc, children }: PackStep,
): { readonly terms: ContainerTerms; readonly request: PackContainer } {
  if (children.length > MAX_UNITS)
    throw new Refusal('invalid', 'incomplete-act', `at most ${MAX_UNITS} things are packed at once`);
  const known = children.map((child) => knownChild(shelf, child));
  const lots = [...new Set(known.flatMap((child) => lotsOf(shelf, child)))];
  const items = known.map(({ item }) => item);
  // Who acted on a child by itself holds a salt of its own for it, and so does who owns what another set apart: that child has
  // a record on the ledger.
  const moved = known.flatMap(({ epc: child, item }) => {
    const salt = secrets.find(`own/${item}`) ?? saltApart({ member, shelf }, child);
    return salt === undefined ? [] : [{ item, salt }];
  });
  const secret = shelf.secret(lots[0] ?? '') ?? '';
  const container = itemId(secret, epc);
  const seed = treeSeed(secret, epc);
  const request = {
    container,
    children: { root: treeOf({ items, seed }).root.toString('hex'), others: moved.length < items.length },
    lots,
    moved,
    // One that opens the container already must not give way: packing it again is refused.
    salt: secrets.find(`own/${container}`) ?? randomBytes(32).toString('hex'),
  };
  return { terms: { epc, item: container, lots, children, items, seed }, request };
}

function knownChild(shelf: PackShelf, epc: string): KnownItem {
  const known = shelf.find(epc);
  if (known === undefined) throw new Refusal('not-found', 'unknown-item', 'a child was never committed to the ledger');
  return known;
}

function lotsOf(shelf: PackShelf, { epc, terms }: KnownItem): readonly string[] {
  return terms === undefined ? (shelf.container(epc)?.lots ?? []) : [terms.lotId];
}

function rootOf(ids: readonly string[]): string {
  return merkleRoot(ids.map((id) => Buffer.from(id, 'hex'))).toString('hex');
}

/** What a member keeps of an item that was put in quarantine, by itself or by another: the contracts set it apart, with a record of its own. */
import { commitmentOf } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { KnownItem, PackShelf } from './shelf.js';
import { PACK_TYPES } from './stored.js';

interface ApartPorts {
  readonly member: string;
  readonly shelf: PackShelf;
  readonly secrets: NamedSecrets;
  readonly keep: Keep;
}

/** Whether the salt opens the item as this member's own; where none is known, whether it issued it. */
export function isOwn(
  { member, shelf }: Pick<ApartPorts, 'member' | 'shelf'>,
  { epc, terms }: KnownItem,
  opened: string | undefined,
): boolean {
  return opened === undefined ? terms?.issuer === member : shelf.salts(epc, ['own']).includes(opened);
}

/** Keeps what opens an own item by itself, and that it lies in no container any more. */
export async function keepApart(
  { shelf, secrets, keep }: ApartPorts,
  { epc, item }: KnownItem,
  salt: string,
): Promise<void> {
  secrets.keep({ [`own/${item}`]: salt });
  if (shelf.packedIn(epc) !== undefined) await keep([{ type: PACK_TYPES.unpacked, value: [epc] }]);
}

/**
 * Keeps what opened an item as its holder's, where that is a carrier's: what lay in a container it carries stands alone now, and
 * goes on by its own code.
 */
export async function keepCarried(
  { shelf, secrets, keep }: ApartPorts,
  { epc, item }: KnownItem,
  opened: string | undefined,
): Promise<void> {
  const name = `carry/${item}`;
  if (opened === undefined || secrets.find(name) === opened || shelf.salts(epc, ['own']).includes(opened)) return;
  secrets.keep({ [name]: opened });
  if (shelf.find(epc) === undefined) await keep([{ type: PACK_TYPES.carried, value: [{ epc, item }] }]);
}

/**
 * Whether an item goes with a shipment of the container it was packed in: it lies there, or it was set apart from it since, and
 * the ledger has it on its way to the same receiver, whose commitment is the shipment's alone.
 */
export function goesAlong(
  shelf: Pick<PackShelf, 'parentOf' | 'record'>,
  child: string,
  container: string,
  receivers: ReadonlySet<string>,
): boolean {
  return shelf.parentOf(child) === container || receivers.has(shelf.record(child)?.shipment?.receiver ?? '');
}

/** What opens an item that another set apart as its owner's: the salt of a container it lay in then. */
export function saltApart({ member, shelf }: Pick<ApartPorts, 'member' | 'shelf'>, epc: string): string | undefined {
  const owner = shelf.record(epc)?.owner;
  return shelf.salts(epc, ['own']).find((salt) => commitmentOf(member, salt) === owner);
}

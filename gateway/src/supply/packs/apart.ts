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

/** What opens an item that another set apart as its owner's: the salt of a container it lay in then. */
export function saltApart({ member, shelf }: Pick<ApartPorts, 'member' | 'shelf'>, epc: string): string | undefined {
  const owner = shelf.record(epc)?.owner;
  return shelf.salts(epc, ['own']).find((salt) => commitmentOf(member, salt) === owner);
}

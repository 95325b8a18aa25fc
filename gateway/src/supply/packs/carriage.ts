/** What a carrier is told of what it takes over: its own salt for what is printed outside, and nothing of what is inside. */
import { commitmentOf } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { Ledger } from '../../ports.js';
import type { PackShelf } from './shelf.js';
import { type Blocks, whenCommitted } from '../../door/committed.js';
import { isHex } from './identity.js';
import { statusOf } from './status.js';
import { type CarriedItem, PACK_TYPES } from './stored.js';

/** Path of a carriage below a door's base. */
export const CARRIAGE_PATH = '$supply-carriage';
/** Largest carriage a door takes, bytes. */
export const CARRIAGE_BYTES = 1024 * 1024;

/** The message from the door of whoever hands over to the carrier's. */
export interface Carriage {
  readonly carried: readonly (CarriedItem & { readonly salt: string })[];
}

/** What the carrier of these items is told. */
export function carriageOf(shelf: PackShelf, opened: ReadonlyMap<string, string>): Carriage {
  const carried = [...opened].flatMap(([epc, salt]) => {
    const item = shelf.find(epc)?.item;
    return item === undefined ? [] : [{ epc, item, salt }];
  });
  return { carried };
}

/** How a carrier checks that it was named on the ledger, and keeps what it was told. */
export interface CarryingPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'evaluate'>;
  readonly blocks: Blocks;
  readonly secrets: NamedSecrets;
  readonly keep: Keep;
}

/** Takes a carriage in where the ledger names this member as holder of each item; undefined for anything else. */
export async function hearCarriage(ports: CarryingPorts, body: string): Promise<object | undefined> {
  const carried = parse(body);
  if (carried === undefined || carried.length === 0) return undefined;
  for (const each of carried) {
    if ((await whenCommitted(ports.blocks, () => held(ports, each))) === undefined) return undefined;
  }
  ports.secrets.keep(Object.fromEntries(carried.map(({ item, salt }) => [`carry/${item}`, salt])));
  await ports.keep([{ type: PACK_TYPES.carried, value: carried.map(({ epc, item }) => ({ epc, item })) }]);
  return {};
}

async function held({ ledger, member }: CarryingPorts, { item, salt }: Carriage['carried'][number]) {
  const status = await statusOf(ledger, { item });
  return status.item?.holder === commitmentOf(member, salt) ? status.item : undefined;
}

function parse(body: string): Carriage['carried'] | undefined {
  try {
    const { carried } = JSON.parse(body) as Partial<Carriage>;
    const isRight =
      Array.isArray(carried) &&
      (carried as readonly Partial<Carriage['carried'][number]>[]).every(
        ({ epc, item, salt }) => typeof epc === 'string' && isHex(item) && isHex(salt),
      );
    return isRight ? carried : undefined;
  } catch {
    return undefined;
  }
}

/** What a receipt lacks or has too much against the shipments that were announced: each becomes an exception. */
import { commitmentOf, type Item } from '@salus/chaincode/supply/api';

import type { Actor } from '../../ports.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { PackShelf, ShelfPorts } from '../packs/shelf.js';
import type { Effect } from '../packs/stored.js';
import { settled } from '../packs/outcome.js';
import { publicRecord } from '../project.js';
import type { ExceptionKind, Exceptions } from './exceptions.js';
import { type ShipmentTerms, shipmentsWith } from './shipments.js';

/** Refusals of a receipt that mean: the product is here, the data is not. */
const NO_DATA: readonly string[] = ['unknown-item', 'not-the-receiver', 'not-in-lot', 'not-in-transit'];

/** What is looked at, and how exceptions are reported. */
export interface ReceiptPorts {
  readonly member: string;
  readonly projection: ShelfPorts['projection'];
  readonly secrets: NamedSecrets;
  readonly shelf: Pick<PackShelf, 'salts'>;
  readonly exceptions: Pick<Exceptions, 'report' | 'list'>;
  /** Id of an exception by what it is about: 256 bits that nobody else can make. */
  readonly exceptionId: (about: string) => string;
}

/**
 * Reports what is missing of shipments that were received in part, and what came beside them: one exception each, however
 * often a capture is gone on with.
 */
export async function reportReceipt(
  ports: ReceiptPorts,
  actor: Actor,
  effects: readonly Effect[],
  captureID: string,
): Promise<readonly Effect[]> {
  const received = effects.filter(({ act }) => act === 'receive');
  const last = received.at(-1);
  if (last === undefined) return [];
  const epcsOf = (isSuch: (effect: Effect) => boolean) => received.filter(isSuch).flatMap(({ epc }) => epc ?? []);
  const here = new Set(epcsOf(({ state }) => state === 'done'));
  // What was received before, and is scanned again, is no surplus.
  const isMine = (epc = ''): boolean => ports.shelf.salts(epc, ['own']).length > 0;
  const extra = epcsOf(({ epc, code = '' }) => NO_DATA.includes(code) && !isMine(epc));
  const touched = shipmentsWith(ports.projection, here).filter(({ to }) => to.member === ports.member);
  const made: Effect[] = [];
  const idOf = ({ shipmentId }: ShipmentTerms, kind: ExceptionKind): string =>
    ports.exceptionId(`${captureID}\n${shipmentId}\n${kind}`);
  const report = async (shipment: ShipmentTerms, kind: ExceptionKind, epcs: readonly string[]): Promise<void> => {
    const { shipmentId, from } = shipment;
    const note =
      kind === 'data-no-product' ? 'announced, and not in the delivery' : 'in the delivery, and not announced';
    let exception: string | undefined;
    const outcome = await settled({ act: 'exception' }, async () => {
      const terms = { kind, epcs, note, shipmentId };
      exception = await ports.exceptions.report(actor, from.member, terms, idOf(shipment, kind));
    });
    made.push({ event: last.event, ...outcome, ...(exception === undefined ? {} : { exception }) });
  };
  for (const shipment of touched) {
    const missing = missingOf(ports, shipment, here);
    const own = idOf(shipment, 'data-no-product');
    if (missing.length > 0 && !isReported(ports, shipment, own)) await report(shipment, 'data-no-product', missing);
  }
  const [first] = touched;
  if (extra.length > 0 && first !== undefined) await report(first, 'product-no-data', extra);
  return made;
}

/** Items that are on their way to this member still, but for those that just came: the projection may not know of them. */
function missingOf(ports: ReceiptPorts, { items }: ShipmentTerms, here: ReadonlySet<string>): readonly string[] {
  const missing = items.filter(({ epc, item: id }) => {
    const item = here.has(epc) ? undefined : (publicRecord(ports.projection, `item/${id}`) as Item | undefined);
    const salt = ports.secrets.find(`receive/${id}`);
    if (item === undefined || salt === undefined) return false;
    const { state, shipment } = item;
    return state === 'in-transit' && shipment?.receiver === commitmentOf(ports.member, salt);
  });
  return missing.map(({ epc }) => epc);
}

/** Whether an earlier receipt reported it. */
function isReported({ exceptions }: ReceiptPorts, { shipmentId }: ShipmentTerms, own: string): boolean {
  const same = exceptions.list().filter((each) => each.shipmentId === shipmentId && each.kind === 'data-no-product');
  return same.some(({ exceptionId, ledger }) => exceptionId !== own && ledger?.state !== 'resolved');
}

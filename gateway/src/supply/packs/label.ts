/** What is printed on packs and pallets: GS1 DataMatrix of a pack, GS1-128 of an SSCC (GS1 General Specifications 2.1). */
import bwipjs from 'bwip-js/node';

import { Refusal } from '../../ledger/refusal.js';
import { parseLink } from '../gs1/digital-link.js';
import type { PackShelf } from './shelf.js';

/** A label: what its code says, identifiers in brackets, and the picture. */
export interface Label {
  readonly code: string;
  readonly svg: string;
}

/** The label of a pack or container that is known here, by its canonical EPC. Throws Refusal. */
export function labelOf(shelf: Pick<PackShelf, 'unit' | 'lot'>, epc: string): Label {
  const link = parseLink(epc);
  if (link?.ai === '00') {
    const code = `(00)${link.key}`;
    return { code, svg: bwipjs.toSVG({ bcid: 'gs1-128', text: code, height: 20, includetext: true }) };
  }
  const unit = shelf.unit(epc);
  const terms = unit && shelf.lot(unit.lotId);
  if (terms === undefined || link?.qualifier === undefined) {
    throw new Refusal('not-found', 'unknown-item', 'no pack or container of this name is known here');
  }
  const day = terms.expiry.slice(2).replaceAll('-', '');
  const code = `(01)${terms.gtin}(17)${day}(10)${terms.batch}(21)${link.qualifier.value}`;
  return { code, svg: bwipjs.toSVG({ bcid: 'gs1datamatrix', text: code, scale: 4, padding: 4 }) };
}

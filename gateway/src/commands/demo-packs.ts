/** The events by which the demo's members tell a pack's life, and the spellings of what they name. */
import { checkDigit } from '../supply/gs1/check-digit.js';

const CONTEXT = [
  'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  { cbvmda: 'urn:epcglobal:cbv:mda#', salus: 'urn:salus:epcis#' },
];

/** A lot of packs under a company prefix of seven digits, its serials told apart from an earlier demo's by a tag. */
export class DemoLot {
  readonly gtin: string;
  /** Lot number as printed. */
  readonly batch: string;

  constructor(
    private readonly prefix: string,
    private readonly tag: string,
    private readonly expiry: string,
  ) {
    const digits = `0${prefix}00001`;
    this.gtin = `${digits}${checkDigit(digits)}`;
    this.batch = `DEMO-${tag}`;
  }

  serial(number: number): string {
    return `${this.tag}${String(number).padStart(4, '0')}`;
  }

  pack(number: number): string {
    return `urn:epc:id:sgtin:${this.prefix}.000001.${this.serial(number)}`;
  }

  pallet(number: number): string {
    const reference = `${this.tag}${number}`.slice(-9).padStart(9, '0');
    return `urn:epc:id:sscc:${this.prefix}.0${reference}`;
  }

  commissioned(packs: readonly string[]): object {
    const kept = { 'salus:storage': 'cold', 'salus:minutesOutside': 60 };
    const ilmd = { 'cbvmda:lotNumber': this.batch, 'cbvmda:itemExpirationDate': this.expiry, ...kept };
    return told('ObjectEvent', 'commissioning', { action: 'ADD', epcList: packs, disposition: 'active', ilmd });
  }

  recalled(): object {
    const epcClass = `urn:epc:class:lgtin:${this.prefix}.000001.${this.batch}`;
    return observed('holding', 'recalled', { quantityList: [{ epcClass }] });
  }
}

/** Packs put on a pallet. */
export function packed(parentID: string, childEPCs: readonly string[]): object {
  return told('AggregationEvent', 'packing', { action: 'ADD', parentID, childEPCs });
}

/** Shipped to a party GLN. */
export function shipped(epc: string, party: string): object {
  const destinationList = [{ type: 'owning_party', destination: party }];
  return observed('shipping', 'in_transit', { epcList: [epc], destinationList });
}

/** An EPCIS ObjectEvent: the receiver scanned these packs on arrival. */
export function received(...epcList: readonly string[]): object {
  return observed('receiving', 'in_progress', { epcList });
}

/** An EPCIS ObjectEvent: a pack went to a patient and leaves the chain. */
export function dispensed(epc: string): object {
  return observed('dispensing', 'dispensed', { epcList: [epc] });
}

/** A document of these events. */
export function documentOf(eventList: readonly object[]): object {
  const head = { '@context': CONTEXT, type: 'EPCISDocument', schemaVersion: '2.0' };
  return { ...head, creationDate: new Date().toISOString(), epcisBody: { eventList } };
}

function observed(bizStep: string, disposition: string, more: object): object {
  return told('ObjectEvent', bizStep, { action: 'OBSERVE', disposition, ...more });
}

function told(type: string, bizStep: string, more: object): object {
  return { type, eventTime: new Date().toISOString(), eventTimeZoneOffset: '+00:00', bizStep, ...more };
}

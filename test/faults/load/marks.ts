/** By what the judge knows again what a client wrote. */

/** System of the identifiers of the consents that clients write. */
export const SERIES = 'urn:salus:faults';
/** The member that commits packs, and another one that is asked whether they are genuine. */
export const ISSUER = 'acme';
export const OTHER_PARTY = 'stmary';
const PREFIX = '9521003';
const GTIN = '09521003000015';
const NODE_DIGITS = 12;

/** Marks by what they are of; numbers are given once in a run. */
export const markOf = {
  observation: (value: number) => `observation/${value}`,
  consent: (number: number | string) => `consent/${number}`,
  withdrawal: (number: number | string) => `withdrawal/${number}`,
  event: (eventID: string) => `event/${eventID}`,
  pack: (number: number) => `pack/${number}`,
};

/** The id of the event that commissions a pack. */
export function eventIdOf(number: number): string {
  return `urn:uuid:5a105000-0000-4000-8000-${String(number).padStart(NODE_DIGITS, '0')}`;
}

/** A pack by its mark: what is printed on it, and its EPC. */
export function packOf(mark: string): { gtin: string; lot: string; serial: string; epc: string } {
  const serial = mark.slice(mark.indexOf('/') + 1);
  return { gtin: GTIN, lot: `F${serial}`, serial, epc: `urn:epc:id:sgtin:${PREFIX}.000001.${serial}` };
}

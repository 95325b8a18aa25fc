/** The GS1 keys that EPCs are made of: EPC Tag Data Standard 2.0 section 6, GS1 Digital Link URI Syntax 1.2. */

/** How one kind of EPC is spelt as URN and as Digital Link. */
export interface Scheme {
  /** As in `urn:epc:id:<name>:` or `urn:epc:class:<name>:`. */
  readonly name: string;
  readonly form: 'id' | 'class';
  /** Application identifier of the primary key. */
  readonly ai: string;
  /**
   * Digits of company prefix and reference together, before the check digit; absent where the key is the prefix and a
   * reference of any characters, without a check digit.
   */
  readonly digits?: number;
  /** The reference's first digit (indicator or extension) stands before the company prefix in the key. */
  readonly leads?: true;
  /** Digits that stand before everything in the key: of a GRAI, its leading zero. */
  readonly pad?: string;
  /** What follows key and check digit: a key qualifier, or nothing where the serial is part of the key. */
  readonly serial?: {
    readonly qualifier?: string;
    readonly most: number;
    readonly digits?: true;
    readonly absent?: string;
  };
  /** Piece and total, of a trade item in pieces. */
  readonly pieces?: true;
}

/** Longest key without check digit (GIAI, GINC, CPI), characters. */
export const MOST_REFERENCE = 30;

/** All of them. Where two share an application identifier, the qualifier tells them apart. */
export const SCHEMES: readonly Scheme[] = [
  { name: 'sgtin', form: 'id', ai: '01', digits: 13, leads: true, serial: { qualifier: '21', most: 20 } },
  { name: 'upui', form: 'id', ai: '01', digits: 13, leads: true, serial: { qualifier: '235', most: 28 } },
  { name: 'lgtin', form: 'class', ai: '01', digits: 13, leads: true, serial: { qualifier: '10', most: 20 } },
  { name: 'sscc', form: 'id', ai: '00', digits: 17, leads: true },
  { name: 'sgln', form: 'id', ai: '414', digits: 12, serial: { qualifier: '254', most: 20, absent: '0' } },
  { name: 'pgln', form: 'id', ai: '417', digits: 12 },
  { name: 'grai', form: 'id', ai: '8003', digits: 12, pad: '0', serial: { most: 16 } },
  { name: 'giai', form: 'id', ai: '8004' },
  { name: 'gsrn', form: 'id', ai: '8018', digits: 17 },
  { name: 'gsrnp', form: 'id', ai: '8017', digits: 17 },
  { name: 'gdti', form: 'id', ai: '253', digits: 12, serial: { most: 17 } },
  { name: 'cpi', form: 'id', ai: '8010', serial: { qualifier: '8011', most: 12, digits: true } },
  { name: 'sgcn', form: 'id', ai: '255', digits: 12, serial: { most: 12, digits: true } },
  { name: 'ginc', form: 'id', ai: '401' },
  { name: 'gsin', form: 'id', ai: '402', digits: 16 },
  {
    name: 'itip',
    form: 'id',
    ai: '8006',
    digits: 13,
    leads: true,
    pieces: true,
    serial: { qualifier: '21', most: 20 },
  },
];

/** Names of application identifiers in Digital Links (URI Syntax 1.1 allowed them). */
export const AI_NAMES: Readonly<Record<string, string>> = {
  gtin: '01',
  itip: '8006',
  cpid: '8010',
  gln: '414',
  party: '417',
  gsrnp: '8017',
  gsrn: '8018',
  gcn: '255',
  sscc: '00',
  gdti: '253',
  ginc: '401',
  gsin: '402',
  grai: '8003',
  giai: '8004',
  cpv: '22',
  lot: '10',
  ser: '21',
};

/** Trying identifiers against everything that a channel shows to everybody. One pass, and nothing made that is thrown away. */
import { hash } from 'node:crypto';

/** Issuer of the identifiers that are tried. */
export const SYSTEM = 'urn:oid:2.16.840.1.113883.4.1';

/** The identifier of a number: nine digits. */
export const identifierOf = (number: number): string => String(100_000_000 + number);

/** Before an identifier: what a careless design might have hashed, or taken the HMAC of, for it. */
const BEFORE = ['', `${SYSTEM}|`, `identifier=${SYSTEM}|`, `Patient?identifier=${SYSTEM}|`, 'Patient/'];

/** Before and behind what came of a text: how it may stand in a key on the ledger. */
const AROUND: readonly (readonly [before: string, behind: string])[] = [
  ['', ''],
  ['\0patient\0', '\0'],
  ['\0consents\0', '\0'],
  ['\0condition\0', '\0'],
  ['\0idempotency\0', '\0'],
  ['\0resource\0', '\x0000000001\0'],
  ['\0lookup-entry\0', '\0'],
  ['\0lookup-entry\0stmary\0', '\0'],
];

/** What of an identifier is looked for: a text of its own, or what a secret makes of one. */
export type Made = (text: string) => string;

/** Hashes that everybody on the channel holds, found fast. */
export class PublicHashes {
  /** Lower-case hex. */
  readonly #all = new Set<string>();
  /** By the first three bytes: most guesses end here. */
  readonly #starts = new Uint8Array(1 << 24);

  constructor(text: string) {
    for (const [hex] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) this.#add(hex);
    for (const [base64] of text.matchAll(/[A-Za-z0-9+/_-]{43}=?/g))
      this.#add(Buffer.from(base64, 'base64').toString('hex'));
  }

  get size(): number {
    return this.#all.size;
  }

  /** Where what came of a text stands: the keys whose hashes are known, and it itself where it is a hash that is. */
  placesOf(made: string): string[] {
    const places = AROUND.map(([before, behind]) => before + made + behind).filter((key) => this.#hasKey(key));
    return made.length === 64 && this.#has(made) ? [made, ...places] : places;
  }

  /** Whether it stands anywhere. */
  holds(made: string): boolean {
    // The guesses of a whole campaign go through here: no array, no object for each.
    for (const [before, behind] of AROUND) if (this.#hasKey(before + made + behind)) return true;
    return made.length === 64 && this.#has(made);
  }

  #hasKey(key: string): boolean {
    return this.#has(hash('sha256', key, 'hex'));
  }

  #has(hex: string): boolean {
    return this.#starts[Number.parseInt(hex.slice(0, 6), 16)] === 1 && this.#all.has(hex);
  }

  #add(hex: string): void {
    this.#all.add(hex);
    this.#starts[Number.parseInt(hex.slice(0, 6), 16)] = 1;
  }
}

/** Numbers of the identifiers, of `count` around `middle`, that somebody finds who tries whatever each may be written into. */
export function attack(known: PublicHashes, made: Made, middle: number, count: number): number[] {
  return search(middle, count, (id) => {
    for (const before of BEFORE) if (known.holds(made(before + id))) return true;
    return false;
  });
}

/** The same for one text made of each identifier. */
export function attackBy(known: PublicHashes, made: Made, middle: number, count: number): number[] {
  return search(middle, count, (id) => known.holds(made(id)));
}

function search(middle: number, count: number, isFound: (id: string) => boolean): number[] {
  const found: number[] = [];
  const first = Math.max(0, middle - Math.floor(count / 2));
  for (let number = first; number < first + count; number += 1) if (isFound(identifierOf(number))) found.push(number);
  return found;
}

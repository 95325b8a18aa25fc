/** JSON as FHIR needs it: decimals keep every digit, duplicate keys and excess are refused (RFC 8259, R4 json.html). */
import { Refusal } from '../ledger/refusal.js';

/** A JSON object whose members are not checked yet. */
export type JsonObject = Record<string, unknown>;

/** What a body may hold; each refused beyond with `too-costly`. */
export const JSON_LIMITS = { depth: 64, keysPerObject: 2_000, stringLength: 12_000_000, values: 1_000_000 } as const;

declare global {
  interface JSON {
    /** ECMAScript 2026: a number kept as its text when it is written again. */
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/** One text, parsed once and seen in two ways. */
export interface ParsedJson {
  /** As sent; decimals that a double cannot hold digit by digit are JSON.rawJSON objects. */
  readonly exact: unknown;
  /** With plain numbers, for readers of values; the same object when nothing was kept raw. */
  readonly plain: unknown;
}

/** Parses a body. Throws Refusal invalid/structure for bad JSON or duplicate keys, invalid/too-costly beyond a limit. */
export function parseBody(text: string): ParsedJson {
  const plain = parseNatively(text);
  const scan = new Scan(text);
  scan.run();
  return { plain, exact: scan.inexact ? parseExactly(text) : plain };
}

/** What may be a number of a JSON text: nothing else in it stands so between two signs, but for what a string says. */
const NUMBERS = /(?<=[:[,\s]|^)-?\d[\d.eE+-]*(?=[,}\]\s]|$)/g;

/** Parses trusted JSON, keeping decimals exactly. Most texts have none that a double cannot hold: those are read natively. */
export function parseExactly(text: string): unknown {
  for (const [number] of text.matchAll(NUMBERS)) if (String(Number(number)) !== number) return parseKeeping(text);
  return JSON.parse(text) as unknown;
}

function parseKeeping(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  );
}

/**
 * The RFC 8785 form of a value, but for numbers kept as their text, which stand as they were sent: two values have the same
 * form only where they also have the same digits.
 */
export function exactForm(value: unknown): string {
  if (typeof value !== 'object' || value === null || isRaw(value)) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(exactForm).join()}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const sorted = members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${exactForm(member)}`).join()}}`;
}

/** Whether the value is a number kept as its text. */
export function isRaw(value: object): boolean {
  return JSON.isRawJSON(value);
}

/** The value with plain numbers. Copies only where a raw number lies below. */
export function plainOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (JSON.isRawJSON(value)) return Number((value as { rawJSON: string }).rawJSON);
  return Array.isArray(value) ? plainList(value) : plainObject(value as JsonObject);
}

function plainList(list: readonly unknown[]): readonly unknown[] {
  const made = list.map(plainOf);
  return made.some((each, index) => each !== list[index]) ? made : list;
}

function plainObject(object: JsonObject): JsonObject {
  let changed: JsonObject | undefined;
  for (const name of Object.keys(object)) {
    const inner = object[name];
    const made = plainOf(inner);
    if (made === inner) continue;
    changed ??= { ...object };
    changed[name] = made;
  }
  return changed ?? object;
}

function parseNatively(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The engine's message may quote the body; only its position is passed on.
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : '');
    throw new Refusal(
      'invalid',
      'structure',
      `the body is not JSON${at === null ? '' : ` at position ${at[1] ?? ''}`}`,
    );
  }
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Digits, point, exponent and signs. */
function inNumber(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46 || code === 101 || code === 69 || code === 43 || code === 45;
}

/** One pass over text that is known to be valid JSON. */
class Scan {
  /** Whether some number's text is not what its double is written as. */
  inexact = false;
  private position = 0;
  private values = 0;

  private readonly hasEscapes: boolean;

  constructor(private readonly text: string) {
    this.hasEscapes = text.includes('\\u');
  }

  run(): void {
    const open: (Set<string> | undefined)[] = [];
    while (this.position < this.text.length) {
      const code = this.text.charCodeAt(this.position);
      if (code === QUOTE) this.string(open.at(-1));
      else if (code === 123 || code === 91) this.enter(open, code === 123);
      else if (code === 125 || code === 93) this.leave(open);
      else if (code === 45 || (code >= 48 && code <= 57)) this.number();
      else this.position += 1;
    }
  }

  private enter(open: (Set<string> | undefined)[], object: boolean): void {
    open.push(object ? new Set() : undefined);
    this.position += 1;
    this.count();
    if (open.length > JSON_LIMITS.depth) this.refuse(`nesting is limited to ${JSON_LIMITS.depth} levels`);
  }

  private leave(open: (Set<string> | undefined)[]): void {
    open.pop();
    this.position += 1;
  }

  private string(keys: Set<string> | undefined): void {
    const start = this.position;
    let end = this.text.indexOf('"', start + 1);
    while (this.text.charCodeAt(end - 1) === BACKSLASH && this.escaped(end)) end = this.text.indexOf('"', end + 1);
    this.position = end + 1;
    if (this.hasEscapes) this.requireUnicode(this.text.slice(start, end + 1));
    if (end - start > JSON_LIMITS.stringLength)
      this.refuse(`a string is limited to ${JSON_LIMITS.stringLength} characters`);
    if (keys !== undefined && this.isKey()) this.key(keys, this.text.slice(start + 1, end));
    else this.count();
  }

  /** Whether the quote at `end` follows an odd number of backslashes. */
  private escaped(end: number): boolean {
    let before = end - 1;
    while (this.text.charCodeAt(before) === BACKSLASH) before -= 1;
    return (end - before) % 2 === 0;
  }

  /** Half a surrogate pair is no character: it could not be written again as UTF-8. */
  private requireUnicode(quoted: string): void {
    if (!quoted.includes('\\u') || (JSON.parse(quoted) as string).isWellFormed()) return;
    throw new Refusal('invalid', 'structure', 'a string holds half a surrogate pair: send whole characters');
  }

  private isKey(): boolean {
    let code = this.text.charCodeAt(this.position);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = this.text.charCodeAt(++this.position);
    return code === 58;
  }

  private key(keys: Set<string>, raw: string): void {
    const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (keys.has(name)) throw new Refusal('invalid', 'structure', 'an object has the same key twice: send each once');
    if (name === '__proto__') throw new Refusal('invalid', 'structure', 'the key __proto__ is no FHIR element');
    keys.add(name);
    if (keys.size > JSON_LIMITS.keysPerObject) this.refuse(`an object is limited to ${JSON_LIMITS.keysPerObject} keys`);
  }

  private number(): void {
    const start = this.position;
    this.position += 1;
    while (inNumber(this.text.charCodeAt(this.position))) this.position += 1;
    this.count();
    // Short whole numbers are always exact: no need to print them.
    if (this.position - start < 10 && this.isWhole(start)) return;
    const source = this.text.slice(start, this.position);
    if (String(Number(source)) !== source) this.inexact = true;
  }

  private isWhole(start: number): boolean {
    for (let at = start; at < this.position; at++) {
      const code = this.text.charCodeAt(at);
      if (code < 48 || code > 57) return false;
    }
    return true;
  }

  private count(): void {
    this.values += 1;
    if (this.values > JSON_LIMITS.values) this.refuse(`a body is limited to ${JSON_LIMITS.values} values`);
  }

  private refuse(detail: string): never {
    throw new Refusal('invalid', 'too-costly', `${detail}: split what you send`);
  }
}

/** The index rows of one resource, as the compiled search parameters collect them. */

/** A parameter's number leaves room for what it keeps beside its main rows. */
export const VARIANTS = 4;
/** `identifier` of a reference; `type|value` of an identifier (modifier :of-type). */
export const BESIDE = 1;

/** A value found by equality, prefix or text: `code, system, display`; `normalized, original`; `reference, version`. */
export interface Term {
  readonly parameter: number;
  readonly a: string;
  readonly b: string;
  /** Normalized text a person reads; '' when there is none. */
  readonly t: string;
}

/** A period of time: first and last millisecond, both within. */
export interface Span {
  readonly parameter: number;
  readonly low: number;
  readonly high: number;
}

/** A number or quantity; the unit is a term. */
export interface Amount extends Span {
  readonly unit?: Term;
}

/** Two components of one composite value; what the second is decides which fields it has. */
export interface Pair {
  readonly parameter: number;
  readonly left: Term;
  readonly right?: Term;
  readonly low?: number;
  readonly high?: number;
}

/** Collects rows while the compiled functions walk a resource. */
export class IndexRows {
  readonly terms: Term[] = [];
  readonly spans: Span[] = [];
  readonly amounts: Amount[] = [];
  readonly pairs: Pair[] = [];
  /** Whether every parameter has all its rows. */
  isWhole = true;

  /** `base` is the server's own base URL with a slash at its end: references below it are local. */
  constructor(readonly base = '') {}

  /** Adding throws TypeError for what no column takes: a stored value need not be what its element's type says. */
  term(parameter: number, a: string, b = '', t = ''): void {
    this.terms.push(requireText({ parameter, a, b, t }));
  }

  span(parameter: number, low: number, high: number): void {
    this.spans.push(requireNumbers({ parameter, low, high }));
  }

  amount(parameter: number, low: number, high: number, unit?: Term): void {
    const amount = requireNumbers({ parameter, low, high });
    this.amounts.push(unit === undefined ? amount : { ...amount, unit: requireText(unit) });
  }

  /** A place on the globe beside a fixed term. */
  position(left: Term, low: number, high: number): void {
    const { parameter } = left;
    this.pairs.push({ ...requireNumbers({ parameter, low, high }), left: requireText(left) });
  }

  /** A parameter's values could not all be collected. */
  incomplete(): void {
    this.isWhole = false;
  }

  /** Rows of the same base to collect a composite's component in. */
  scratch(): IndexRows {
    return new IndexRows(this.base);
  }

  /** Every left value with every right value of one composite element. */
  pair(parameter: number, lefts: IndexRows, rights: IndexRows): void {
    for (const left of lefts.terms) {
      for (const right of rights.terms) this.pairs.push({ parameter, left, right });
      for (const { low, high } of rights.spans) this.pairs.push({ parameter, left, low, high });
      for (const { low, high, unit } of rights.amounts) {
        this.pairs.push({ parameter, left, low, high, ...(unit === undefined ? {} : { right: unit }) });
      }
    }
  }
}

function requireText(term: Term): Term {
  if (![term.a, term.b, term.t].every(isText)) throw new TypeError('a term is text');
  return term;
}

function requireNumbers<T extends Span>(span: T): T {
  if (![span.low, span.high].every(isNumber)) throw new TypeError('a range is between numbers');
  return span;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value);
}

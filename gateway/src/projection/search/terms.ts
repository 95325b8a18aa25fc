/** Finds the terms of the dictionary that a search value means. */
import type { SQLInputValue } from 'node:sqlite';

import { Refusal } from '../../ledger/refusal.js';
import type { Statements } from '../statements.js';
import { literalOf } from '../values/reference.js';
import { BESIDE } from '../values/rows.js';
import { normalized } from '../values/text.js';
import type { IndexedParameter } from './query.js';
import { conversion, UCUM, type Conversion } from './units.js';
import { split, tokenOf, unescaped } from './values.js';

/** A value may stand for at most so many different terms, such as a prefix shared by many names. */
export const TERM_LIMIT = 20_000;

/** The dictionary of codes, systems, texts and URLs, read only. */
export class Terms {
  constructor(
    private readonly statements: Statements,
    private readonly base: string,
  ) {}

  /** `implied`: systems that codes without one are of. */
  token(parameter: number, value: string, implied: readonly string[] = []): number[] {
    const { system, code } = tokenOf(value);
    if (system !== undefined && implied.includes(system)) return this.implied(parameter, system, code);
    if (code === undefined) return this.find('parameter = ? AND b = ? AND b <> ?', parameter, system ?? '', '');
    if (system === undefined) return this.find('parameter = ? AND a = ?', parameter, code);
    return this.find('parameter = ? AND a = ? AND b = ?', parameter, code, system);
  }

  private implied(parameter: number, system: string, code: string | undefined): number[] {
    if (code === undefined) return this.find('parameter = ? AND b IN (?, ?)', parameter, system, '');
    return this.find('parameter = ? AND a = ? AND b IN (?, ?)', parameter, code, system, '');
  }

  /** `type-system|type-code|value`. */
  ofType(parameter: number, value: string): number[] {
    const [system = '', code = '', own = ''] = split(value, '|').map(unescaped);
    if (code === '' || own === '') {
      throw new Refusal('invalid', 'bad-value', ':of-type needs system|code|value of the identifier');
    }
    return this.find('parameter = ? AND a = ? AND b = ?', parameter + BESIDE, own, `${system}|${code}`);
  }

  text(parameter: number, value: string): number[] {
    const start = normalized(unescaped(value));
    return this.find("parameter = ? AND t >= ? AND t < ? AND t <> ''", parameter, start, after(start));
  }

  string(parameter: number, value: string, modifier: string): number[] {
    const text = unescaped(value);
    if (modifier === 'exact') {
      return this.find('parameter = ? AND a = ? AND b = ?', parameter, normalized(text), text);
    }
    const start = normalized(text);
    if (modifier === 'equals') return this.find('parameter = ? AND a = ?', parameter, start);
    if (modifier === 'ends') {
      return this.find('parameter = ? AND substr(a, -length(?)) = ?', parameter, start, start);
    }
    if (modifier === 'contains') return this.find('parameter = ? AND instr(a, ?) > 0', parameter, start);
    return this.find('parameter = ? AND a >= ? AND a < ?', parameter, start, after(start));
  }

  uri(parameter: number, value: string, modifier: string): number[] {
    const text = unescaped(value);
    if (modifier === 'below') {
      return this.find('parameter = ? AND a >= ? AND a < ?', parameter, text, after(text));
    }
    if (modifier === 'above') {
      return parents(text).flatMap((parent) => this.find('parameter = ? AND a = ?', parameter, parent));
    }
    const exact = this.find('parameter = ? AND a = ?', parameter, text);
    // A canonical URL without a version stands for each of them (R4 references.html#canonical); no other URI has a bar.
    return text.includes('|') ? exact : [...exact, ...this.starting(parameter, `${text}|`)];
  }

  /** `id`, `Type/id` or a URL; with a modifier only that type. */
  reference({ number, targets }: IndexedParameter, value: string, modifier: string): number[] {
    const { target } = literalOf(unescaped(value), this.base);
    const types = modifier === '' ? (targets ?? []) : [modifier];
    const names = /[/:]/.test(target) ? [target] : types.map((type) => `${type}/${target}`);
    const named = modifier === '' ? names : names.filter((name) => name.startsWith(`${modifier}/`));
    return named.flatMap((name) => this.target(number, name));
  }

  /** Terms whose first field is this. */
  exactly(parameter: number, a: string): number[] {
    return this.find('parameter = ? AND a = ?', parameter, a);
  }

  /** Terms whose first field starts so. */
  starting(parameter: number, a: string): number[] {
    return this.find('parameter = ? AND a >= ? AND a < ?', parameter, a, after(a));
  }

  /** Terms of a reference parameter that name exactly this. */
  target(parameter: number, name: string): number[] {
    return this.exactly(parameter, name);
  }

  /** A canonical reference: `url` or `url|version`; `below`: the versions within that one, too (R4 search.html#versions). */
  canonical(parameter: number, value: string, below = false): number[] {
    const [url = '', version] = unescaped(value).split('|');
    if (version === undefined) return this.target(parameter, url);
    const exact = this.find('parameter = ? AND a = ? AND b = ?', parameter, url, version);
    if (!below) return exact;
    const within = `${version}.`;
    return [
      ...exact,
      ...this.find('parameter = ? AND a = ? AND b >= ? AND b < ?', parameter, url, within, after(within)),
    ];
  }

  /** Codes of a system that is indifferent to case, which are all that is compared. */
  folded(parameter: number, system: string, codes: readonly string[]): number[] {
    const wanted = new Set(codes.map((code) => code.toLowerCase()));
    const rows = this.statements.all(
      `SELECT tid, a FROM term WHERE parameter = ? AND b = ? AND b <> '' LIMIT ${TERM_LIMIT + 1}`,
      ...[parameter, system],
    );
    if (rows.length > TERM_LIMIT) throw tooMany();
    return rows.flatMap(({ tid, a }) => (wanted.has((a as string).toLowerCase()) ? [tid as number] : []));
  }

  /** A media type with any parameters (R4 search.html#mimetype). */
  mediaType(parameter: number, value: string): number[] {
    const type = unescaped(value);
    return [...this.exactly(parameter, type), ...this.starting(parameter, `${type};`)];
  }

  /** Units a quantity search names: by system and code, or by code or unit alone. */
  unit(parameter: number, system: string, code: string): number[] {
    if (system !== '') return this.find('parameter = ? AND a = ? AND b = ?', parameter, code, system);
    return [
      ...this.find('parameter = ? AND a = ?', parameter, code),
      ...this.find("parameter = ? AND t = ? AND t <> ''", parameter, normalized(code)),
    ];
  }

  /** Other units of UCUM than the one named, with what brings a value of it into them. */
  convertible(parameter: number, code: string): { readonly tid: number; readonly convert: Conversion }[] {
    const rows = this.statements.all(
      `SELECT tid, a FROM term WHERE parameter = ? AND b = ? AND a <> ? LIMIT ${TERM_LIMIT}`,
      ...[parameter, UCUM, code],
    );
    return rows.flatMap(({ tid, a }) => {
      const convert = conversion(code, a as string);
      return convert === undefined ? [] : [{ tid: tid as number, convert }];
    });
  }

  private find(where: string, ...values: SQLInputValue[]): number[] {
    const rows = this.statements.all(`SELECT tid FROM term WHERE ${where} LIMIT ${TERM_LIMIT + 1}`, ...values);
    if (rows.length > TERM_LIMIT) throw tooMany();
    return rows.map((row) => row.tid as number);
  }
}

function tooMany(): Refusal {
  return new Refusal('invalid', 'too-costly', 'the value matches too many texts: write more of it');
}

/** The first string after all that start with this one. */
function after(start: string): string {
  return `${start}\u{10ffff}`;
}

/** A URL and those it lies below. */
function parents(url: string): string[] {
  const found = [url];
  for (let at = url.lastIndexOf('/'); at > 0; at = url.lastIndexOf('/', at - 1))
    found.push(url.slice(0, at), url.slice(0, at + 1));
  return found;
}

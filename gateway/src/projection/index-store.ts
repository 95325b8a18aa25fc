/** Writes and removes the index rows of resources, and keeps the dictionary of terms free of values nobody has. */
import type { Statements } from './statements.js';
import { WORDS, type WordPlaces } from './values/words.js';
import { BESIDE, type Amount, type IndexRows, type Pair, type Term } from './values/rows.js';

/** Dictionary entries remembered; beyond, memory is emptied and filled again. */
const REMEMBERED = 20_000;

/** SQLite keeps no infinity in an index the same way everywhere: the largest doubles stand for open ends. */
const finite = (value: number): number => Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);

/** The index rows of current versions; it works inside its caller's database transaction. */
export class IndexStore {
  private readonly known = new Map<string, number>();

  constructor(private readonly statements: Statements) {}

  /** Forgets the remembered dictionary: after a transaction that was rolled back it may not be true. */
  forget(): void {
    this.known.clear();
  }

  add(rid: number, rows: IndexRows, words: readonly WordPlaces[]): void {
    for (const term of rows.terms) this.posting(this.term(term.parameter, term), rid, term.parameter);
    for (const { parameter, low, high } of rows.spans) {
      this.statements.run('INSERT OR IGNORE INTO span VALUES (?, ?, ?, ?)', parameter, low, high, rid);
    }
    for (const amount of rows.amounts) this.amount(rid, amount);
    for (const pair of rows.pairs) this.pair(rid, pair);
    if (words.length > 0) this.words(rid, words);
  }

  /** Removes every row of the resource and the terms that nothing has any more. */
  remove(rid: number): void {
    const used = new Set<number>();
    for (const { tid } of this.statements.all('SELECT tid FROM posting WHERE rid = ?', rid)) used.add(tid as number);
    for (const { unit } of this.statements.all('SELECT unit FROM amount WHERE rid = ?', rid)) used.add(unit as number);
    for (const { left, right } of this.statements.all('SELECT left, right FROM pair WHERE rid = ?', rid)) {
      used.add(left as number).add(right as number);
    }
    for (const table of ['posting', 'span', 'amount', 'pair']) {
      this.statements.run(`DELETE FROM ${table} WHERE rid = ?`, rid);
    }
    for (const tid of this.unworded(rid)) used.add(tid);
    used.delete(0);
    for (const tid of used) this.dropUnused(tid);
  }

  private amount(rid: number, { parameter, low, high, unit }: Amount): void {
    const tid = unit === undefined ? 0 : this.term(parameter, unit);
    // A posting too, so that the unit's term is kept as long as any resource has it.
    if (tid !== 0) this.posting(tid, rid, parameter);
    this.statements.run(
      'INSERT OR IGNORE INTO amount VALUES (?, ?, ?, ?, ?)',
      parameter,
      finite(low),
      finite(high),
      tid,
      rid,
    );
  }

  private pair(rid: number, { parameter, left, right, low, high }: Pair): void {
    const first = this.term(parameter, left);
    const second = right === undefined ? 0 : this.term(parameter + BESIDE, right);
    this.posting(first, rid, parameter);
    if (second !== 0) this.posting(second, rid, parameter + BESIDE);
    this.statements.run(
      'INSERT OR IGNORE INTO pair VALUES (?, ?, ?, ?, ?, ?)',
      first,
      second,
      finite(low ?? 0),
      finite(high ?? 0),
      rid,
      parameter,
    );
  }

  private words(rid: number, words: readonly WordPlaces[]): void {
    const tids = words.map(({ word, at }) => {
      const tid = this.term(WORDS, { parameter: WORDS, a: word, b: '', t: '' });
      const isInNarrative = at.some((place) => place < 0);
      this.statements.run('INSERT INTO word VALUES (?, ?, ?, ?)', tid, rid, isInNarrative ? 1 : 0, JSON.stringify(at));
      return tid;
    });
    this.statements.run('INSERT INTO worded VALUES (?, ?)', rid, JSON.stringify(tids));
  }

  /** Removes the resource's words; returns which it had. */
  private unworded(rid: number): number[] {
    const row = this.statements.get('DELETE FROM worded WHERE rid = ? RETURNING tids', rid);
    const tids = row === undefined ? [] : (JSON.parse(row.tids as string) as number[]);
    for (const tid of tids) this.statements.run('DELETE FROM word WHERE tid = ? AND rid = ?', tid, rid);
    return tids;
  }

  private posting(tid: number, rid: number, parameter: number): void {
    this.statements.run('INSERT OR IGNORE INTO posting VALUES (?, ?, ?)', tid, rid, parameter);
  }

  private term(parameter: number, { a, b, t }: Term): number {
    const name = `${parameter}\n${a}\n${b}\n${t}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const found = this.statements.get(
      'SELECT tid FROM term WHERE parameter = ? AND a = ? AND b = ? AND t = ?',
      ...[parameter, a, b, t],
    );
    const tid =
      (found?.tid as number | undefined) ??
      this.statements.insert('INSERT INTO term (parameter, a, b, t) VALUES (?, ?, ?, ?)', ...[parameter, a, b, t]);
    if (this.known.size >= REMEMBERED) this.known.clear();
    this.known.set(name, tid);
    return tid;
  }

  private dropUnused(tid: number): void {
    if (this.statements.get('SELECT 1 FROM posting WHERE tid = ? LIMIT 1', tid) !== undefined) return;
    if (this.statements.get('SELECT 1 FROM word WHERE tid = ? LIMIT 1', tid) !== undefined) return;
    const row = this.statements.get('DELETE FROM term WHERE tid = ? RETURNING parameter, a, b, t', tid);
    if (row !== undefined)
      this.known.delete(`${String(row.parameter)}\n${String(row.a)}\n${String(row.b)}\n${String(row.t)}`);
  }
}

/** Makes the index rows of posted parameters for what is there already, and takes those away that nothing asks for any more. */
import type { JsonObject } from '../../fhir/json.js';
import type { Faults } from '../faults.js';
import type { IndexStore } from '../index-store.js';
import type { Progress } from '../parameters.js';
import type { Row, Statements } from '../statements.js';
import { BESIDE, IndexRows } from '../values/rows.js';
import { indexPosted, type PostedParameter } from './definition.js';

/** Rows taken away at once. */
const CHUNK = 200;

/** What is left to do for one parameter of one type: from resource `next` to `last`, or to take its rows away. */
interface Job {
  readonly number: number;
  readonly type: string;
  readonly next: number;
  readonly last: number;
  readonly gone: number;
}

/** Where the rows go. */
export interface DerivingPorts {
  readonly statements: Statements;
  readonly index: IndexStore;
  readonly faults: Faults;
  /** The server's base URL with a slash at its end. */
  readonly base: string;
  /** Looks again at what could not be indexed whole, after a parameter went. */
  readonly recheck: () => void;
}

/** The jobs, kept in the database: each step works inside its caller's database transaction. */
export class Deriving {
  constructor(private readonly ports: DerivingPorts) {}

  /** A parameter came: what is written from now on has its rows at once, what was there gets them step by step. */
  begin({ type, entry: { number } }: PostedParameter): void {
    const sql = 'SELECT count(*) AS total, max(rid) AS last FROM resource WHERE type = ? AND deleted = 0';
    const { total, last } = this.ports.statements.get(sql, type) as { total: number; last: number | null };
    this.#run('DELETE FROM deriving WHERE number = ?', number);
    if (last === null) return;
    this.#run('INSERT INTO deriving VALUES (?, ?, 0, ?, 0, ?, 0)', number, type, last, total);
  }

  /** A parameter went, before or after all its rows were made. */
  end({ type, entry: { number } }: PostedParameter): void {
    this.#run('INSERT OR REPLACE INTO deriving VALUES (?, ?, 0, 0, 0, 0, 1)', number, type);
  }

  /** How far a parameter is; undefined where all is done. */
  progress(number: number): Progress | undefined {
    const sql = 'SELECT done, total FROM deriving WHERE number = ? AND gone = 0';
    const row = this.ports.statements.get(sql, number);
    return row === undefined ? undefined : { done: row.done as number, of: row.total as number };
  }

  /** Parameters that something is left to do for. */
  get count(): number {
    return this.ports.statements.get('SELECT count(*) AS n FROM deriving')?.n as number;
  }

  /** Resources that something is left to do for, at most. */
  get left(): number {
    return this.ports.statements.get('SELECT coalesce(sum(total - done), 0) AS n FROM deriving')?.n as number;
  }

  /** One resource, or some rows, of one job; `find` knows the parameters in effect. */
  step(find: (number: number) => PostedParameter | undefined): void {
    const job = this.ports.statements.get('SELECT number, type, next, last, gone FROM deriving LIMIT 1');
    if (job === undefined) return;
    const { number, gone } = job as unknown as Job;
    if (gone === 1) this.#takeAway(number);
    else this.#derive(job as unknown as Job, find(number));
  }

  #derive({ number, type, next, last }: Job, parameter: PostedParameter | undefined): void {
    const row = this.ports.statements.get(
      `SELECT r.rid, v.text, v.ledger_key, v.tx_id, v.block FROM resource r CROSS JOIN version v ON v.vid = r.vid
         WHERE r.type = ? AND r.deleted = 0 AND r.rid > ? AND r.rid <= ? ORDER BY r.rid LIMIT 1`,
      ...[type, next, last],
    );
    if (row === undefined || parameter === undefined) {
      this.#run('DELETE FROM deriving WHERE number = ?', number);
      return;
    }
    this.#index(parameter, row);
    // What is deleted meanwhile is not gone through, what is made again is: the number is for people.
    const sql = 'UPDATE deriving SET next = ?, done = min(done + 1, total) WHERE number = ?';
    this.#run(sql, row.rid as number, number);
  }

  #index(parameter: PostedParameter, { rid, text, ledger_key, tx_id, block }: Row): void {
    const { index, faults, base } = this.ports;
    const rows = new IndexRows(base);
    indexPosted(parameter, JSON.parse(text as string) as JsonObject, rows);
    index.add(rid as number, rows, []);
    if (rows.isWhole) return;
    faults.keep(ledger_key as string, { kind: 'unindexed', txId: tx_id as string, block: block as number });
  }

  #takeAway(number: number): void {
    const { statements, recheck } = this.ports;
    for (const [table, key] of RANGES) {
      if (statements.get(`SELECT 1 FROM ${table} WHERE parameter = ? LIMIT 1`, number) === undefined) continue;
      const some = `SELECT ${key} FROM ${table} WHERE parameter = ? LIMIT ${CHUNK}`;
      this.#run(`DELETE FROM ${table} WHERE parameter = ? AND (${key}) IN (${some})`, number, number);
      return;
    }
    const term = statements.get('SELECT tid FROM term WHERE parameter IN (?, ?) LIMIT 1', number, number + BESIDE);
    if (term !== undefined) {
      this.#takeTerm(term.tid as number);
      return;
    }
    this.#run('DELETE FROM deriving WHERE number = ?', number);
    recheck();
  }

  #takeTerm(tid: number): void {
    const some = `SELECT rid FROM posting WHERE tid = ? LIMIT ${CHUNK}`;
    this.#run(`DELETE FROM posting WHERE tid = ? AND rid IN (${some})`, tid, tid);
    if (this.ports.statements.get('SELECT 1 FROM posting WHERE tid = ? LIMIT 1', tid) !== undefined) return;
    this.#run('DELETE FROM term WHERE tid = ?', tid);
    this.ports.index.forget();
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.ports.statements.run(sql, ...values);
  }
}

/** Tables of ranges, with the columns that tell their rows apart. */
const RANGES = [
  ['span', 'low, high, rid'],
  ['amount', 'low, high, unit, rid'],
] as const;

/** Prepared statements by their text, so that each is compiled once. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** More distinct texts than this are searches of unusual form: the oldest are prepared again when asked. */
const KEPT = 500;

/** One row that a statement returned, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs statements on one database; each text is prepared once and kept. */
export class Statements {
  private readonly prepared = new Map<string, StatementSync>();

  constructor(private readonly database: DatabaseSync) {}

  /** The statement for an SQL text. */
  of(sql: string): StatementSync {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    if (this.prepared.size >= KEPT) this.prepared.delete(this.prepared.keys().next().value ?? '');
    this.prepared.set(sql, statement);
    return statement;
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.of(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.of(sql).all(...values);
  }

  /** Runs an INSERT; returns the row's number. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.of(sql).run(...values).lastInsertRowid);
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.of(sql).run(...values);
  }
}

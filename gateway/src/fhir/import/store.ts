/** Imports and how far each is, in keys.db: what a restart goes on from. What says anything of what is imported is sealed. */
import { inTransaction } from '../../keys/database.js';
import type { KeyStore } from '../../keys/key-store.js';
import type { Actor } from '../../ports.js';
import { Statements, type Row } from '../../projection/statements.js';
import type { ImportOrder } from './order.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS imports (
  id TEXT PRIMARY KEY, gateway TEXT NOT NULL, began INTEGER NOT NULL, is_done INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS import_files (
  import TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, taken INTEGER NOT NULL, failed INTEGER NOT NULL,
  is_done INTEGER NOT NULL, PRIMARY KEY (import, file)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_problems (
  import TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (import, file, line)) STRICT, WITHOUT ROWID;
`;

/** One import. */
export interface ImportJob {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly isDone: boolean;
  /** Who asked: it writes with what they may write. */
  readonly actor: Actor;
  /** URL of the kick-off. */
  readonly request: string;
  /** FHIR instant of the kick-off. */
  readonly time: string;
  readonly order: ImportOrder;
}

/** How far one file is. */
export interface FileStanding {
  readonly file: number;
  /** The last line that is worked on, 0 before the first. */
  readonly line: number;
  /** Resources that are in the record. */
  readonly taken: number;
  /** Lines that are not, and 1 where the file could not be read to its end. */
  readonly failed: number;
  readonly isDone: boolean;
}

/** What a part of a file came to. */
export interface Step {
  readonly file: number;
  /** Its last line. */
  readonly line: number;
  readonly taken: number;
  /** JSON of an OperationOutcome by line, 0 for the file as a whole. */
  readonly problems: ReadonlyMap<number, string>;
  readonly isDone: boolean;
}

/** The imports of one gateway. */
export class ImportStore {
  readonly #statements: Statements;

  constructor(
    private readonly keys: Pick<KeyStore, 'database' | 'seal'>,
    private readonly gateway: string,
  ) {
    keys.database.exec(SCHEMA);
    this.#statements = new Statements(keys.database);
  }

  /** Keeps a new import, durable on return. */
  keep(job: ImportJob): void {
    inTransaction(this.keys.database, () => {
      this.#statements.run(
        'INSERT INTO imports VALUES (?, ?, ?, 0, ?)',
        job.id,
        this.gateway,
        job.began,
        this.#sealed(job),
      );
      for (const file of job.order.input.keys()) {
        this.#statements.run('INSERT INTO import_files VALUES (?, ?, 0, 0, 0, 0)', job.id, file);
      }
    });
  }

  find(id: string): ImportJob | undefined {
    const row = this.#statements.get('SELECT * FROM imports WHERE id = ? AND gateway = ?', id, this.gateway);
    return row && this.#opened(row);
  }

  /** The oldest first. */
  list(): ImportJob[] {
    return this.#statements
      .all('SELECT * FROM imports WHERE gateway = ? ORDER BY began, id', this.gateway)
      .map((row) => this.#opened(row));
  }

  files(id: string): FileStanding[] {
    return this.#statements.all('SELECT * FROM import_files WHERE import = ? ORDER BY file', id).map(standingOf);
  }

  /** Keeps how far a file is and what was wrong in it, at most `most` problems of an import; durable on return. */
  advance(id: string, { file, line, taken, problems, isDone }: Step, most: number): void {
    inTransaction(this.keys.database, () => {
      let left = most - this.#told(id);
      for (const [at, outcome] of problems) {
        if (left-- <= 0) break;
        const sealed = this.keys.seal.seal(Buffer.from(outcome), useOf(id, file, at));
        this.#statements.run('INSERT OR REPLACE INTO import_problems VALUES (?, ?, ?, ?)', id, file, at, sealed);
      }
      this.#statements.run(
        `UPDATE import_files SET line = ?, taken = taken + ?, failed = failed + ?, is_done = ? WHERE import = ? AND file = ?`,
        ...[line, taken, problems.size, isDone ? 1 : 0, id, file],
      );
    });
  }

  /** JSON of an OperationOutcome for each line that is not in the record. */
  *problems(id: string, file: number): Generator<string> {
    const rows = this.#statements.of(
      'SELECT line, sealed FROM import_problems WHERE import = ? AND file = ? AND line > ? ORDER BY line LIMIT 1',
    );
    for (
      let row: Row | undefined = rows.get(id, file, -1);
      row !== undefined;
      row = rows.get(id, file, row.line as number)
    ) {
      yield this.keys.seal.open(row.sealed as Uint8Array, useOf(id, file, row.line as number)).toString('utf8');
    }
  }

  /** It is done: what came with the request is kept no longer. */
  done({ id, order, ...job }: ImportJob): void {
    const { source, input } = order;
    const sealed = this.#sealed({ id, ...job, order: source === undefined ? { input } : { source, input } });
    this.#statements.run('UPDATE imports SET is_done = 1, sealed = ? WHERE id = ?', sealed, id);
  }

  forget(id: string): void {
    inTransaction(this.keys.database, () => {
      this.#statements.run('DELETE FROM import_problems WHERE import = ?', id);
      this.#statements.run('DELETE FROM import_files WHERE import = ?', id);
      this.#statements.run('DELETE FROM imports WHERE id = ?', id);
    });
  }

  #told(id: string): number {
    return this.#statements.get('SELECT count(*) AS n FROM import_problems WHERE import = ?', id)?.n as number;
  }

  #sealed({ id, actor, request, time, order }: ImportJob): Uint8Array {
    return this.keys.seal.seal(Buffer.from(JSON.stringify({ actor, request, time, order })), useOf(id));
  }

  #opened({ id, began, is_done, sealed }: Row): ImportJob {
    const text = this.keys.seal.open(sealed as Uint8Array, useOf(id as string)).toString('utf8');
    return { id, began, isDone: is_done === 1, ...(JSON.parse(text) as object) } as ImportJob;
  }
}

function useOf(...parts: readonly (string | number)[]): string {
  return ['import', ...parts].join('/');
}

function standingOf({ file, line, taken, failed, is_done }: Row): FileStanding {
  return { file, line, taken, failed, isDone: is_done === 1 } as FileStanding;
}

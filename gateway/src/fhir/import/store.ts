/** Imports and how far each is, in keys.db: what a restart goes on from. What says anything of what is imported is sealed. */
import { inTransaction } from '../../keys/database.js';
import type { KeyStore } from '../../keys/key-store.js';
import type { Actor } from '../../ports.js';
import { Statements, type Row } from '../../projection/statements.js';
import type { ImportOrder } from './order.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS import_jobs (
  id TEXT PRIMARY KEY, gateway TEXT NOT NULL, began INTEGER NOT NULL, user TEXT NOT NULL, key TEXT UNIQUE, digest TEXT,
  is_done INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS import_uploads (import TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_files (
  import TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, taken INTEGER NOT NULL, failed INTEGER NOT NULL,
  is_done INTEGER NOT NULL, PRIMARY KEY (import, file)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_parts (
  import TEXT PRIMARY KEY, file INTEGER NOT NULL, open TEXT NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_problems (
  import TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (import, file, line)) STRICT, WITHOUT ROWID;
`;
const TABLES = ['import_uploads', 'import_files', 'import_parts', 'import_problems'];

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
  readonly order: Omit<ImportOrder, 'upload'>;
}

/** The client's key of a kick-off and a digest of the request, neither to be read from what is kept. */
export interface KickOff {
  readonly key: string;
  readonly digest: string;
}

/** An import as others than who asked may know of it. */
export interface KnownImport {
  readonly id: string;
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly began: number;
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

/** Which entries of a part are still to be asked for, by their positions: those of each group together. */
export interface OpenGroups {
  readonly groups: readonly (readonly number[])[];
  /** How often a refusal said which entry it was about. */
  readonly named: number;
}

/** A line on its way into the record. */
export interface PartEntry {
  readonly line: number;
  /** `Type/id`. */
  readonly name: string;
  /** JSON of the resource. */
  readonly text: string;
  /** Under which it may be written: nothing else than was there when it was first asked for. */
  readonly condition: { readonly ifMatch?: string; readonly ifNoneMatch?: string };
}

/** Lines that are being written: what is asked for them is kept, so that it stays the same until the answers are known. */
export interface ImportPart extends OpenGroups {
  readonly file: number;
  /** The last line. */
  readonly line: number;
  readonly entries: readonly PartEntry[];
}

/** What became of lines of a file. */
export interface Step {
  readonly file: number;
  /** The last line that is worked on. */
  readonly line: number;
  readonly taken: number;
  /** JSON of an OperationOutcome by line, 0 for the file as a whole. */
  readonly problems: ReadonlyMap<number, string>;
  readonly isDone: boolean;
  /** What is open of the import's part by then; absent = there is none. */
  readonly open?: OpenGroups;
}

/** The imports of one gateway; any of the member's gateways tells of them. */
export class ImportStore {
  readonly #statements: Statements;

  constructor(
    private readonly keys: Pick<KeyStore, 'database' | 'seal'>,
    private readonly gateway: string,
  ) {
    keys.database.exec(SCHEMA);
    this.#statements = new Statements(keys.database);
  }

  /** Keeps a new import with the text that came with its kick-off, durable on return. */
  keep(job: ImportJob, upload: string | undefined, kickOff: KickOff | undefined): void {
    const { id, began, actor, request, time, order } = job;
    inTransaction(this.keys.database, () => {
      const sealed = this.#sealed({ actor, request, time, order }, id);
      this.#statements.run(
        'INSERT INTO import_jobs VALUES (?, ?, ?, ?, ?, ?, 0, ?)',
        ...[id, this.gateway, began, actor.user, kickOff?.key ?? null, kickOff?.digest ?? null, sealed],
      );
      for (const file of order.input.keys()) {
        this.#statements.run('INSERT INTO import_files VALUES (?, ?, 0, 0, 0, 0)', id, file);
      }
      if (upload === undefined) return;
      this.#statements.run('INSERT INTO import_uploads VALUES (?, ?)', id, this.#sealed(upload, id, 'upload'));
    });
  }

  find(id: string): ImportJob | undefined {
    const row = this.#statements.get('SELECT id, began, is_done, sealed FROM import_jobs WHERE id = ?', id);
    if (row === undefined) return undefined;
    const kept = this.#opened(row, id) as Omit<ImportJob, 'id' | 'began' | 'isDone'>;
    return { id, began: row.began as number, isDone: row.is_done === 1, ...kept };
  }

  /** The import that a kick-off under this key began. */
  begunBy(key: string): { readonly id: string; readonly digest: string } | undefined {
    const row = this.#statements.get('SELECT id, digest FROM import_jobs WHERE key = ?', key);
    return row as { readonly id: string; readonly digest: string } | undefined;
  }

  /** The text that came with the kick-off of an import that is not done. */
  upload(id: string): string | undefined {
    const row = this.#statements.get('SELECT sealed FROM import_uploads WHERE import = ?', id);
    return row && (this.#opened(row, id, 'upload') as string);
  }

  /** Those that are done or not at this gateway, the oldest first. */
  list(isDone: boolean): readonly KnownImport[] {
    const rows = this.#statements.all(
      'SELECT id, user, began FROM import_jobs WHERE gateway = ? AND is_done = ? ORDER BY began, id',
      ...[this.gateway, isDone ? 1 : 0],
    );
    return rows as unknown as readonly KnownImport[];
  }

  files(id: string): FileStanding[] {
    return this.#statements.all('SELECT * FROM import_files WHERE import = ? ORDER BY file', id).map(standingOf);
  }

  /** Begins to write lines, of which others have problems; durable on return. */
  open(id: string, part: ImportPart, problems: ReadonlyMap<number, string>): void {
    const { file, line, entries, groups, named } = part;
    inTransaction(this.keys.database, () => {
      this.#keepProblems(id, file, problems);
      this.#statements.run(
        'UPDATE import_files SET failed = failed + ? WHERE import = ? AND file = ?',
        problems.size,
        id,
        file,
      );
      this.#statements.run(
        'INSERT INTO import_parts VALUES (?, ?, ?, ?)',
        ...[id, file, JSON.stringify({ groups, named }), this.#sealed({ line, entries }, id, 'part')],
      );
    });
  }

  /** The lines of an import that are being written. */
  part(id: string): ImportPart | undefined {
    const row = this.#statements.get('SELECT file, open, sealed FROM import_parts WHERE import = ?', id);
    if (row === undefined) return undefined;
    const kept = this.#opened(row, id, 'part') as Pick<ImportPart, 'line' | 'entries'>;
    return { file: row.file as number, ...kept, ...(JSON.parse(row.open as string) as OpenGroups) };
  }

  /** Keeps what became of lines; durable on return. Throws where the import was ended meanwhile. */
  advance(id: string, { file, line, taken, problems, isDone, open }: Step): void {
    inTransaction(this.keys.database, () => {
      const { changes } = this.#statements
        .of(
          'UPDATE import_files SET line = ?, taken = taken + ?, failed = failed + ?, is_done = ? WHERE import = ? AND file = ?',
        )
        .run(line, taken, problems.size, isDone ? 1 : 0, id, file);
      if (changes === 0) throw new Error('the import was ended');
      this.#keepProblems(id, file, problems);
      if (open === undefined) this.#statements.run('DELETE FROM import_parts WHERE import = ?', id);
      else this.#statements.run('UPDATE import_parts SET open = ? WHERE import = ?', JSON.stringify(open), id);
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
      yield this.#opened(row, id, file, row.line as number) as string;
    }
  }

  /** It is done: what came with the request is kept no longer. */
  done(id: string): void {
    inTransaction(this.keys.database, () => {
      this.#statements.run('DELETE FROM import_uploads WHERE import = ?', id);
      this.#statements.run('DELETE FROM import_parts WHERE import = ?', id);
      this.#statements.run('UPDATE import_jobs SET is_done = 1 WHERE id = ?', id);
    });
  }

  forget(id: string): void {
    inTransaction(this.keys.database, () => {
      for (const table of TABLES) this.#statements.run(`DELETE FROM ${table} WHERE import = ?`, id);
      this.#statements.run('DELETE FROM import_jobs WHERE id = ?', id);
    });
  }

  #keepProblems(id: string, file: number, problems: ReadonlyMap<number, string>): void {
    for (const [at, outcome] of problems) {
      const sealed = this.#sealed(outcome, id, file, at);
      this.#statements.run('INSERT OR REPLACE INTO import_problems VALUES (?, ?, ?, ?)', id, file, at, sealed);
    }
  }

  #sealed(value: unknown, ...use: readonly (string | number)[]): Uint8Array {
    return this.keys.seal.seal(Buffer.from(JSON.stringify(value)), useOf(use));
  }

  #opened({ sealed }: Row, ...use: readonly (string | number)[]): unknown {
    return JSON.parse(this.keys.seal.open(sealed as Uint8Array, useOf(use)).toString('utf8'));
  }
}

function useOf(parts: readonly (string | number)[]): string {
  return ['import', ...parts].join('/');
}

function standingOf({ file, line, taken, failed, is_done }: Row): FileStanding {
  return { file, line, taken, failed, isDone: is_done === 1 } as FileStanding;
}

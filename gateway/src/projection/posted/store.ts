/**
 * The posted search parameters in effect: SearchParameters in force that are active and that an administrator wrote. Which
 * those are, and what their rows are, says the ledger alone, so that a rebuild finds the same.
 */
import type { JsonObject } from '../../fhir/json.js';
import type { ParameterEntry } from '../compile/parameters.js';
import { type Progress, R4_PARAMETERS, type SearchParameters } from '../parameters.js';
import type { Row, Statements } from '../statements.js';
import type { IndexRows } from '../values/rows.js';
import {
  compiled,
  type Definition,
  definitionOf,
  indexPosted,
  isPosted,
  POSTED_LIMITS,
  type PostedParameter,
  problemOf,
} from './definition.js';
import { Deriving, type DerivingPorts } from './deriving.js';

/** The resource type they are posted as. */
export const POSTED_TYPE = 'SearchParameter';
/** Who may post one. */
export const POSTING_ROLE = 'admin';

/** A version of a SearchParameter in force; `by` is the JSON text of an Authorship. */
export interface PostedVersion {
  readonly id: string;
  readonly block: number;
  readonly content: JsonObject;
  readonly by?: string | undefined;
}

/** A posted parameter and the resource that asks for it. */
export interface Posted {
  readonly id: string;
  readonly definition: Definition;
}

/** Of each type and code the first stands. */
function firstOf(posted: readonly Posted[]): PostedParameter[] {
  const taken = new Set<string>();
  return posted.flatMap(({ definition }) => {
    const names = namesOf(definition);
    if (names.some((name) => taken.has(name))) return [];
    for (const name of names) taken.add(name);
    return compiled(definition);
  });
}

/** `Type code` of each of its types. */
export function namesOf({ base, code }: Definition): string[] {
  return base.map((type) => `${type} ${code}`);
}

/** Whether a version asks for a parameter, and which. */
function askedBy({ content, by }: PostedVersion): Definition | undefined {
  if (content.status !== 'active' || by === undefined) return undefined;
  const { role } = JSON.parse(by) as { readonly role?: string };
  const definition = role === POSTING_ROLE ? definitionOf(content) : undefined;
  return definition !== undefined && problemOf(definition) === undefined ? definition : undefined;
}

/** Those of one projection; it works inside its caller's database transaction. */
export class PostedParameters implements SearchParameters {
  readonly deriving: Deriving;
  readonly #statements: Statements;
  #loaded: ReadonlyMap<number, PostedParameter> | undefined;
  readonly #merged = new Map<string, Readonly<Record<string, ParameterEntry>>>();
  #changes = 0;

  constructor(ports: DerivingPorts) {
    this.#statements = ports.statements;
    this.deriving = new Deriving(ports);
  }

  of(type: string): Readonly<Record<string, ParameterEntry>> {
    const own = this.#ofType(type);
    if (own.length === 0) return R4_PARAMETERS.of(type);
    const known = this.#merged.get(type);
    if (known !== undefined) return known;
    const posted = Object.fromEntries(own.map(({ code, entry }) => [code, entry]));
    const merged = { ...R4_PARAMETERS.of(type), ...posted };
    this.#merged.set(type, merged);
    return merged;
  }

  progress({ number }: Pick<ParameterEntry, 'number'>): Progress | undefined {
    return isPosted(number) ? this.deriving.progress(number) : undefined;
  }

  /** Another one whenever something of them, or how far they are, is another. */
  get revision(): number {
    return this.#changes;
  }

  /** What is posted, in the order in which it counts. */
  get posted(): readonly Posted[] {
    const sql = `SELECT id, definition FROM posted ORDER BY block, id LIMIT ${POSTED_LIMITS.parameters}`;
    return this.#statements.all(sql).map(({ id, definition }) => ({
      id: id as string,
      definition: JSON.parse(definition as string) as Definition,
    }));
  }

  /** Adds the rows of every posted parameter of a resource's type. */
  index(type: string, content: JsonObject, rows: IndexRows): void {
    for (const parameter of this.#ofType(type)) indexPosted(parameter, content, rows);
  }

  /** Another version of the SearchParameter numbered `rid` came into force, or none is any more. */
  replaced(rid: number, version: PostedVersion | undefined): void {
    const before = this.#parameters;
    this.#keep(rid, version);
    this.forget();
    const now = this.#parameters;
    for (const [number, parameter] of before) if (!now.has(number)) this.deriving.end(parameter);
    for (const [number, parameter] of now) if (!before.has(number)) this.deriving.begin(parameter);
  }

  /** A version of the resource numbered `rid` was dropped: of what is left, this one (version v, resource r) is in force. */
  fellBack(rid: number, left: Row | undefined): void {
    const isPosted = this.#statements.get('SELECT 1 FROM posted WHERE rid = ?', rid) !== undefined;
    if (!isPosted && left?.type !== POSTED_TYPE) return;
    this.replaced(rid, left === undefined || left.deleted === 1 ? undefined : versionIn(left));
  }

  /** Finds out anew what is posted, where all index rows are made anew. */
  rebuild(): void {
    for (const table of ['posted', 'deriving']) this.#statements.run(`DELETE FROM ${table}`);
    const sql = `SELECT r.rid, r.id, v.text, v.block, v.author FROM resource r JOIN version v ON v.vid = r.vid
         WHERE r.type = ? AND r.deleted = 0`;
    for (const row of this.#statements.all(sql, POSTED_TYPE)) this.#keep(row.rid as number, versionIn(row));
    this.forget();
  }

  /** Does a little of what is left to do; false where nothing is. */
  step(): boolean {
    if (this.deriving.count === 0) return false;
    this.#changes += 1;
    this.deriving.step((number) => this.#parameters.get(number));
    return true;
  }

  /** What is remembered may not be true: a transaction was rolled back, or the tables were changed. */
  forget(): void {
    this.#loaded = undefined;
    this.#merged.clear();
    this.#changes += 1;
  }

  get #parameters(): ReadonlyMap<number, PostedParameter> {
    return (this.#loaded ??= new Map(firstOf(this.posted).map((each) => [each.entry.number, each])));
  }

  #ofType(type: string): readonly PostedParameter[] {
    if (this.#parameters.size === 0) return [];
    return [...this.#parameters.values()].filter((each) => each.type === type);
  }

  #keep(rid: number, version: PostedVersion | undefined): void {
    this.#statements.run('DELETE FROM posted WHERE rid = ?', rid);
    const definition = version === undefined ? undefined : askedBy(version);
    if (version === undefined || definition === undefined) return;
    const { id, block } = version;
    this.#statements.run('INSERT INTO posted VALUES (?, ?, ?, ?)', rid, id, block, JSON.stringify(definition));
  }
}

function versionIn({ id, text, block, author }: Row): PostedVersion {
  return {
    ...{ id: id as string, block: block as number, content: JSON.parse(text as string) as JsonObject },
    by: (author as string | null) ?? undefined,
  };
}

/** Runs searches over the projection. Every resource that is found passes the decision before anyone learns of it. */
import { Refusal } from '../../ledger/refusal.js';
import type { StoredVersion } from '../../ports.js';
import { asStored, VERSION_COLUMNS } from '../stored.js';
import type { Row, Statements } from '../statements.js';
import { generatedSearch } from '../generated.js';
import { literalOf } from '../values/reference.js';
import { intersection, named, negation, postings, union, type Condition } from './condition.js';
import { Cursors, type Position } from './cursor.js';
import { columnCondition, valueCondition } from './filters.js';
import { pageQuery, planOf, VERSION, type Plan } from './plan.js';
import type { Filter, ParameterEntry, SearchQuery } from './query.js';
import { shownBy } from './shown.js';
import type { Sight } from './sight.js';
import { Terms } from './terms.js';
import { escaped } from './values.js';
import { Vocabulary, type TerminologyType } from './vocabulary.js';
import { withCodes } from './with-codes.js';
import { wordsCondition } from './words.js';

/** What one search may cost. */
export const WORK_LIMITS = {
  /** Rows it may look at before it is refused. */
  examined: 200_000,
  /** Resources a chain or a reverse chain may pass through. */
  chainWidth: 5_000,
  /** Totals are counted up to here unless an accurate one is asked for. */
  counted: 1_000,
  /** Resources of one patient's record in one answer. */
  record: 50_000,
} as const;

/** How much work one search may be; see WORK_LIMITS. */
export type WorkLimits = Readonly<Record<keyof typeof WORK_LIMITS, number>>;

const CHUNK = 500;

/** Whose search it is: what they may see, and terminology as they know it. */
interface Asker {
  readonly sight: Sight;
  readonly vocabulary: Vocabulary;
}

interface Reference {
  readonly reference?: string;
}

/** One page of a search; every resource in it was permitted. */
export interface SearchResult {
  readonly matches: readonly StoredVersion[];
  /** Undefined when it was not asked for or would cost too much. */
  readonly total?: number;
  /** Where the next page starts; undefined on the last. */
  readonly next?: string;
}

/** Runs a search within its limits. Throws a Refusal where it would cost more. */
export class Search {
  private readonly terms: Terms;
  private readonly cursors: Cursors;

  constructor(
    private readonly statements: Statements,
    private readonly base: string,
    private readonly limits: WorkLimits = WORK_LIMITS,
  ) {
    this.terms = new Terms(statements, base);
    this.cursors = new Cursors(statements);
  }

  run(query: SearchQuery, sight: Sight): SearchResult {
    const plan = planOf(query.type, this.conditions(query.filters, this.asker(sight)), this.statements);
    if (plan === undefined) return { matches: [], total: 0 };
    if (query.countOnly) return { matches: [], total: this.count(query, plan, sight, Infinity) };
    const found = this.page(query, plan, sight);
    const { matches, next } = found;
    const whole = next === undefined && query.cursor === undefined;
    const total = whole && query.total !== 'none' ? matches.length : this.total(query, plan, sight);
    return { matches, ...(total === undefined ? {} : { total }), ...(next === undefined ? {} : { next }) };
  }

  /** EXPLAIN QUERY PLAN of what `run` would ask, one line a step. */
  explain(query: SearchQuery, sight: Sight): string[] {
    const plan = planOf(query.type, this.conditions(query.filters, this.asker(sight)), this.statements);
    if (plan === undefined) return [];
    const { sql, values } = pageQuery(query, plan, undefined, query.count);
    return this.statements.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map((row) => String(row.detail));
  }

  private total(query: SearchQuery, plan: Plan, sight: Sight): number | undefined {
    if (query.total === 'none') return undefined;
    const limit = query.total === 'accurate' ? Infinity : this.limits.counted + 1;
    const total = this.count(query, plan, sight, limit);
    return total < limit ? total : undefined;
  }

  private count(query: SearchQuery, plan: Plan, sight: Sight, limit: number): number {
    if (sight.unrestricted(query.type)) {
      const bound = Number.isFinite(limit) ? ` LIMIT ${limit}` : '';
      const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${plan.from} WHERE ${plan.where}${bound})`;
      return this.statements.get(sql, ...plan.values)?.n as number;
    }
    let total = 0;
    for (const row of this.rows({ ...query, sort: [] }, plan, undefined)) {
      if (shownBy(sight, query, asStored(row)) !== undefined) total += 1;
      if (total >= limit) break;
    }
    return total;
  }

  private page(query: SearchQuery, plan: Plan, sight: Sight): { matches: StoredVersion[]; next?: string } {
    const start = query.cursor === undefined ? undefined : this.cursors.open(query.cursor);
    const matches: StoredVersion[] = [];
    let last: Position | undefined;
    for (const row of this.rows(query, plan, start)) {
      const seen = shownBy(sight, query, asStored(row));
      if (seen === undefined) continue;
      if (matches.length === query.count) return { matches, ...(last && { next: this.cursors.seal(last) }) };
      matches.push(seen);
      last = positionOf(row, query);
    }
    return { matches };
  }

  private *rows(query: SearchQuery, plan: Plan, start: Position | undefined): Generator<Row> {
    let examined = 0;
    let position = start;
    let size = Math.min(query.count + 1, CHUNK);
    for (;;) {
      const { sql, values } = pageQuery(query, plan, position, size);
      const rows = this.statements.all(sql, ...values);
      yield* rows;
      const last = rows.at(-1);
      if (rows.length < size || last === undefined) return;
      examined += rows.length;
      if (examined > this.limits.examined)
        throw new Refusal('invalid', 'too-costly', 'the search looks at too much: narrow it');
      position = positionOf(last, query);
      size = CHUNK;
    }
  }

  private asker(sight: Sight): Asker {
    return { sight, vocabulary: this.vocabulary(sight) };
  }

  private conditions(filters: readonly Filter[], asker: Asker): Condition[] {
    return filters.map((filter) => this.condition(filter, asker));
  }

  private condition(filter: Filter, asker: Asker): Condition {
    switch (filter.kind) {
      case 'list':
        return named(this.listed(filter.id, asker));
      case 'any':
        return union(this.conditions(filter.filters, asker));
      case 'all':
        return intersection(this.conditions(filter.filters, asker));
      case 'not':
        return negation(this.condition(filter.filter, asker));
      case 'references':
        return postings(
          this.referring(
            filter.entries.map((entry) => entry.number),
            filter.targets,
          ),
        );
      case 'chain':
        return postings(
          filter.links.flatMap((link) =>
            this.referring([filter.entry.number], this.namesOf(link.type, link.filter, asker)),
          ),
        );
      case 'has':
        return this.has(filter, asker);
      default:
        return this.own(filter, asker);
    }
  }

  /** What a resource's own index rows and columns say. */
  private own(filter: Extract<Filter, { kind: 'id' | 'updated' | 'value' | 'words' }>, asker: Asker): Condition {
    if (filter.kind === 'words') return wordsCondition(filter, this.terms);
    if (filter.kind !== 'value') return columnCondition(filter, Date.now());
    return valueCondition(withCodes(filter, asker.vocabulary), this.terms, Date.now());
  }

  /** `Type/id` of what a List holds, as the asker may see it (R4 search.html#list). */
  private listed(id: string, asker: Asker): string[] {
    const [list] = this.matching('List', { kind: 'id', values: [id] }, asker);
    const { entry = [] } = JSON.parse(list?.text ?? '{}') as { entry?: { deleted?: boolean; item?: Reference }[] };
    return entry.flatMap(({ deleted, item }) => {
      const { target } = literalOf(item?.reference ?? '', this.base);
      return deleted === true || !/^[A-Z][A-Za-z]+\/[^/]+$/.test(target) ? [] : [target];
    });
  }

  /** Terminology as an asker knows it, and the work that one request may make of it. */
  vocabulary(sight: Sight): Vocabulary {
    return new Vocabulary((type, url) => this.newest(type, url, sight));
  }

  /** Resources of a URL, the last written first; undefined in place of one that the asker may not see. */
  private *newest(type: TerminologyType, url: string, sight: Sight): Generator<StoredVersion | undefined> {
    const entry = generatedSearch().parameters[type]?.url;
    if (entry === undefined) return;
    const filter = { kind: 'value', entry, modifier: '', values: [escaped(url)] } as const;
    const plan = planOf(type, [valueCondition(filter, this.terms, 0)], this.statements);
    if (plan === undefined) return;
    const sql = `SELECT r.vid FROM ${plan.from} ${VERSION} WHERE ${plan.where} ORDER BY v.block DESC, v.vid DESC`;
    for (const { vid } of this.statements.all(sql, ...plan.values)) {
      const row = this.statements.get(
        `SELECT ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid WHERE v.vid = ?`,
        vid as number,
      );
      yield row === undefined ? undefined : sight.permit(asStored(row));
    }
  }

  private referring(parameters: readonly number[], names: readonly string[]): number[] {
    return [...new Set(parameters.flatMap((parameter) => names.flatMap((name) => this.terms.target(parameter, name))))];
  }

  /** Resources that some visible resource of another type refers to. */
  private has(filter: Extract<Filter, { kind: 'has' }>, asker: Asker): Condition {
    const referring = this.matching(filter.type, filter.filter, asker);
    const { number } = filter.entry;
    const made = asker.sight.derived?.(filter.type, filter.filter) ?? [];
    const names = referring.flatMap((each) => this.referencesOf(each, number));
    return named([...new Set([...names, ...made.flatMap((each) => each.refersTo(number))])]);
  }

  /** `Type/id` of the resources of a type that meet a condition, as the asker may see them. Throws Refusal. */
  named(type: string, filter: Filter, sight: Sight): string[] {
    return this.namesOf(type, filter, this.asker(sight));
  }

  private namesOf(type: string, filter: Filter, asker: Asker): string[] {
    const made = asker.sight.derived?.(type, filter) ?? [];
    return [...this.matching(type, filter, asker).map(nameOf), ...made.map(({ name }) => name)];
  }

  private matching(type: string, filter: Filter, asker: Asker): StoredVersion[] {
    const plan = planOf(type, [this.condition(filter, asker)], this.statements);
    if (plan === undefined) return [];
    const whole = { filters: [filter], sort: [], count: CHUNK, includes: [] };
    const query: SearchQuery = { type, ...whole, total: 'none', countOnly: false };
    const { sight } = asker;
    const found: StoredVersion[] = [];
    for (const row of this.rows(query, plan, undefined)) {
      const seen = shownBy(sight, query, asStored(row));
      if (seen !== undefined) found.push(seen);
      if (found.length > this.limits.chainWidth)
        throw new Refusal('invalid', 'too-costly', 'the chain passes through too many resources: narrow it');
    }
    return found;
  }

  /** `Type/id` of what the current version refers to by the parameter. */
  referencesOf({ type, id }: StoredVersion, parameter: number): string[] {
    const rows = this.statements.all(
      `SELECT t.a FROM resource r JOIN posting p ON p.rid = r.rid AND p.parameter = ? JOIN term t ON t.tid = p.tid
         WHERE r.type = ? AND r.id = ?`,
      ...[parameter, type, id],
    );
    return rows.map((row) => row.a as string);
  }

  /** Current resources of a type that refer to one of the names by the parameter, at most `limit`. */
  referrers(type: string, parameter: number, names: readonly string[], limit: number): StoredVersion[] {
    return this.first(type, postings(this.referring([parameter], names)), limit);
  }

  /** Current resources of a type with the value (R4 search.html) by the parameter, at most `limit`; nothing is decided. */
  holding(type: string, entry: ParameterEntry, value: string, limit = this.limits.chainWidth): StoredVersion[] {
    const condition = valueCondition({ kind: 'value', entry, modifier: '', values: [value] }, this.terms, 0);
    return this.first(type, condition, limit);
  }

  private first(type: string, condition: Condition, limit: number): StoredVersion[] {
    const plan = planOf(type, [condition], this.statements);
    if (plan === undefined) return [];
    const sql = `SELECT ${VERSION_COLUMNS} FROM ${plan.from} ${VERSION} WHERE ${plan.where} LIMIT ?`;
    return this.statements.all(sql, ...plan.values, limit).map(asStored);
  }
}

function nameOf({ type, id }: StoredVersion): string {
  return `${type}/${id}`;
}

function positionOf(row: Row, query: SearchQuery): Position {
  return [...query.sort.map((_, at) => row[`k${at}`] as string | number), row.rid as number];
}

/** Runs searches over the projection. Every resource that is found passes the decision before anyone learns of it. */
import { Refusal } from '../../ledger/refusal.js';
import type { StoredVersion } from '../../ports.js';
import { VERSION_COLUMNS, type StoredRows } from '../stored.js';
import type { Row, Statements } from '../statements.js';
import { intersection, named, negation, postings, union, type Condition } from './condition.js';
import { Cursors, type Place } from './cursor.js';
import { columnCondition, valueCondition } from './filters.js';
import { asksHierarchy, hierarchyOf, type Looked } from './hierarchies.js';
import { itemsOf } from './lists.js';
import { inOneOrder, pageOf, positionOf, walk, type Page, type Ranked } from './page.js';
import { orderOf, pageQuery, planOf, VERSION, type Plan } from './plan.js';
import type { Filter, ParameterEntry, SearchQuery } from './query.js';
import { shownBy } from './shown.js';
import type { Sight } from './sight.js';
import { storedTerminology } from './stored-terminology.js';
import { Terms } from './terms.js';
import { Vocabulary } from './vocabulary.js';
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

/** One page of a search; every resource in it was permitted. */
export interface SearchResult {
  readonly matches: readonly StoredVersion[];
  /** Undefined when it was not asked for or would cost too much. */
  readonly total?: number;
  /** Where the next page starts; undefined on the last. */
  readonly next?: string;
  /** Where the page before this one starts; undefined on the first. */
  readonly previous?: string;
}

/** A search of one type, ready to be gone through. */
interface Planned {
  readonly query: SearchQuery;
  readonly plan: Plan;
}

/** Runs a search within its limits. Throws a Refusal where it would cost more. */
export class Search {
  private readonly terms: Terms;
  private readonly cursors: Cursors;

  constructor(
    private readonly statements: Statements,
    private readonly base: string,
    private readonly stored: StoredRows,
    private readonly limits: WorkLimits = WORK_LIMITS,
  ) {
    this.terms = new Terms(statements, base);
    this.cursors = new Cursors(statements);
  }

  run(query: SearchQuery, sight: Sight): SearchResult {
    return this.merged([query], sight);
  }

  /** A page of several types' searches, alike in all that says how to answer, in one order. */
  merged(queries: readonly [SearchQuery, ...SearchQuery[]], sight: Sight): SearchResult {
    const [{ cursor, sort, count, total: asked, countOnly }] = queries;
    const asker = this.asker(sight);
    const planned = queries.flatMap((query): Planned[] => {
      const plan = planOf(query.type, this.conditions(query.filters, asker), this.statements);
      return plan === undefined ? [] : [{ query, plan }];
    });
    if (countOnly) return { matches: [], total: this.total(planned, sight, Infinity) ?? 0 };
    const from = cursor === undefined ? undefined : this.cursors.open(cursor);
    const sources = planned.map((each) => this.ranked(each, from));
    const rows = inOneOrder(sources, orderOf(sort, from?.isBack === true));
    const page = pageOf(walk(rows, this.stored, sight, count), from);
    const isWhole = page.next === undefined && cursor === undefined;
    const most = asked === 'accurate' ? Infinity : this.limits.counted;
    const counted = isWhole ? page.matches.length : asked === 'none' ? undefined : this.total(planned, sight, most);
    return this.result(page, asked === 'none' ? undefined : counted);
  }

  private result({ matches, next, previous }: Page, total: number | undefined): SearchResult {
    return {
      matches,
      ...(total === undefined ? {} : { total }),
      ...(next === undefined ? {} : { next: this.cursors.seal(next) }),
      ...(previous === undefined ? {} : { previous: this.cursors.seal(previous) }),
    };
  }

  /** EXPLAIN QUERY PLAN of what `run` would ask, one line a step. */
  explain(query: SearchQuery, sight: Sight): string[] {
    const plan = planOf(query.type, this.conditions(query.filters, this.asker(sight)), this.statements);
    if (plan === undefined) return [];
    const { sql, values } = pageQuery(query, plan, undefined, query.count);
    return this.statements.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map((row) => String(row.detail));
  }

  /** How many there are; undefined where there are more than `most`. */
  private total(planned: readonly Planned[], sight: Sight, most: number): number | undefined {
    let total = 0;
    for (const { query, plan } of planned) {
      total += this.count(query, plan, sight, most + 1 - total);
      if (total > most) return undefined;
    }
    return total;
  }

  private count(query: SearchQuery, plan: Plan, sight: Sight, limit: number): number {
    if (sight.unrestricted(query.type)) {
      const bound = Number.isFinite(limit) ? ` LIMIT ${limit}` : '';
      const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${plan.from} WHERE ${plan.where}${bound})`;
      return this.statements.get(sql, ...plan.values)?.n as number;
    }
    let total = 0;
    for (const row of this.rows({ ...query, sort: [] }, plan, undefined)) {
      if (shownBy(sight, query, this.stored.of(row)) !== undefined) total += 1;
      if (total >= limit) break;
    }
    return total;
  }

  private *ranked({ query, plan }: Planned, from: Place | undefined): Generator<Ranked> {
    for (const row of this.rows(query, plan, from)) yield { query, row, position: positionOf(row, query) };
  }

  private *rows(query: SearchQuery, plan: Plan, from: Place | undefined): Generator<Row> {
    let examined = 0;
    let place = from;
    let size = Math.min(query.count + 1, CHUNK);
    for (;;) {
      const { sql, values } = pageQuery(query, plan, place, size);
      const rows = this.statements.all(sql, ...values);
      yield* rows;
      const last = rows.at(-1);
      if (rows.length < size || last === undefined) return;
      examined += rows.length;
      if (examined > this.limits.examined)
        throw new Refusal('invalid', 'too-costly', 'the search looks at too much: narrow it');
      place = { position: positionOf(last, query), isBack: from?.isBack === true };
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
    if (asksHierarchy(filter, this.base)) {
      return postings(this.referring([filter.entry.number], hierarchyOf(filter, this.looked(asker))));
    }
    return valueCondition(withCodes(filter, asker.vocabulary), this.terms, Date.now());
  }

  private looked(asker: Asker): Looked {
    return {
      base: this.base,
      most: this.limits.chainWidth,
      matching: (type, filter) => this.matching(type, filter, asker),
      referencesOf: (stored, parameter) => this.referencesOf(stored, parameter),
    };
  }

  /** `Type/id` of what a List holds, as the asker may see it (R4 search.html#list). */
  private listed(id: string, asker: Asker): string[] {
    const [list] = this.matching('List', { kind: 'id', values: [id] }, asker);
    return itemsOf(list, this.base);
  }

  /** Terminology as an asker knows it, and the work that one request may make of it. */
  vocabulary(sight: Sight): Vocabulary {
    return new Vocabulary(storedTerminology(this.statements, this.stored, this.terms, sight));
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
    return [
      ...this.matching(type, filter, asker).map(({ type: each, id }) => `${each}/${id}`),
      ...made.map(({ name }) => name),
    ];
  }

  private matching(type: string, filter: Filter, asker: Asker): StoredVersion[] {
    const plan = planOf(type, [this.condition(filter, asker)], this.statements);
    if (plan === undefined) return [];
    const whole = { filters: [filter], sort: [], count: CHUNK, includes: [] };
    const query: SearchQuery = { type, ...whole, total: 'none', countOnly: false };
    const { sight } = asker;
    const found: StoredVersion[] = [];
    for (const row of this.rows(query, plan, undefined)) {
      const seen = shownBy(sight, query, this.stored.of(row));
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
    return this.statements.all(sql, ...plan.values, limit).map(this.stored.of);
  }
}

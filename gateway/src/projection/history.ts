/** What is asked of the versions the projection holds. */
import type { StoredVersion } from '../ports.js';

/** Which versions are asked for; newest come first unless said otherwise. */
export interface HistoryQuery {
  readonly type?: string;
  readonly id?: string;
  /** Only versions beyond this number (vid) in the order asked for: where the last page ended. */
  readonly beyond?: number | undefined;
  /** Oldest first. */
  readonly ascending?: boolean;
  /** FHIR instants, inclusive. */
  readonly since?: string;
  readonly until?: string;
  /** FHIR instant: only versions still in force after it. */
  readonly endingAfter?: string;
  readonly limit: number;
}

/** A version and its number among all, by which paging goes on. */
export interface HistoryEntry {
  readonly position: number;
  readonly stored: StoredVersion;
}

/** A version of the same resource that came after version v. */
const NEXT = 'SELECT 1 FROM version n WHERE n.rid = v.rid AND n.version > v.version';

/** The SQL that keeps the versions asked for, v of resource r. */
export function historyCondition(query: HistoryQuery): { where: string[]; values: (string | number)[] } {
  const where = ['1 = 1'];
  const values: (string | number)[] = [];
  const add = (condition: string, ...own: (string | number)[]): void => {
    where.push(condition);
    values.push(...own);
  };
  if (query.type !== undefined && query.id !== undefined) {
    add('v.rid = (SELECT rid FROM resource WHERE type = ? AND id = ?)', query.type, query.id);
  } else if (query.type !== undefined) add('r.type = ?', query.type);
  if (query.beyond !== undefined) add(`v.vid ${query.ascending === true ? '>' : '<'} ?`, query.beyond);
  if (query.since !== undefined) add('v.updated >= ?', query.since);
  if (query.until !== undefined) add('v.updated <= ?', query.until);
  if (query.endingAfter !== undefined) add(`NOT EXISTS (${NEXT} AND n.updated <= ?)`, query.endingAfter);
  return { where, values };
}

/** All resources of a type as they were at some moment. */
import type { StoredVersion } from '../ports.js';
import type { Statements } from './statements.js';
import { VERSION_COLUMNS, type StoredRows } from './stored.js';

/** Resources of a type in the order of their numbers. */
export interface SnapshotQuery {
  readonly type: string;
  /** FHIR instant, inclusive. */
  readonly since: string;
  /** Number (rid) of the last resource of the page before; 0 for the first page. */
  readonly after: number;
  readonly limit: number;
}

/** A page of them; `last` is where the next one starts, undefined on the last. */
export interface SnapshotPage {
  readonly versions: readonly StoredVersion[];
  readonly last?: number;
}

/** A page of those that were in force when the version numbered `vid` was the newest. */
export function snapshotOf(
  statements: Statements,
  stored: StoredRows,
  vid: number,
  { type, since, after, limit }: SnapshotQuery,
): SnapshotPage {
  const rows = statements.all(
    `SELECT r.rid AS rid, ${VERSION_COLUMNS} FROM resource r CROSS JOIN version v
       ON v.vid = (SELECT max(n.vid) FROM version n WHERE n.rid = r.rid AND n.vid <= ?)
       WHERE r.type = ? AND r.rid > ? ORDER BY r.rid LIMIT ?`,
    ...[vid, type, after, limit],
  );
  const versions = rows.map(stored.of).filter((each) => !each.deleted && each.lastUpdated >= since);
  const last = rows.length < limit ? undefined : (rows.at(-1)?.rid as number);
  return last === undefined ? { versions } : { versions, last };
}

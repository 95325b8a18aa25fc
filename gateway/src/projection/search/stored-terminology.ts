/** Terminology that is stored here, by its canonical URLs. */
import type { StoredVersion } from '../../ports.js';
import { generatedSearch } from '../generated.js';
import type { Statements } from '../statements.js';
import { VERSION_COLUMNS, type StoredRows } from '../stored.js';
import { valueCondition } from './filters.js';
import { planOf, VERSION } from './plan.js';
import type { Sight } from './sight.js';
import type { Terms } from './terms.js';
import { escaped } from './values.js';
import type { StoredTerminology } from './vocabulary.js';

const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;

/**
 * Resources of a URL, the last written first, or the one that a relative address names (R4 search.html#modifiers: `:in`
 * takes either); undefined in place of one that the asker may not see.
 */
export function storedTerminology(
  statements: Statements,
  stored: StoredRows,
  terms: Terms,
  sight: Sight,
): StoredTerminology {
  const versionsAt = (type: string, address: string): number[] => {
    const [, named, id] = RELATIVE.exec(address) ?? [];
    if (named !== type || id === undefined) return [];
    const sql = 'SELECT r.vid FROM resource r WHERE r.type = ? AND r.id = ? AND r.deleted = 0';
    return statements.all(sql, type, id).map(({ vid }) => vid as number);
  };
  const versionsOf = (type: string, url: string): number[] => {
    const entry = generatedSearch().parameters[type]?.url;
    if (entry === undefined) return [];
    const filter = { kind: 'value', entry, modifier: '', values: [escaped(url)] } as const;
    const plan = planOf(type, [valueCondition(filter, terms, 0)], statements);
    if (plan === undefined) return [];
    const sql = `SELECT r.vid FROM ${plan.from} ${VERSION} WHERE ${plan.where} ORDER BY v.block DESC, v.vid DESC`;
    return statements.all(sql, ...plan.values).map(({ vid }) => vid as number);
  };
  return function* (type, url): Generator<StoredVersion | undefined> {
    for (const vid of [...versionsAt(type, url), ...versionsOf(type, url)]) {
      const row = statements.get(
        `SELECT ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid WHERE v.vid = ?`,
        vid,
      );
      yield row === undefined ? undefined : sight.permit(stored.of(row));
    }
  };
}

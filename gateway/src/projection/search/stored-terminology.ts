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

/** Resources of a URL, the last written first; undefined in place of one that the asker may not see. */
export function storedTerminology(
  statements: Statements,
  stored: StoredRows,
  terms: Terms,
  sight: Sight,
): StoredTerminology {
  return function* (type, url): Generator<StoredVersion | undefined> {
    const entry = generatedSearch().parameters[type]?.url;
    if (entry === undefined) return;
    const filter = { kind: 'value', entry, modifier: '', values: [escaped(url)] } as const;
    const plan = planOf(type, [valueCondition(filter, terms, 0)], statements);
    if (plan === undefined) return;
    const sql = `SELECT r.vid FROM ${plan.from} ${VERSION} WHERE ${plan.where} ORDER BY v.block DESC, v.vid DESC`;
    for (const { vid } of statements.all(sql, ...plan.values)) {
      const row = statements.get(
        `SELECT ${VERSION_COLUMNS} FROM version v CROSS JOIN resource r ON r.rid = v.rid WHERE v.vid = ?`,
        vid as number,
      );
      yield row === undefined ? undefined : sight.permit(stored.of(row));
    }
  };
}

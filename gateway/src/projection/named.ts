/** What current resources name, and what names them, whatever their types. */
import type { StoredVersion } from '../ports.js';
import type { Statements } from './statements.js';
import { VERSION_COLUMNS, type StoredRows } from './stored.js';
import { ATTACHED } from './values/attached.js';

/** `Type/id` of whatever the resources refer to by any search parameter, or attach. */
export function referredBy(statements: Statements, resources: readonly StoredVersion[]): string[] {
  const names = JSON.stringify(resources.map(({ type, id }) => `${type}/${id}`));
  const rows = statements.all(
    `SELECT DISTINCT t.a FROM json_each(?) j
       CROSS JOIN resource r ON r.type = substr(j.value, 1, instr(j.value, '/') - 1)
         AND r.id = substr(j.value, instr(j.value, '/') + 1)
       CROSS JOIN posting p ON p.rid = r.rid CROSS JOIN term t ON t.tid = p.tid
       WHERE t.b = '' AND t.a GLOB '[A-Z]*/*' AND t.t = ''`,
    names,
  );
  return rows.map((row) => row.a as string);
}

/** Current resources that attach the Binary. */
export function attachingOf(statements: Statements, stored: StoredRows, id: string): StoredVersion[] {
  const sql = `SELECT ${VERSION_COLUMNS} FROM term t CROSS JOIN posting p ON p.tid = t.tid
       CROSS JOIN resource r ON r.rid = p.rid CROSS JOIN version v ON v.vid = r.vid
       WHERE t.parameter = ? AND t.a = ? ORDER BY r.rid`;
  return statements.all(sql, ATTACHED, `Binary/${id}`).map(stored.of);
}

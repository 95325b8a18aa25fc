/** Changes what a member's projection says, as whoever runs that member can. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';

import { projectionFile } from '@salus/gateway/open-projection';

import { gatewaySettings } from './gateway-settings.js';

/** Runs an UPDATE on the projection of stmary of a network's state folder; something must have changed. */
export function changeProjection(stateDir: string, sql: string, ...values: readonly string[]): void {
  const database = new DatabaseSync(projectionFile(gatewaySettings(stateDir, 'stmary')), { timeout: 5_000 });
  try {
    assert.ok(database.prepare(sql).run(...values).changes > 0);
  } finally {
    database.close();
  }
}

/** Puts another text in the place of one in all versions of a resource. */
export function falsify(stateDir: string, was: string, is: string, id: string): void {
  const sql = 'UPDATE version SET text = replace(text, ?, ?) WHERE rid = (SELECT rid FROM resource WHERE id = ?)';
  changeProjection(stateDir, sql, was, is, id);
}

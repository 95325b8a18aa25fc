/** Whether what was read is on record: in the gateways' read logs at home, on the ledger across members. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { FaultyConsortium } from './consortium.js';
import type { Reader } from './reader.js';
import { searched } from './searched.js';

const CUSTODIAN = 'stmary';

/** Reads that showed a patient's data and of which there is no record. */
export async function unrecordedReads(consortium: FaultyConsortium, reader: Reader): Promise<number> {
  const logged = usersIn(consortium);
  const [base = ''] = consortium.urlsOf(CUSTODIAN);
  const query = `${base}/fhir/R4/AuditEvent?patient=${reader.patient}`;
  const events = await searched<object>(query, await reader.patientToken());
  const recorded = new Set(events.flatMap((event) => JSON.stringify(event).match(/reader-\d+/g) ?? []));
  return reader.shown.filter(({ user, remote }) => !(remote ? recorded : logged).has(user)).length;
}

/** Entries of the members' read logs that are not anchored on the ledger. */
export function unanchoredReads(consortium: FaultyConsortium, members: readonly string[]): number {
  return members
    .flatMap((member) => logsOf(consortium, member))
    .map((log) => {
      const sql = 'SELECT count(*) AS n FROM reads WHERE seq > (SELECT coalesce(max(last), 0) FROM anchored)';
      return Number(from(log, sql)[0]?.['n']);
    })
    .reduce((sum, each) => sum + each, 0);
}

function usersIn(consortium: FaultyConsortium): Set<string> {
  const rows = logsOf(consortium, CUSTODIAN).flatMap((log) => from(log, 'SELECT entry FROM reads'));
  return new Set(rows.map(({ entry }) => (JSON.parse(String(entry)) as { user: string }).user));
}

function logsOf(consortium: FaultyConsortium, member: string): string[] {
  const folder = consortium.dataOf(member);
  return readdirSync(folder)
    .filter((name) => /^readlog-.*\.db$/.test(name))
    .map((name) => join(folder, name));
}

function from(file: string, sql: string) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

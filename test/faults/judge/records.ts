/** Whether what was read is on record: in the gateways' read logs at home, on the ledger across members. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HOSPITALS, type Members } from '../members.js';
import type { PatientLine } from './history.js';
import { searched } from './searched.js';

const USERS = /reader-\d+/g;

/** When somebody's read was first on record, milliseconds since 1970, by who read. */
export type Recorded = Readonly<Record<string, number>>;

/** Who has, by the ledger's access records, asked for these patients' data from elsewhere, and when. */
export async function recordedAcross(members: Members, patients: readonly PatientLine[]): Promise<Recorded> {
  const records: (readonly [string, string])[] = [];
  for (const { member, patient } of patients) {
    const [base = ''] = members.urlsOf(member);
    const token = await members.token(member, 0, { subject: 'pat', role: 'patient', patient });
    const query = `${base}/fhir/R4/AuditEvent?patient=${patient}`;
    for (const event of await searched<{ readonly recorded: string }>(query, token)) {
      for (const user of JSON.stringify(event).match(USERS) ?? []) records.push([user, event.recorded]);
    }
  }
  return firstOf(records);
}

/** Who is in the hospitals' read logs, and since when. */
export function recordedAtHome(members: Members): Recorded {
  const rows = HOSPITALS.flatMap((name) => logsOf(members, name)).flatMap((log) =>
    from(log, 'SELECT entry FROM reads'),
  );
  const entries = rows.map(({ entry }) => JSON.parse(String(entry)) as { user: string; at: string });
  return firstOf(entries.map(({ user, at }) => [user, at]));
}

function firstOf(records: readonly (readonly [user: string, instant: string])[]): Recorded {
  const first = new Map<string, number>();
  for (const [user, instant] of records) {
    first.set(user, Math.min(Date.parse(instant), first.get(user) ?? Infinity));
  }
  return Object.fromEntries(first);
}

/** Entries of the hospitals' read logs that are not anchored on the ledger, by log and number. */
export function unanchoredReads(members: Members): string[] {
  const sql = 'SELECT seq FROM reads WHERE seq > (SELECT coalesce(max(last), 0) FROM anchored)';
  const logs = HOSPITALS.flatMap((name) => logsOf(members, name));
  return logs.flatMap((log) => from(log, sql).map(({ seq }) => `${log} ${Number(seq)}`));
}

function logsOf(members: Members, member: string): string[] {
  const folder = members.dataOf(member);
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

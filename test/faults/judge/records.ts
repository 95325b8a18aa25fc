/** Whether what was read is on record: in the gateways' read logs at home, on the ledger across members. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HOSPITALS, type Members } from '../members.js';
import type { PatientLine } from './history.js';
import { searched } from './searched.js';

const USERS = /reader-\d+/g;

/** Who has, by the ledger's access records, asked for these patients' data from elsewhere. */
export async function recordedAcross(members: Members, patients: readonly PatientLine[]): Promise<string[]> {
  const users: string[] = [];
  for (const { member, patient } of patients) {
    const [base = ''] = members.urlsOf(member);
    const token = await members.token(member, 0, { subject: 'pat', role: 'patient', patient });
    const events = await searched<object>(`${base}/fhir/R4/AuditEvent?patient=${patient}`, token);
    users.push(...events.flatMap((event) => JSON.stringify(event).match(USERS) ?? []));
  }
  return users;
}

/** Who is in the hospitals' read logs. */
export function recordedAtHome(members: Members): string[] {
  const rows = HOSPITALS.flatMap((name) => logsOf(members, name)).flatMap((log) =>
    from(log, 'SELECT entry FROM reads'),
  );
  return rows.map(({ entry }) => (JSON.parse(String(entry)) as { user: string }).user);
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

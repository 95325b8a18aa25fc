/** One hash over everything the projection derived, in an order that does not depend on how it came to be. */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

import { Awaited } from './awaited.js';
import { generatedSearch } from './generated.js';
import { Statements } from './statements.js';

/** Rows in canonical order; row numbers (rid, vid, tid) are left out: a rebuild after a purge gives others. */
const QUERIES = [
  `SELECT r.type, r.id, v.version, v.updated, v.deleted, v.text, v.tx_id, v.block, v.ledger_key, v.patient, v.author,
     r.version AS current FROM version v JOIN resource r ON r.rid = v.rid ORDER BY r.type, r.id, v.version`,
  `SELECT r.type, r.id, t.parameter, t.a, t.b, t.t FROM posting p JOIN term t ON t.tid = p.tid
     JOIN resource r ON r.rid = p.rid ORDER BY r.type, r.id, t.parameter, t.a, t.b, t.t`,
  `SELECT r.type, r.id, s.parameter, s.low, s.high FROM span s JOIN resource r ON r.rid = s.rid
     ORDER BY r.type, r.id, s.parameter, s.low, s.high`,
  `SELECT r.type, r.id, a.parameter, a.low, a.high, t.a, t.b, t.t FROM amount a JOIN resource r ON r.rid = a.rid
     LEFT JOIN term t ON t.tid = a.unit ORDER BY r.type, r.id, a.parameter, a.low, a.high, t.a, t.b, t.t`,
  `SELECT r.type, r.id, p.parameter, p.low, p.high, t.a, t.b, t.t, u.a AS ua, u.b AS ub, u.t AS ut FROM pair p
     JOIN resource r ON r.rid = p.rid JOIN term t ON t.tid = p.left LEFT JOIN term u ON u.tid = p.right
     ORDER BY r.type, r.id, p.parameter, p.low, p.high, t.a, t.b, t.t, ua, ub, ut`,
  `SELECT r.type, r.id, t.a, w.narrative, w.at FROM word w JOIN term t ON t.tid = w.tid JOIN resource r ON r.rid = w.rid
     ORDER BY r.type, r.id, t.a`,
  'SELECT parameter, a, b, t FROM term ORDER BY parameter, a, b, t',
  'SELECT space, key, value FROM fact ORDER BY space, key',
  'SELECT ledger_key, kind, block FROM fault ORDER BY ledger_key',
  'SELECT number, hash FROM checkpoint',
];

/** Hex SHA-256. */
export function digestOf(statements: Statements): string {
  const hash = createHash('sha256');
  for (const query of QUERIES) {
    for (const row of statements.of(query).iterate()) hash.update(JSON.stringify(Object.values(row))).update('\n');
    hash.update('\n');
  }
  return hash.digest('hex');
}

/** What a projection came to by a block. */
export interface Digested {
  readonly digest: string;
  /** Number of the last block applied, -1 before the first. */
  readonly block: number;
  /** How many values its peer has not delivered. */
  readonly awaited: number;
  /** How many posted search parameters have not all their rows yet, or still some. */
  readonly deriving: number;
  /** Whether this code indexes alike. */
  readonly isOfThisCode: boolean;
}

/** Of the database of a projection in use, at one moment: read where it lies, while its gateway goes on. */
export function digestOfFile(file: string): Digested {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.exec('PRAGMA temp_store = MEMORY; BEGIN');
    const statements = new Statements(database);
    const checkpoint = statements.get('SELECT number, form FROM checkpoint');
    const isOfThisCode = checkpoint === undefined || checkpoint.form === generatedSearch().stamp;
    return {
      digest: digestOf(statements),
      block: (checkpoint?.number as number | undefined) ?? -1,
      awaited: new Awaited(statements).count,
      deriving: isOfThisCode ? (statements.get('SELECT count(*) AS n FROM deriving')?.n as number) : 0,
      isOfThisCode,
    };
  } finally {
    database.close();
  }
}

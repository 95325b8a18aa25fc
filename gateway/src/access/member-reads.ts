/** The read logs of all of a member's gateways, which lie beside each other, read together. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { ReadEntry } from './read-log.js';

/** File of one gateway's read log, in the folder of its member's data. */
export function readLogFile(folder: string, gateway: string): string {
  return join(folder, `readlog-${gateway}.db`);
}

const FILE = /^readlog-(.+)\.db$/;

/** Where an entry stands among all: newest first, then by source and by place within it. */
export interface Place {
  /** FHIR instant. */
  readonly at: string;
  /** Name of the gateway. */
  readonly source: string;
  readonly seq: number;
}

/** An entry of a read log with its place among those of all gateways. */
export type PlacedRead = ReadEntry & Place;

/** Reads of any of the member's gateways; a gateway that is added later is found. */
export class MemberReads {
  readonly #open = new Map<string, DatabaseSync>();

  constructor(private readonly folder: string) {}

  /** Reads of one patient's record after a place, newest first. */
  page(patient: string, after: Place | undefined, limit: number): readonly PlacedRead[] {
    const found = this.#logs().flatMap(([source, database]) => pageOf(database, source, { patient, after, limit }));
    return found.sort(newestFirst).slice(0, limit);
  }

  /** How many reads of one patient's record there are. */
  count(patient: string): number {
    const counts = this.#logs().map(
      ([, database]) => database.prepare('SELECT count(*) AS n FROM reads WHERE patient = ?').get(patient)?.n as number,
    );
    return counts.reduce((sum, each) => sum + each, 0);
  }

  close(): void {
    for (const database of this.#open.values()) database.close();
  }

  #logs(): [string, DatabaseSync][] {
    for (const name of readdirSync(this.folder)) {
      const gateway = FILE.exec(name)?.[1];
      if (gateway === undefined || this.#open.has(gateway)) continue;
      this.#open.set(gateway, new DatabaseSync(join(this.folder, name), { readOnly: true }));
    }
    return [...this.#open];
  }
}

/** Orders places: newest first, then by source, then by place within it. */
export function newestFirst(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  if (a.source !== b.source) return a.source < b.source ? 1 : -1;
  return b.seq - a.seq;
}

function pageOf(
  database: DatabaseSync,
  source: string,
  { patient, after, limit }: { readonly patient: string; readonly after: Place | undefined; readonly limit: number },
): PlacedRead[] {
  const at = after?.at ?? '9999';
  const rows = database
    .prepare(
      `SELECT seq, entry FROM reads WHERE patient = ? AND (at < ? OR (at = ? AND seq < ?))
         ORDER BY at DESC, seq DESC LIMIT ?`,
    )
    .all(patient, at, at, seqBound(source, after), limit);
  return rows.map(({ seq, entry }) => ({ ...(JSON.parse(entry as string) as ReadEntry), source, seq: seq as number }));
}

/** Of the entries of the very instant: those of sources that come later, and of the same one the rest. */
function seqBound(source: string, after: Place | undefined): number {
  if (after === undefined || source > after.source) return 0;
  return source === after.source ? after.seq : Number.MAX_SAFE_INTEGER;
}

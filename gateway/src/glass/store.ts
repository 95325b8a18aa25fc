/** Broken glass at this member, in keys.db, shared by its gateways: what was opened, by whom, and whether it was reviewed. */
import { SECOND_ACT_MS } from '@salus/chaincode/access/api';

import { inTransaction } from '../keys/database.js';
import type { KeyStore } from '../keys/key-store.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS broken_glass (
  aid TEXT PRIMARY KEY, pid TEXT NOT NULL, patient TEXT NOT NULL, member TEXT NOT NULL, user TEXT NOT NULL,
  at INTEGER NOT NULL, follows TEXT, state TEXT NOT NULL, review TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS broken_glass_by_time ON broken_glass (member, at);
CREATE TABLE IF NOT EXISTS glass_asked (
  patient TEXT NOT NULL, user TEXT NOT NULL, aid TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (patient, user)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glass_late (aid TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

const ACTS = 'SELECT b.*, EXISTS (SELECT 1 FROM glass_late l WHERE l.aid = b.aid) AS late FROM broken_glass b';

/** Emergency summaries that a member, and that one clinician, may open here within an hour of ticks. */
export const GLASS_BUDGET = { member: 20, clinician: 3 } as const;
const HOUR_MS = 3_600_000;
const OPENED: readonly GlassState[] = ['taken', 'queued', 'open'];

const SHOWN: readonly GlassState[] = ['open', 'queued'];

/**
 * Waits for the privacy officer; taken and not on the record yet; queued: open, while the ledger is away, by a trace that is
 * on disk and goes on the ledger by itself; open; approved, for the next time; refused.
 */
export type GlassState = 'waiting' | 'taken' | 'queued' | 'open' | 'approved' | 'refused';

/** One act of breaking the glass. */
export interface Glass {
  readonly aid: string;
  readonly pid: string;
  /** FHIR id of the Patient here. */
  readonly patient: string;
  readonly member: string;
  readonly user: string;
  /** Milliseconds since 1970: the tick it was decided at. */
  readonly at: number;
  /** The first act, of a second one. */
  readonly follows?: string;
}

/** As it is kept. */
export interface KeptGlass extends Glass {
  readonly state: GlassState;
  /** What the review found. */
  readonly review?: string;
  /** It opened before it was on the ledger. */
  readonly isLate: boolean;
}

/** The acts in keys.db; every change is durable on return. */
export class GlassStore {
  constructor(private readonly keys: KeyStore) {
    keys.database.exec(SCHEMA);
  }

  /** Takes an act, if it follows one that is open, was approved, or is within the budget; else it waits. Again changes nothing. */
  take(glass: Glass): GlassState {
    return inTransaction(
      this.keys.database,
      () => this.of(glass.aid)?.state ?? this.#kept(glass, this.#stateOf(glass)),
    );
  }

  /**
   * Takes another member's act while the ledger is away, which opens it: within the budget, or soon after its first; `at` is
   * by the own clock, for there are no ticks. False beyond that, and for an act that is known.
   */
  takeLate(glass: Glass): boolean {
    return inTransaction(this.keys.database, () => {
      const { aid, follows } = glass;
      const may = follows === undefined ? !this.isSpent(glass) : this.#follows(glass, follows);
      if (!may || this.of(aid) !== undefined) return false;
      this.#kept(glass, 'queued');
      this.#markLate(aid);
      return true;
    });
  }

  /** Whether the hour's budget of the member, or of its clinician, is spent at `at`; acts before and after count alike. */
  isSpent(by: Pick<Glass, 'member' | 'user' | 'at'>): boolean {
    const { member, clinician } = GLASS_BUDGET;
    return this.#count(by, OPENED) >= member || this.#count(by, OPENED, by.user) >= clinician;
  }

  /** Takes an act of this member's own person: before the own records there is no budget. */
  takeOwn(glass: Glass): void {
    this.#kept(glass, 'taken');
  }

  #kept(glass: Glass, state: GlassState): GlassState {
    const { aid, pid, patient, member, user, at, follows = null } = glass;
    this.keys.database
      .prepare('INSERT INTO broken_glass VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)')
      .run(aid, pid, patient, member, user, at, follows, state);
    return state;
  }

  /** What was taken is on the record: it opens. */
  open(aid: string): void {
    this.#pass(aid, 'taken', 'open');
  }

  /** What was taken is on disk, and the ledger is away: it opens within the budget that is there for that. False beyond it. */
  queue(glass: Glass): boolean {
    return inTransaction(this.keys.database, () => {
      const { member, clinician } = GLASS_BUDGET;
      if (this.#countLate(glass) >= member || this.#countLate(glass, glass.user) >= clinician) return false;
      this.#markLate(glass.aid);
      return this.#pass(glass.aid, 'taken', 'queued');
    });
  }

  /** Opens for good what was queued and is on the ledger by now. */
  settleQueued(isOnLedger: (aid: string) => boolean): void {
    const rows = this.keys.database.prepare("SELECT aid FROM broken_glass WHERE state = 'queued'").all();
    for (const { aid } of rows) if (isOnLedger(aid as string)) this.#pass(aid as string, 'queued', 'open');
  }

  /** The privacy officer's word on an act beyond the budget; false when none waits under this id. */
  settle(aid: string, isApproved: boolean): boolean {
    return this.#pass(aid, 'waiting', isApproved ? 'approved' : 'refused');
  }

  /** Keeps what a review found; false when there is nothing to review under this id, or not any more. */
  review(aid: string, outcome: string): boolean {
    const sql = "UPDATE broken_glass SET review = ? WHERE aid = ? AND state = 'open' AND review IS NULL";
    return this.keys.database.prepare(sql).run(outcome, aid).changes === 1;
  }

  /** One act. */
  of(aid: string): KeptGlass | undefined {
    const row = this.keys.database.prepare(`${ACTS} WHERE aid = ?`).get(aid);
    return row && glassOf(row);
  }

  /**
   * Acts, at most `limit`: those that wait for somebody's word, the oldest first, then the newest. What comes later, refused
   * acts and second ones included, puts none that is to be reviewed out of sight.
   */
  listed(limit: number): readonly KeptGlass[] {
    const isWaiting = "(review IS NULL AND follows IS NULL AND state IN ('open', 'queued', 'waiting'))";
    const order = `${isWaiting} DESC, CASE WHEN ${isWaiting} THEN at ELSE -at END, aid`;
    return this.keys.database.prepare(`${ACTS} ORDER BY ${order} LIMIT ?`).all(limit).map(glassOf);
  }

  /** The act of which this holds, however many there are; undefined = none. */
  find(isWanted: (aid: string) => boolean): KeptGlass | undefined {
    for (const { aid } of this.keys.database.prepare('SELECT aid FROM broken_glass').iterate()) {
      if (isWanted(aid as string)) return this.of(aid as string);
    }
    return undefined;
  }

  /** Whether this person broke the glass here before a patient's record lately; `now` in ms since 1970. */
  isBroken(by: Pick<Glass, 'member' | 'user' | 'patient'>, now: number): boolean {
    const sql = `SELECT 1 FROM broken_glass
      WHERE member = ? AND user = ? AND patient = ? AND state IN ('open', 'queued') AND at > ? LIMIT 1`;
    return this.keys.database.prepare(sql).get(by.member, by.user, by.patient, now - SECOND_ACT_MS) !== undefined;
  }

  /** Remembers the first act that a clinician of this member did elsewhere, for the second. */
  asked(patient: string, user: string, aid: string, now: number): void {
    this.keys.database.prepare('INSERT OR REPLACE INTO glass_asked VALUES (?, ?, ?, ?)').run(patient, user, aid, now);
  }

  /** The first act that a second one may follow; undefined = none, or too long ago. */
  firstOf(patient: string, user: string, now: number): string | undefined {
    const sql = 'SELECT aid FROM glass_asked WHERE patient = ? AND user = ? AND at > ?';
    return this.keys.database.prepare(sql).get(patient, user, now - SECOND_ACT_MS)?.aid as string | undefined;
  }

  #pass(aid: string, from: GlassState, to: GlassState): boolean {
    const sql = 'UPDATE broken_glass SET state = ? WHERE aid = ? AND state = ?';
    return this.keys.database.prepare(sql).run(to, aid, from).changes === 1;
  }

  #stateOf(glass: Glass): GlassState {
    if (glass.follows !== undefined) return this.#follows(glass, glass.follows) ? 'taken' : 'refused';
    if (this.#isApproved(glass)) return 'taken';
    if (!this.isSpent(glass)) return 'taken';
    // Nor is the privacy officer asked without end.
    return this.#count(glass, ['waiting']) < GLASS_BUDGET.member ? 'waiting' : 'refused';
  }

  /** First acts of the member, or of one of its clinicians, within the hour. */
  #count({ member, at }: Pick<Glass, 'member' | 'at'>, states: readonly GlassState[], user?: string): number {
    const sql = `SELECT count(*) AS n FROM broken_glass
      WHERE member = ? AND at > ? AND follows IS NULL AND state IN (SELECT value FROM json_each(?))
        AND (? IS NULL OR user = ?)`;
    const by = user ?? null;
    return this.keys.database.prepare(sql).get(member, at - HOUR_MS, JSON.stringify(states), by, by)?.n as number;
  }

  /** Acts of the member, or of one of its clinicians, within the hour that opened before they were on the ledger. */
  #countLate({ member, at }: Glass, user?: string): number {
    const sql = `SELECT count(*) AS n FROM glass_late l JOIN broken_glass b ON b.aid = l.aid
      WHERE member = ? AND at > ? AND (? IS NULL OR user = ?)`;
    const by = user ?? null;
    return this.keys.database.prepare(sql).get(member, at - HOUR_MS, by, by)?.n as number;
  }

  #follows({ pid, member, user, at }: Glass, follows: string): boolean {
    const first = this.of(follows);
    if (first === undefined || !SHOWN.includes(first.state) || first.follows !== undefined) return false;
    return first.pid === pid && first.member === member && first.user === user && at - first.at <= SECOND_ACT_MS;
  }

  #markLate(aid: string): void {
    this.keys.database.prepare('INSERT INTO glass_late VALUES (?)').run(aid);
  }

  /** An approval is good once, for the same person and patient, and for an hour. */
  #isApproved({ pid, member, user, at }: Glass): boolean {
    const sql = `UPDATE broken_glass SET state = 'refused', review = 'approval used'
      WHERE pid = ? AND member = ? AND user = ? AND state = 'approved' AND at > ?`;
    return Number(this.keys.database.prepare(sql).run(pid, member, user, at - HOUR_MS).changes) > 0;
  }
}

function glassOf(row: Record<string, unknown>): KeptGlass {
  const { follows, review, late, ...rest } = row as unknown as Omit<KeptGlass, 'follows' | 'review' | 'isLate'> & {
    readonly follows: string | null;
    readonly review: string | null;
    readonly late: number;
  };
  return { ...rest, isLate: late === 1, ...(follows !== null && { follows }), ...(review !== null && { review }) };
}

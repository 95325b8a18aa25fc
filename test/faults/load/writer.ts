/** A client that writes all the time, and has a history of what it was told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { History, Told, WriteKind } from '../judge/history.js';
import type { Members } from '../members.js';
import type { Answer } from './ask.js';

/** One write as its client makes it. */
export interface Piece {
  readonly kind: WriteKind;
  readonly marks: readonly string[];
  /** Asks one of the member's gateways, by its place; the same each time under the key. */
  attempt(gateway: number, key: string, patienceMs: number): Promise<Answer>;
  /** Where each mark is, by the answer that acknowledged it. */
  idsIn(answer: Answer): readonly string[];
  /** What became of it. */
  end?(told: Told, answer: Answer): void;
}

/** Where a client takes what it writes from. */
export interface Source {
  next(): Piece;
}

/** What the client that writes remembers of a write, for those who look for the right moment. */
export interface Write {
  /** Milliseconds since 1970, of the first request. */
  readonly began: number;
  told?: Told;
  /** When the last answer came. */
  ended?: number;
  ids: readonly string[];
  /** Status of each answer; 0 = none. */
  readonly statuses: number[];
}

const PAUSE_MS = 50;
const RETRY_MS = 250;
/** Shorter than a gateway waits for the ledger: then the same is asked of the next gateway while the first is at it. */
const REQUEST_MS = 8_000;
/** Longer than that: whoever waits so long is told 202 by the gateway itself. */
const PATIENT_MS = 25_000;
/** Answers that leave open what became of a write, or that a gateway's fault gave. */
const OPEN = new Set([0, 202, 408, 425, 500, 502, 504]);
/** Refusals of this try: nothing is written by it, and another try may succeed. */
const OF_THIS_TRY = new Set([409, 429, 503]);

/**
 * What an answer says of a write. A refusal is the end of it: nothing of it is there. Only where an earlier try is open
 * does a refusal of the present one say nothing.
 */
export function meaningOf(status: number, isOpen: boolean): Told | undefined {
  if (OPEN.has(status)) return undefined;
  if (status < 300) return 'acknowledged';
  return isOpen && OF_THIS_TRY.has(status) ? undefined : 'failed';
}

/** Writes one piece after the other at a member; while the end is open it asks the next gateway under the same key. */
export class Writer {
  readonly writes: Write[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private turn = 0;

  constructor(
    private readonly members: Members,
    private readonly history: History,
    readonly name: string,
    readonly member: string,
    private readonly source: Source,
  ) {}

  start(): void {
    this.running = this.write();
  }

  /** One write more, by somebody who waits for the gateway's answer; resolves when it is told. */
  async writeOnce(): Promise<Write> {
    return await this.untilTold(PATIENT_MS);
  }

  /** Writes no more; resolves when the last write is told, or after so long. */
  async stop(patienceMs: number): Promise<void> {
    this.stopped = true;
    await Promise.race([this.running, sleep(patienceMs, undefined, { ref: false })]);
  }

  /** Resolves with the milliseconds until a write that began after `since` is acknowledged; Infinity = not in time. */
  async goesOn(since: number, patienceMs: number): Promise<number> {
    while (Date.now() < since + patienceMs) {
      const write = this.writes.find(({ began, told }) => began >= since && told === 'acknowledged');
      if (write?.ended !== undefined) return write.ended - since;
      await sleep(20);
    }
    return Infinity;
  }

  private async write(): Promise<void> {
    while (!this.stopped) {
      const { told } = await this.untilTold(REQUEST_MS);
      await sleep(told === 'failed' ? RETRY_MS : PAUSE_MS);
    }
  }

  private async untilTold(patienceMs: number): Promise<Write> {
    const piece = this.source.next();
    const write: Write = { began: Date.now(), statuses: [], ids: [] };
    this.writes.push(write);
    const { kind, marks } = piece;
    const key = `${this.name}-${this.writes.length}`;
    const { name: client, member } = this;
    this.history.append({ line: 'asked', at: write.began, client, member, kind, key, marks });
    for (;;) {
      const answer = await piece.attempt(this.turn++ % this.members.urlsOf(member).length, key, patienceMs);
      write.ended = Date.now();
      const told = meaningOf(answer.status, write.statuses.length > 0);
      write.statuses.push(answer.status);
      const code = codeOf(answer.text);
      this.history.append({ line: 'answered', at: write.ended, key, status: answer.status, ...(code && { code }) });
      if (told !== undefined) {
        this.tell(piece, write, { key, told, answer });
        return write;
      }
      await sleep(RETRY_MS);
    }
  }

  private tell(piece: Piece, write: Write, end: { key: string; told: Told; answer: Answer }): void {
    const { key, told, answer } = end;
    write.told = told;
    if (told === 'acknowledged') write.ids = readable(key, answer, piece);
    const ids = told === 'acknowledged' ? { ids: write.ids } : {};
    this.history.append({ line: 'told', at: write.ended ?? Date.now(), key, told, ...ids });
    piece.end?.(told, answer);
  }
}

/** The ids in an answer; none where it cannot be read, which the judge finds, and the run must reach the judge. */
function readable(key: string, answer: Answer, piece: Piece): readonly string[] {
  try {
    return piece.idsIn(answer);
  } catch (error) {
    console.error(`${key} was acknowledged unreadably: ${String(error)} ${JSON.stringify(answer)}`);
    return [];
  }
}

/** Salus's own code of a refusal, or the type of an EPCIS problem; undefined where the answer has none. */
function codeOf(text: string): string | undefined {
  return (
    /"system":"urn:salus:refusal","code":"([\w-]+)"/.exec(text)?.[1] ?? /"type":"epcisException:(\w+)"/.exec(text)?.[1]
  );
}

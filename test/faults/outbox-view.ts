/** What a gateway's outbox holds, seen from outside while the gateway writes to it. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export type OutboxState = 'intent' | 'endorsed' | 'committed' | 'refused';

/** One gateway's outbox, read only. */
export class OutboxView {
  private readonly database: DatabaseSync;

  constructor(file: string) {
    this.database = new DatabaseSync(file, { readOnly: true });
  }

  /** Number of the newest call; 0 = none. */
  newest(): number {
    return Number(this.database.prepare('SELECT coalesce(max(id), 0) AS id FROM calls').get()?.['id']);
  }

  /** Whether a call later than `after` is in that state. */
  has(state: OutboxState, after: number): boolean {
    return this.database.prepare('SELECT 1 FROM calls WHERE id > ? AND state = ?').get(after, state) !== undefined;
  }

  close(): void {
    this.database.close();
  }
}

/** Calls of an outbox that have not ended. */
export function openCalls(file: string): number {
  if (!existsSync(file)) return 0;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database.prepare("SELECT count(*) AS n FROM calls WHERE state IN ('intent', 'endorsed')").get();
    return Number(row?.['n']);
  } finally {
    database.close();
  }
}

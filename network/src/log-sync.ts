import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const datasync = promisify(fdatasync);

/**
 * Brings a database's write-ahead log to the disk beside the main thread. What was committed before the call is there
 * when it resolves; calls that come while the disk works share the next turn. Once the disk failed every call rejects:
 * what it says afterwards proves nothing of what was written before.
 */
export class LogSync {
  private log: number | undefined;
  private running: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  /** `file` is the database's; its log is the same file from the first commit until the database is closed. */
  constructor(private readonly file: string) {}

  sync(): Promise<void> {
    this.waiting ??= this.running.then(() => {
      this.waiting = undefined;
      this.log ??= openSync(`${this.file}-wal`, 'r');
      this.running = datasync(this.log);
      return this.running;
    });
    return this.waiting;
  }

  /** Nothing may be under way. */
  close(): void {
    if (this.log !== undefined) closeSync(this.log);
    this.log = undefined;
  }
}

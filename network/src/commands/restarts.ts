/** How long a process that ended waits before it is started again, the first time, in milliseconds; then twice as long. */
const FIRST_WAIT_MS = 500;
/** So often a process is started again within RESTART_WINDOW_MS. */
export const MAX_RESTARTS = 5;
/** What ended longer ago counts no more, in milliseconds. */
export const RESTART_WINDOW_MS = 300_000;
/** Shorter than anybody takes to end a process that was started again, in milliseconds: whatever ends sooner does so by itself. */
export const STEADY_MS = 2_000;
/** What a process ends by that was asked to: its own orderly end, or one of the signals that ask. */
const ORDERLY = /^(exit code 0|(signal )?SIG(TERM|INT|HUP))$/;

/** The end of a process. */
export interface ProcessEnd {
  /** Exit code or signal: `exit code 1`, `SIGKILL`, `signal SIGKILL`. */
  readonly by: string;
  /** How long it ran, in milliseconds. */
  readonly ranMs: number;
}

/** Remembers by name which processes ended when: one that ends now and then is started again, one that always does is not. */
export class Restarts {
  private readonly ends = new Map<string, readonly number[]>();

  /**
   * A process has ended that its supervisor did not tell to. Returns after how many milliseconds it is to be started again;
   * undefined when it has been, MAX_RESTARTS times within RESTART_WINDOW_MS. One that somebody else asked to end counts not.
   */
  ended(name: string, { by, ranMs }: ProcessEnd, now: number = Date.now()): number | undefined {
    if (ORDERLY.test(by) && ranMs >= STEADY_MS) return FIRST_WAIT_MS;
    const recent = (this.ends.get(name) ?? []).filter((end) => now - end < RESTART_WINDOW_MS);
    this.ends.set(name, [...recent, now]);
    return recent.length < MAX_RESTARTS ? FIRST_WAIT_MS * 2 ** recent.length : undefined;
  }
}

/** What is said of a process that is given up. */
export function givenUp(why: string): string {
  return `started again ${MAX_RESTARTS} times within ${RESTART_WINDOW_MS / 60_000} minutes and given up: ${why}`;
}

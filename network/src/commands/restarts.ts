/** How long a process that ended waits before it is started again, the first time, in milliseconds; then twice as long. */
const FIRST_WAIT_MS = 500;
/** So often a process is started again within RESTART_WINDOW_MS. */
export const MAX_RESTARTS = 5;
/**
 * So often where it always ended with code 0 after STEADY_MS: a node that somebody asks to end does so too, and nothing tells that
 * from one that ends by itself; but nobody asks this often.
 */
export const MAX_ORDERLY_RESTARTS = 20;
/** What ended longer ago counts no more, in milliseconds. */
export const RESTART_WINDOW_MS = 300_000;
/** Shorter than anybody takes to end a process that was started again, in milliseconds: whatever ends sooner does so by itself. */
export const STEADY_MS = 2_000;
/** What a process ends by that was asked to and has no end of its own for it: one of the signals that ask. */
const ASKED = /^(signal )?SIG(TERM|INT|HUP)$/;

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
   * undefined when it has been as often as it may within RESTART_WINDOW_MS. One that somebody else asked to end counts not.
   */
  ended(name: string, end: ProcessEnd, now: number = Date.now()): number | undefined {
    const most = mostAfter(end);
    if (most === Infinity) return FIRST_WAIT_MS;
    // Each way to end has a count of its own.
    const counted = `${name} ${most}`;
    const recent = (this.ends.get(counted) ?? []).filter((earlier) => now - earlier < RESTART_WINDOW_MS);
    this.ends.set(counted, [...recent, now]);
    if (recent.length >= most) return undefined;
    return most === MAX_RESTARTS ? FIRST_WAIT_MS * 2 ** recent.length : FIRST_WAIT_MS;
  }
}

/** How often a process is started again that ends like this. */
function mostAfter({ by, ranMs }: ProcessEnd): number {
  if (ranMs < STEADY_MS) return MAX_RESTARTS;
  if (ASKED.test(by)) return Infinity;
  return by === 'exit code 0' ? MAX_ORDERLY_RESTARTS : MAX_RESTARTS;
}

/** What is said of a process that is given up, after an end like this. */
export function givenUp(why: string, end: ProcessEnd): string {
  return `started again ${mostAfter(end)} times within ${RESTART_WINDOW_MS / 60_000} minutes and given up: ${why}`;
}

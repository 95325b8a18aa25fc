/** Which envelopes share a block: Fabric's rules (orderer/common/blockcutter). */

/** When and how large blocks are cut. */
export interface CutRules {
  /** Transactions in a block, at most. */
  readonly maxMessages: number;
  /** Bytes of payloads and signatures in a block, at most, unless one envelope alone is larger. */
  readonly preferredBytes: number;
  /**
   * Milliseconds after the first waiting envelope when the block is cut although it is not full. Zero cuts as soon as
   * the orderer is idle.
   */
  readonly timeoutMs: number;
}

/** Cuts at once when idle. Small blocks, since validating one stalls every stream of the process. */
export const ADAPTIVE_CUT: CutRules = { maxMessages: 50, preferredBytes: 2 * 1024 * 1024, timeoutMs: 0 };

/** Fabric's own defaults, for tests that need transactions to share a block. */
export const TIMED_CUT: CutRules = { maxMessages: 500, preferredBytes: 2 * 1024 * 1024, timeoutMs: 2_000 };

/** An envelope and its size as the rules count it: payload and signature. */
export interface Sized {
  readonly envelope: Buffer;
  readonly size: number;
}

/** Collects envelopes into batches. */
export class Cutter {
  #pending: Sized[] = [];
  #pendingBytes = 0;

  constructor(private readonly rules: CutRules) {}

  get pending(): number {
    return this.#pending.length;
  }

  /** Takes an envelope; returns the batches it completes, in order. */
  add(message: Sized): Buffer[][] {
    const { maxMessages, preferredBytes } = this.rules;
    if (message.size > preferredBytes) return [...this.#cutIfAny(), [message.envelope]];
    const overflow = this.#pendingBytes + message.size > preferredBytes ? this.#cutIfAny() : [];
    this.#pending.push(message);
    this.#pendingBytes += message.size;
    return this.#pending.length >= maxMessages ? [...overflow, this.cut()] : overflow;
  }

  /** Everything that waits, as one batch. */
  cut(): Buffer[] {
    const batch = this.#pending.map(({ envelope }) => envelope);
    this.#pending = [];
    this.#pendingBytes = 0;
    return batch;
  }

  #cutIfAny(): Buffer[][] {
    return this.#pending.length > 0 ? [this.cut()] : [];
  }
}

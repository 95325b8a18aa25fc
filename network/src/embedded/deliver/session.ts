import type { Channel, SignedData } from '../ports.js';

/**
 * Whether a client may go on receiving blocks: asked before every block. Its certificate must not have expired; the
 * policy is asked at first and after each new configuration.
 */
export class Session {
  readonly #expires: Date | undefined;
  #checkedAt: number | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly policy: () => string,
    private readonly signed: SignedData,
    private readonly now: () => Date,
  ) {
    this.#expires = expiry(channel, signed.identity);
  }

  /** Throws when the client may not, or no longer, receive blocks. */
  check(): void {
    if (this.#expires && this.#expires < this.now()) throw new Error('deliver client identity expired');
    if (this.#checkedAt === this.channel.configBlock) return;
    this.channel.check(this.policy(), [this.signed]);
    this.#checkedAt = this.channel.configBlock;
  }
}

/** An identity that cannot be read has no expiry; the policy refuses it. */
function expiry(channel: Channel, identity: Buffer): Date | undefined {
  try {
    return channel.identity(identity).notAfter;
  } catch {
    return undefined;
  }
}

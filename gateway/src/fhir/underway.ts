/** Bounds what a gateway works on at once, so that a load that is too fast is told to wait and takes no memory meanwhile. */
import { Refusal } from '../ledger/refusal.js';

/** Bytes of bodies of requests that are being carried out at one gateway; one request alone is always taken. */
export const UNDERWAY_LIMIT = 32 * 1024 * 1024;

/** What one gateway is working on. */
export class Underway {
  #bytes = 0;

  /** Does the work, or throws Refusal 503 before any of it is done. */
  async take<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#bytes > 0 && this.#bytes + bytes > UNDERWAY_LIMIT) {
      throw new Refusal('unavailable', 'overloaded', 'too much is sent at once: nothing was done, send it again later');
    }
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#bytes -= bytes;
    }
  }
}

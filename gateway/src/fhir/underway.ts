/** Bounds what a gateway works on at once, so that a load that is too fast is told to wait and takes no memory meanwhile. */

/** Bytes of bodies of requests that are being carried out at one gateway: so many of large ones, and of small ones. */
export const UNDERWAY_LIMIT = 32 * 1024 * 1024;

/** Bytes of the largest small body: a withdrawal or a breaking of the glass is never told to wait for a load. */
export const SMALL_BODY = 64 * 1024;

/** Room that was taken. */
export interface Room {
  /** Gives back all but so many bytes of it. */
  readonly shrink: (bytes: number) => void;
}

/** What one gateway is working on. */
export class Underway {
  readonly #bytes = { small: 0, large: 0 };

  /** Takes room for a body of so many bytes; undefined where there is none. */
  take(bytes: number): Room | undefined {
    const size = bytes <= SMALL_BODY ? 'small' : 'large';
    if (this.#bytes[size] + bytes > UNDERWAY_LIMIT) return undefined;
    this.#bytes[size] += bytes;
    let held = bytes;
    return {
      shrink: (left) => {
        this.#bytes[size] -= held - left;
        held = left;
      },
    };
  }
}

/** The lines of newline delimited JSON (https://github.com/ndjson/ndjson-spec), one in memory at a time. */

/** One line that is not blank. */
export interface Line {
  /** From 1, blank lines counted. */
  readonly number: number;
  /** Absent where it cannot be read; then `problem` says why. */
  readonly text?: string;
  readonly problem?: string;
}

const NEWLINE = 10;
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** The lines of a stream; of one that is longer than `most` bytes nothing is held. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Line> {
  const line = new Gathered(most);
  let number = 1;
  for await (const part of bytes) {
    for (let start = 0; start < part.length;) {
      const end = part.indexOf(NEWLINE, start);
      line.add(part.subarray(start, end < 0 ? part.length : end));
      if (end < 0) break;
      yield* line.take(number);
      number += 1;
      start = end + 1;
    }
  }
  yield* line.take(number);
}

/** What there is of the line at hand. */
class Gathered {
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(private readonly most: number) {}

  add(part: Uint8Array): void {
    this.#size += part.length;
    if (this.#size <= this.most) this.#parts.push(part);
    else this.#parts = [];
  }

  *take(number: number): Generator<Line> {
    const [parts, size] = [this.#parts, this.#size];
    [this.#parts, this.#size] = [[], 0];
    if (size > this.most) {
      yield { number, problem: `the line is longer than ${this.most} bytes` };
      return;
    }
    const text = decoded(parts);
    if (text === undefined) yield { number, problem: 'the line is not UTF-8' };
    else if (text.trim() !== '') yield { number, text };
  }
}

function decoded(parts: readonly Uint8Array[]): string | undefined {
  try {
    return UTF_8.decode(Buffer.concat(parts));
  } catch {
    return undefined;
  }
}

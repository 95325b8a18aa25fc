/** Work on one item waits for the work on it that came before: a second scan of a pack sees what the first one did. */

interface Turn {
  readonly isAlone: boolean;
  readonly ended: Promise<void>;
}

/** One gateway's work on items. */
export class Turns {
  readonly #turns = new Map<string, Set<Turn>>();

  /** Does the work alone on `item`, and beside others that do not work on `around` itself: the containers it lies in. */
  async take<T>(item: string, around: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = [...this.#of(item), ...around.flatMap((each) => this.#of(each).filter(({ isAlone }) => isAlone))];
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    // In line before anything is waited for: two can never wait for one another.
    const leave = [
      this.#enter(item, { isAlone: true, ended }),
      ...around.map((each) => this.#enter(each, { isAlone: false, ended })),
    ];
    try {
      await Promise.all(before.map((turn) => turn.ended));
      return await work();
    } finally {
      for (const each of leave) each();
      resolve(undefined);
    }
  }

  #of(item: string): readonly Turn[] {
    return [...(this.#turns.get(item) ?? [])];
  }

  #enter(item: string, turn: Turn): () => void {
    const line = this.#turns.get(item) ?? new Set();
    this.#turns.set(item, line.add(turn));
    return () => {
      line.delete(turn);
      if (line.size === 0) this.#turns.delete(item);
    };
  }
}

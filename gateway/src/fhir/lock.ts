/** Runs what must not overlap one after the other, by name. */

const chains = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Runs `work` when everything before it under the same owner and name has ended; its result is the work's. */
export async function inTurn<T>(owner: object, names: readonly string[], work: () => Promise<T>): Promise<T> {
  const [name, ...rest] = names;
  if (name === undefined) return work();
  const own = chains.get(owner) ?? new Map<string, Promise<unknown>>();
  chains.set(owner, own);
  const before = own.get(name) ?? Promise.resolve();
  const mine = before.then(() => inTurn(owner, rest, work));
  const ended = mine.catch(() => undefined);
  own.set(name, ended);
  try {
    return await mine;
  } finally {
    if (own.get(name) === ended) own.delete(name);
  }
}

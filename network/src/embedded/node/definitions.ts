import type { Chain, Definition, Snapshot } from '../ports.js';

/** Reads definitions once per height: they change seldom and are asked for at every call. */
export class CommittedDefinitions {
  readonly #known = new Map<string, { readonly height: number; readonly definition: Definition | undefined }>();

  constructor(
    private readonly chain: Chain,
    private readonly read: (name: string, snapshot: Snapshot) => Definition | undefined,
  ) {}

  /** The definition of the chain's end. The object stays the same while the sequence does. */
  newest(name: string): Definition | undefined {
    const known = this.#known.get(name);
    if (known?.height === this.chain.height) return known.definition;
    const snapshot = this.chain.snapshot();
    try {
      return this.at(snapshot, name);
    } finally {
      snapshot.release();
    }
  }

  /** The definition as of a snapshot. */
  at(snapshot: Snapshot, name: string): Definition | undefined {
    const known = this.#known.get(name);
    if (known?.height === snapshot.height) return known.definition;
    const read = this.read(name, snapshot);
    const definition = read && read.sequence === known?.definition?.sequence ? known.definition : read;
    if (!known || known.height < snapshot.height) this.#known.set(name, { height: snapshot.height, definition });
    return definition;
  }
}

import { LIFECYCLE } from '../lifecycle/definition.js';
import type { Chain, Definition, Snapshot, Version } from '../ports.js';

interface Known {
  /** Where the definition's sequence was written: every change of a definition writes it. */
  readonly written: Version | undefined;
  readonly definition: Definition | undefined;
}

/** Reads a definition once for each time it was written: it is asked for at every call and changes seldom. */
export class CommittedDefinitions {
  readonly #known = new Map<string, Known>();
  readonly #ofSnapshot = new WeakMap<Snapshot, Map<string, Definition | undefined>>();

  /** As of the chain's end, until the next commit. */
  readonly #newest = new Map<string, Definition | undefined>();

  constructor(
    private readonly chain: Chain,
    private readonly read: (name: string, snapshot: Snapshot) => Definition | undefined,
  ) {
    chain.onCommit(() => {
      this.#newest.clear();
    });
  }

  /** The definition at the chain's end; the same object until another one is committed. */
  newest(name: string): Definition | undefined {
    if (!this.#newest.has(name)) this.#newest.set(name, this.#read(name));
    return this.#newest.get(name);
  }

  /** The definition as of a snapshot. */
  at(snapshot: Snapshot, name: string): Definition | undefined {
    const found = this.#ofSnapshot.get(snapshot) ?? new Map<string, Definition | undefined>();
    this.#ofSnapshot.set(snapshot, found);
    if (!found.has(name)) found.set(name, this.#lookup(name, snapshot));
    return found.get(name);
  }

  #read(name: string): Definition | undefined {
    const snapshot = this.chain.snapshot();
    try {
      return this.#lookup(name, snapshot);
    } finally {
      snapshot.release();
    }
  }

  #lookup(name: string, snapshot: Snapshot): Definition | undefined {
    const written = snapshot.state(LIFECYCLE, `namespaces/fields/${name}/Sequence`)?.version;
    const known = this.#known.get(name);
    if (known && sameVersion(known.written, written)) return known.definition;
    const definition = this.read(name, snapshot);
    this.#known.set(name, { written, definition });
    return definition;
  }
}

function sameVersion(one: Version | undefined, other: Version | undefined): boolean {
  return one?.block === other?.block && one?.tx === other?.tx;
}

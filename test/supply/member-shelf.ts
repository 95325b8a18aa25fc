/** A member's shelf over what it keeps, and over what a double of the ledger has. */
import type { Keep } from '@salus/gateway/ehr/keep';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import type { HearingPorts } from '@salus/gateway/supply/packs/hearing';
import { packChanges } from '@salus/gateway/supply/packs/stored';
import { PackShelf } from '@salus/gateway/supply/packs/shelf';

import type { ContractWorld } from '../support/contract-world.js';
import { scratchFolder } from '../support/scratch.js';

interface KeptRecord {
  readonly type: string;
  readonly value: unknown;
}

/** What a member keeps; its folder is removed on `close`. */
export class MemberShelf {
  readonly kept: KeptRecord[] = [];
  readonly secrets: NamedSecrets;
  readonly shelf: PackShelf;
  private readonly known = new Map<string, string | undefined>();
  /** How many of the kept records are among what is known. */
  private seen = 0;
  private readonly folder = scratchFolder();
  private readonly keys = new KeyStore(this.folder.path);

  constructor(private readonly world: () => ContractWorld) {
    this.secrets = new NamedSecrets(this.keys);
    this.shelf = new PackShelf({ projection: this.projection, secrets: this.secrets });
  }

  readonly keep: Keep = (records) => Promise.resolve(void this.kept.push(...(records as readonly KeptRecord[])));

  /** What is kept here, and what the own peer committed. */
  readonly projection = {
    fact: (space: string, key: string): string | undefined =>
      space === 'supply' ? this.written(key) : this.facts().get(key),
    facts: (_space: string, prefix = '') =>
      [...this.facts()].flatMap(([key, value]) =>
        value !== undefined && key.startsWith(prefix) ? [{ key, value }] : [],
      ),
  };

  /** The ledger, as the own peer answers. */
  readonly ledger = {
    evaluate: async ({ argument = '' }) => {
      const { payload } = await this.world().evaluate('stmary', 'supply:status', { args: [argument] });
      return Buffer.from(payload);
    },
  };

  /** How this member's door takes a handover in, while no block comes. */
  hearing(member: string): HearingPorts {
    const { shelf, projection, ledger, secrets, keep } = this;
    const blocks = { block: 1, reached: () => Promise.resolve(false) };
    return { member, shelf, projection, ledger, secrets, keep, blocks };
  }

  close(): void {
    this.keys.close();
    this.folder.remove();
  }

  private facts(): ReadonlyMap<string, string | undefined> {
    for (const { type, value } of this.kept.slice(this.seen)) {
      for (const each of packChanges(type, '', JSON.stringify(value)) ?? [])
        if (each.kind === 'fact') this.known.set(each.key, each.value);
    }
    this.seen = this.kept.length;
    return this.known;
  }

  private written(key: string): string | undefined {
    const [name = '', id = ''] = key.split('/');
    const all = this.world().outcomes.flatMap(({ outcome }) => [...(outcome.rwset.writes.get('') ?? [])]);
    const found = all.findLast(([each]) => each.includes(name) && each.includes(id));
    return found === undefined ? undefined : String(found[1]);
  }
}

/** A shelf of each of two members, new for each test of a suite. */
export function shelvesOfSuite(world: () => ContractWorld): Readonly<Record<'acme' | 'stmary', MemberShelf>> {
  const shelves = {} as Record<'acme' | 'stmary', MemberShelf>;
  beforeEach(() => {
    Object.assign(shelves, { acme: new MemberShelf(world), stmary: new MemberShelf(world) });
  });
  afterEach(() => {
    for (const each of Object.values(shelves)) each.close();
  });
  return shelves;
}

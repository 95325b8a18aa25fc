/** A member's shelf over what it keeps, and over what a double of the ledger has. */
import type { Keep } from '@salus/gateway/ehr/keep';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
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
      space === 'supply' ? this.written(key) : this.facts().findLast((each) => each.key === key)?.value,
    facts: (_space: string, prefix = '') => {
      const last = new Map(this.facts().map(({ key, value }) => [key, value]));
      return [...last].flatMap(([key, value]) =>
        value !== undefined && key.startsWith(prefix) ? [{ key, value }] : [],
      );
    },
  };

  /** The ledger, as the own peer answers. */
  readonly ledger = {
    evaluate: async ({ argument = '' }) => {
      const { payload } = await this.world().evaluate('stmary', 'supply:status', { args: [argument] });
      return Buffer.from(payload);
    },
  };

  close(): void {
    this.keys.close();
    this.folder.remove();
  }

  private facts() {
    const changes = this.kept.flatMap(({ type, value }) => packChanges(type, '', JSON.stringify(value)) ?? []);
    return changes.flatMap((each) => (each.kind === 'fact' ? [each] : []));
  }

  private written(key: string): string | undefined {
    const [name = '', id = ''] = key.split('/');
    const all = this.world().outcomes.flatMap(({ outcome }) => [...(outcome.rwset.writes.get('') ?? [])]);
    const found = all.findLast(([each]) => each.includes(name) && each.includes(id));
    return found === undefined ? undefined : String(found[1]);
  }
}

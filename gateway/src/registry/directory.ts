/** Who the members are and by which keys, addresses and roots: the registry in force, the settings before there is one. */
import type { ConsortiumEntry, InForce, MemberEntry, PublicJwk, RegistryEntry } from '@salus/chaincode/registry/api';

import type { GatewaySettings, MemberSettings } from '../settings.js';
import { rootHash } from './entries.js';
import { REGISTRY_SPACE } from './project.js';

/** What the directory asks of the projection. */
export interface Facts {
  fact(space: string, key: string): string | undefined;
}

/** Looks members up. Once a consortium is in force, the settings alone make nobody a member. */
export class Directory {
  /** Entries by the text they were read from: they change once in months and are asked for at every call. */
  readonly #read = new Map<string, RegistryEntry>();

  constructor(
    private readonly facts: Facts,
    private readonly settings: Pick<GatewaySettings, 'members'>,
  ) {}

  /** Names of all members, in the order in which they tick the clock. */
  get names(): readonly string[] {
    return (this.#consortium ?? this.settings).members.map(({ name }) => name);
  }

  /** A member's public key by its id; undefined for a stranger's, and for one the member replaced. */
  key(member: string, kid: string): PublicJwk | undefined {
    const keys = this.#of(
      member,
      (entry) => entry.keys,
      (known) => known.keys,
    );
    return keys?.find((key) => key.kid === kid);
  }

  /** The member that a key belongs to, and the key itself. */
  ownerOf(
    kid: string,
  ): { readonly member: string; readonly jwk: Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'> } | undefined {
    for (const member of this.names) {
      const jwk = this.key(member, kid);
      if (jwk === undefined) continue;
      const { kty, crv, x, y } = jwk;
      return { member, jwk: { kty, crv, x, y } };
    }
    return undefined;
  }

  /** Where a member's door is, without a slash at the end. */
  doorUrl(member: string): string | undefined {
    const url = this.#of(
      member,
      (entry) => entry.doorUrl,
      (known) => known.doorUrl,
    );
    return url?.replace(/\/$/, '');
  }

  /** Lower-case hex SHA-256 of each root (DER) under which a member's door and gateways have their certificates. */
  doorRoots(member: string): readonly string[] {
    const roots = this.#of(
      member,
      (entry) => entry.doorRoots,
      (known) => [rootHash(known.doorRoot)],
    );
    return roots ?? [];
  }

  /** The member whose root this is. */
  underRoot(hash: string): string | undefined {
    return this.names.find((name) => this.doorRoots(name).includes(hash));
  }

  /** What a member is: hospital, payer, regulator... */
  roles(member: string): readonly string[] {
    const roles = this.#of(
      member,
      (entry) => entry.roles,
      (known) => known.roles,
    );
    return roles ?? [];
  }

  /** A member's GS1 company prefixes and its party GLN, as a GS1 URI or Digital Link. */
  gs1(member: string): { readonly gcp: readonly string[]; readonly pgln?: string | undefined } {
    const read = ({ gcp, pgln }: Pick<MemberEntry, 'gcp' | 'pgln'>) => ({ gcp, pgln });
    return this.#of(member, read, read) ?? { gcp: [] };
  }

  #of<T>(name: string, inForce: (entry: MemberEntry) => T, before: (known: MemberSettings) => T): T | undefined {
    const entry = this.#fact(`member/${name}`) as MemberEntry | undefined;
    if (entry !== undefined) return inForce(entry);
    const known = this.settings.members.find((member) => member.name === name);
    return known === undefined || this.#consortium !== undefined ? undefined : before(known);
  }

  get #consortium(): ConsortiumEntry | undefined {
    return this.#fact('consortium') as ConsortiumEntry | undefined;
  }

  #fact(key: string): RegistryEntry | undefined {
    const text = this.facts.fact(REGISTRY_SPACE, key);
    if (text === undefined) return undefined;
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const { entry } = JSON.parse(text) as InForce;
    if (this.#read.size >= 2 * this.settings.members.length + 2) this.#read.clear();
    this.#read.set(text, entry);
    return entry;
  }
}

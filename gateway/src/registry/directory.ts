/** Who the members are and by which keys they are known: the registry in force, the settings before there is one. */
import type { InForce, MemberEntry, PublicJwk } from '@salus/chaincode/registry/api';

import type { GatewaySettings } from '../settings.js';
import { memberEntry } from './entries.js';
import { REGISTRY_SPACE } from './project.js';

/** What the directory asks of the projection. */
export interface Facts {
  fact(space: string, key: string): string | undefined;
}

/** Looks members up. */
export class Directory {
  constructor(
    private readonly facts: Facts,
    private readonly settings: Pick<GatewaySettings, 'members'>,
  ) {}

  /** A member's entry; undefined for a stranger. */
  member(name: string): MemberEntry | undefined {
    const known = this.facts.fact(REGISTRY_SPACE, `member/${name}`);
    if (known !== undefined) return (JSON.parse(known) as InForce<MemberEntry>).entry;
    const first = this.settings.members.find((member) => member.name === name);
    return first === undefined ? undefined : memberEntry(first);
  }

  /** A member's public key by its id. */
  key(member: string, kid: string): PublicJwk | undefined {
    return this.member(member)?.keys.find((key) => key.kid === kid);
  }
}

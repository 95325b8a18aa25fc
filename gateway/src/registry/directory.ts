/** By which keys the members are known: the registry in force, the settings before there is one. */
import type { InForce, MemberEntry, PublicJwk } from '@salus/chaincode/registry/api';

import type { GatewaySettings } from '../settings.js';
import { REGISTRY_SPACE } from './project.js';

/** What the directory asks of the projection. */
export interface Facts {
  fact(space: string, key: string): string | undefined;
}

/** Looks members' keys up. */
export class Directory {
  constructor(
    private readonly facts: Facts,
    private readonly settings: Pick<GatewaySettings, 'members'>,
  ) {}

  /** A member's public key by its id; undefined for a stranger's, and for one the member replaced. */
  key(member: string, kid: string): PublicJwk | undefined {
    const known = this.facts.fact(REGISTRY_SPACE, `member/${member}`);
    const keys =
      known === undefined
        ? this.settings.members.find(({ name }) => name === member)?.keys
        : (JSON.parse(known) as InForce<MemberEntry>).entry.keys;
    return keys?.find((key) => key.kid === kid);
  }
}

/** What the projection keeps of the registry: the consortium and its members in force, and members' entries before. */
import { parseKey, type InForce, type MemberEntry } from '@salus/chaincode/registry/api';

import type { Facts } from './directory.js';
import type { Change, Projector } from '../projection/projector.js';

/** Space of the registry's facts: key `consortium` or `member/<name>`, value the InForce entry as JSON. */
export const REGISTRY_SPACE = 'registry';
/** Every member's entry that is or was in force, as JSON by its hash. */
const ENTRY_SPACE = 'registry-entry';

const NOTHING: readonly Change[] = [];

/** The projector over the registry's public keys. */
export const registryProjector: Projector = (write) => {
  if (write.collection !== undefined || write.key === undefined || write.value === undefined) return NOTHING;
  const parts = parseKey(write.key);
  const value = Buffer.from(write.value).toString('utf8');
  if (parts?.name === 'consortium') return [{ kind: 'fact', space: REGISTRY_SPACE, key: 'consortium', value }];
  if (parts?.name !== 'member') return NOTHING;
  const { hash, entry } = JSON.parse(value) as InForce<MemberEntry>;
  return [
    { kind: 'fact', space: REGISTRY_SPACE, key: memberKey(parts.attributes[0] ?? ''), value },
    { kind: 'fact', space: ENTRY_SPACE, key: hash, value: JSON.stringify(entry) },
  ];
};

function memberKey(name: string): string {
  return `member/${name}`;
}

/** A member's entries before the one in force, the newest first, at most `limit`: each by the hash that the one after it names. */
export function formerEntries(facts: Pick<Facts, 'fact'>, member: string, limit: number): readonly MemberEntry[] {
  const found: MemberEntry[] = [];
  const inForce = facts.fact(REGISTRY_SPACE, memberKey(member));
  let { replaces } = inForce === undefined ? {} : (JSON.parse(inForce) as InForce<MemberEntry>).entry;
  while (replaces !== undefined && found.length < limit) {
    const before = facts.fact(ENTRY_SPACE, replaces);
    if (before === undefined) break;
    const entry = JSON.parse(before) as MemberEntry;
    found.push(entry);
    ({ replaces } = entry);
  }
  return found;
}

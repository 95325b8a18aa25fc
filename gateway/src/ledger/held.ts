/** Which private values a member's own peers hold: the collections' members, as the chaincode's build lists them by role. */

import type { Held } from '../ports.js';

const ROLES: Readonly<Record<string, readonly string[]>> = {
  care: ['hospital', 'witness'],
  'care-keys': ['hospital'],
};

/** Whether the member holds the values of a collection. */
export function heldBy({ member, roles }: { readonly member: string; readonly roles: readonly string[] }): Held {
  const shared = Object.keys(ROLES).filter((name) => ROLES[name]?.some((role) => roles.includes(role)));
  const held = new Set([`of-${member}`, ...shared]);
  return (collection) => held.has(collection);
}

/** Which private values a member's own peers hold. */
import { collections } from '@salus/chaincode/registry/api';

import type { Held } from '../ports.js';

/** Whether the member holds the values of a collection, by the members that the chaincode gives it. */
export function heldBy({ member, roles }: { readonly member: string; readonly roles: readonly string[] }): Held {
  const held = new Set(
    collections
      .filter(({ members }) => members === 'self' || members.some((role) => roles.includes(role)))
      .map(({ name }) => name.replace('{member}', member)),
  );
  return (collection) => held.has(collection);
}

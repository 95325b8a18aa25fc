/** Whom to ask for endorsement where the gateway knows beforehand who must endorse. */
import { randomInt } from 'node:crypto';

import { collections, mspIdOf } from '@salus/chaincode/registry/api';

import type { Directory } from '../registry/directory.js';

/**
 * MSP ids of the own member and of as many others, drawn anew each time, as must endorse a write to a shared collection;
 * undefined where there are too few. Whom the write is about plays no part: the block shows who endorsed it.
 */
export function endorsersTogether(
  collection: 'care' | 'care-keys',
  own: string,
  directory: Pick<Directory, 'names' | 'roles'>,
): readonly string[] | undefined {
  const shared = collections.find(({ name }) => name === collection);
  if (shared === undefined || shared.members === 'self') return undefined;
  const { members, endorsers } = shared;
  const others = directory.names.filter(
    (name) => name !== own && directory.roles(name).some((role) => members.includes(role)),
  );
  if (others.length < endorsers - 1) return undefined;
  const from = randomInt(others.length);
  const drawn = [...others.slice(from), ...others.slice(0, from)].slice(0, endorsers - 1);
  return [own, ...drawn].map(mspIdOf);
}

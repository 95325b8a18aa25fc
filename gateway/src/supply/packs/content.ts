/** The tree over what lies in a container. */
import { SparseMerkleTree } from '@salus/chaincode/supply/api';

import type { ContainerTerms } from './stored.js';

/** The tree whose root the ledger has of a container. */
export function treeOf({ items, seed }: Pick<ContainerTerms, 'items' | 'seed'>): SparseMerkleTree {
  return new SparseMerkleTree(
    items.map((each) => Buffer.from(each, 'hex')),
    Buffer.from(seed, 'hex'),
  );
}

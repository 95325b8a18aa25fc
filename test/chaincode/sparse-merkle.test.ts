import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { isIncluded } from '@salus/chaincode/dist/lib/merkle.js';
import { SparseMerkleTree, TREE_PLACES } from '@salus/chaincode/dist/lib/sparse-merkle.js';

const itemsOf = (count: number): Buffer[] => Array.from({ length: count }, () => randomBytes(32));

describe('a Merkle tree of one size whatever it holds', () => {
  const seed = randomBytes(32);

  for (const count of [1, 2, 37, 1_000]) {
    it(`proves each of ${count} items at its own place, and nothing else anywhere`, () => {
      const items = itemsOf(count);
      const tree = new SparseMerkleTree(items, seed);
      const places = items.map((item, index) => {
        const proof = tree.proof(index);
        assert.ok(isIncluded(tree.root, item, proof.index, TREE_PLACES, proof.path));
        assert.ok(!isIncluded(tree.root, randomBytes(32), proof.index, TREE_PLACES, proof.path));
        assert.ok(!isIncluded(tree.root, item, (proof.index + 1) % TREE_PLACES, TREE_PLACES, proof.path));
        assert.equal(proof.path.length, 16);
        return proof.index;
      });
      assert.equal(new Set(places).size, count);
    });
  }

  it('is the same again under its seed, and another one under another', () => {
    const items = itemsOf(20);
    const [one, same, other] = [seed, seed, randomBytes(32)].map((each) => new SparseMerkleTree(items, each));
    assert.deepEqual([one?.root, one?.proof(7)], [same?.root, same?.proof(7)]);
    assert.notDeepEqual(one?.root, other?.root);
    assert.notDeepEqual(one?.proof(7).index, other?.proof(7).index);
  });

  it('has its items anywhere: where they lie says nothing of how many there are', () => {
    const highest = Array.from({ length: 50 }, () => new SparseMerkleTree(itemsOf(1), randomBytes(32)).proof(0).index);
    assert.ok(Math.max(...highest) > TREE_PLACES / 2 && Math.min(...highest) < TREE_PLACES / 2, highest.join());
  });

  it(`has ${TREE_PLACES} places, and no proof of what is not in it`, () => {
    assert.throws(() => new SparseMerkleTree(itemsOf(TREE_PLACES + 1), seed), RangeError);
    assert.throws(() => new SparseMerkleTree(itemsOf(3), seed).proof(3), RangeError);
  });
});

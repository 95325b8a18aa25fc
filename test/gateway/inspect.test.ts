import assert from 'node:assert/strict';

import { common } from '@hyperledger/fabric-protos';
import { inspectBlock, type InspectedBlock } from '@salus/gateway/ledger/inspect';
import { lastConfigOf, trustRootsOf, type TrustRoots } from '@salus/gateway/ledger/trust';

import { sharedPath } from '../support/shared.js';
import { recordedBlocks } from '../support/vectors.js';

describe('blocks laid open for an auditor', () => {
  let raw: common.Block[];
  let blocks: InspectedBlock[];

  before(function () {
    this.timeout(30_000);
    const folder = sharedPath('data/fabric-vectors/a');
    if (folder === undefined) return this.skip();
    raw = recordedBlocks(folder).map((bytes) => common.Block.deserializeBinary(bytes));
    const roots = new Map<number, TrustRoots>();
    blocks = raw.map((block) => {
      const config = lastConfigOf(block);
      const known = roots.get(config) ?? trustRootsOf(raw[config]!);
      roots.set(config, known);
      return inspectBlock(block, 'one', known);
    });
  });

  it('verifies the signatures of those who created and endorsed', () => {
    const valid = blocks
      .flatMap((block) => block.transactions)
      .filter((each) => each.code === 0 && each.transaction !== '');
    assert.ok(valid.length > 500);
    assert.deepEqual(
      valid.filter((each) => !each.creator.verified || !each.endorsers.some((endorser) => endorser.verified)),
      [],
    );
  });

  it('does not verify a signature that is not by the certificate it comes with', () => {
    const refused = blocks
      .flatMap((block) => block.transactions)
      .filter((each) => each.validation === 'BAD_CREATOR_SIGNATURE');
    assert.ok(refused.some((each) => !each.creator.verified));
  });

  it('verifies nothing under the roots of others', () => {
    const transactions = inspectBlock(raw[20]!, 'one', new Map()).transactions;
    assert.ok(transactions.length > 0);
    assert.ok(
      transactions.every((each) => !each.creator.verified && each.endorsers.every(({ verified }) => !verified)),
    );
  });

  it('shows hashes of private keys and values, never the keys', () => {
    const writes = blocks.flatMap((block) => block.transactions.flatMap((each) => each.writes));
    const hidden = writes.filter((write) => write.collection !== undefined);
    assert.ok(hidden.length > 0);
    assert.ok(hidden.every((write) => write.key === undefined && /^[0-9a-f]{64}$/.test(write.keyHash)));
  });
});

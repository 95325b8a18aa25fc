import assert from 'node:assert/strict';
import { replayBlocks } from '@salus/network/embedded/vectors/replay-blocks';
import { sharedOrPending } from '../../support/shared.js';

describe('the embedded ledger replays a chain of real Fabric', () => {
  it('gives every header hash, validation flag, commit hash and private set', async function () {
    this.timeout(300_000);
    const replay = await replayBlocks(sharedOrPending(this, 'data/fabric-vectors/a'));
    assert.deepEqual(replay.differences, []);
    assert.equal(replay.blocks, 156);
    assert.equal(replay.headerHashes, 156);
    assert.equal(replay.flags, 1215);
    assert.equal(replay.commitHashes, 155);
    assert.equal(replay.privateSets + replay.emptiedSets, 527);
  });
});

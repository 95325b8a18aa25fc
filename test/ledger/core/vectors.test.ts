import assert from 'node:assert/strict';
import { replayBlocks, type BlockReplay } from '@salus/network/embedded/vectors/replay-blocks';
import { readSimulations, SimulationReplay } from '@salus/network/embedded/vectors/replay-simulations';
import { sharedPath } from '../../support/shared.js';

describe('the embedded ledger replays a chain of real Fabric', () => {
  let blocks: BlockReplay;
  let simulations: SimulationReplay;

  before(async function () {
    this.timeout(300_000);
    const folder = sharedPath('data/fabric-vectors/a');
    if (folder === undefined) {
      for (const test of this.test?.parent?.tests ?? []) test.title += ' (pending: ../shared is not on this machine)';
      this.skip();
    }
    simulations = new SimulationReplay(readSimulations(folder));
    blocks = await replayBlocks(folder, (ledger, height) => simulations.at(ledger, height));
  });

  it('gives every header hash, validation flag, commit hash and private set', () => {
    assert.deepEqual(blocks.differences, []);
    assert.equal(blocks.blocks, 156);
    assert.equal(blocks.headerHashes, 156);
    assert.equal(blocks.flags, 1215);
    assert.equal(blocks.commitHashes, 155);
    assert.equal(blocks.privateSets + blocks.emptiedSets, 527);
  });

  it('answers every proposal with the same messages to the chaincode and the same response bytes', () => {
    assert.deepEqual(simulations.tally.differences, []);
    assert.equal(simulations.tally.equal, 1426);
  });
});

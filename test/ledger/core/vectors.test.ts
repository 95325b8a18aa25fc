import assert from 'node:assert/strict';
import { join } from 'node:path';
import { replayBlocks, type BlockReplay } from '@salus/network/embedded/vectors/replay-blocks';
import { readSimulations, SimulationReplay } from '@salus/network/embedded/vectors/replay-simulations';
import { projectRoot, sharedPath } from '../../support/shared.js';

interface RecordedChain {
  readonly title: string;
  readonly folder: string | undefined;
  readonly blocks: number;
  readonly flags: number;
  readonly privateSets: number;
  readonly simulations: number;
}

const CHAINS: readonly RecordedChain[] = [
  {
    title: 'the first blocks of a chain of real Fabric',
    folder: join(projectRoot, 'test', 'ledger', 'vectors'),
    blocks: 51,
    flags: 215,
    privateSets: 107,
    simulations: 209,
  },
  {
    title: 'a whole chain of real Fabric',
    folder: sharedPath('data/fabric-vectors/a'),
    blocks: 156,
    flags: 1215,
    privateSets: 527,
    simulations: 1426,
  },
];

for (const { title, folder, ...expected } of CHAINS) {
  const pending = folder === undefined ? ' (pending: ../shared/data/fabric-vectors is not on this machine)' : '';

  describe(`the embedded ledger replays ${title}${pending}`, () => {
    let blocks: BlockReplay;
    let simulations: SimulationReplay;

    before(async function () {
      this.timeout(300_000);
      if (folder === undefined) this.skip();
      simulations = new SimulationReplay(readSimulations(folder));
      blocks = await replayBlocks(folder, (ledger, height) => simulations.at(ledger, height));
    });

    it('gives every header hash, validation flag, commit hash and private set', () => {
      assert.deepEqual(blocks.differences, []);
      assert.equal(blocks.blocks, expected.blocks);
      assert.equal(blocks.headerHashes, expected.blocks);
      assert.equal(blocks.flags, expected.flags);
      assert.equal(blocks.commitHashes, expected.blocks - 1);
      assert.equal(blocks.privateSets + blocks.emptiedSets, expected.privateSets);
    });

    it('answers every proposal with the same messages to the chaincode and the same response bytes', () => {
      assert.deepEqual(simulations.tally.differences, []);
      assert.equal(simulations.tally.equal, expected.simulations);
    });
  });
}

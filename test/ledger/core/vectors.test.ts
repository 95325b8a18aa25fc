import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replayBlocks, type BlockReplay } from '@salus/network/embedded/vectors/replay-blocks';
import { readSimulations, SimulationReplay } from '@salus/network/embedded/vectors/replay-simulations';
import { scratchFolder } from '../../support/scratch.js';
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

describe('npm run vectors', () => {
  const own = join(projectRoot, 'test', 'ledger', 'vectors');
  const main = join(projectRoot, 'network', 'dist', 'embedded', 'vectors', 'main.js');
  const run = (folder: string): Promise<{ code: number; last: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, folder], (error, out) => {
        resolve({ code: error === null ? 0 : Number(error.code), last: out.trimEnd().split('\n').at(-1) ?? '' });
      });
    });

  it('ends with what was equal and what was not', async () => {
    const last = '51 blocks, 215 flags, 50 commit hashes, 209 simulations equal, 0 different';
    assert.deepEqual(await run(own), { code: 0, last });
  }).timeout(120_000);

  it('fails when the recording says something else', async () => {
    const copy = scratchFolder();
    const { path } = copy;
    cpSync(own, path, { recursive: true });
    const file = join(path, 'expected.json');
    const commitHash = /("commitHash": ?")([0-9a-f])/; // of the first block that has one
    const text = readFileSync(file, 'utf8');
    assert.match(text, commitHash);
    writeFileSync(
      file,
      text.replace(commitHash, (_, key: string, digit: string) => key + (digit === '0' ? '1' : '0')),
    );
    const { code, last } = await run(path);
    copy.remove();
    assert.equal(code, 1);
    assert.match(last, /, [1-9]\d* different$/);
  }).timeout(120_000);
});

/** `npm run vectors -- DIR`: replays a chain recorded from real Fabric and says what is equal. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replayBlocks } from './replay-blocks.js';
import { readSimulations, SimulationReplay } from './replay-simulations.js';

const USAGE =
  'usage: npm run vectors -- DIR   (a folder with blocks.pb.gz, expected.json, private.jsonl.gz, simulations.jsonl.gz)';

async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined || !existsSync(join(folder, 'blocks.pb.gz'))) {
    console.error(folder === undefined ? USAGE : `${folder} holds no recorded chain (blocks.pb.gz)\n${USAGE}`);
    return 2;
  }
  const simulations = new SimulationReplay(readSimulations(folder));
  const chain = await replayBlocks(folder, (ledger, height) => simulations.at(ledger, height));
  const { equal, differences: ofSimulations } = simulations.tally;
  const differences = [...chain.differences, ...ofSimulations];
  for (const difference of differences) console.log(difference);
  console.log(
    `${chain.blocks} blocks, ${chain.flags} flags, ${chain.commitHashes} commit hashes, ` +
      `${equal} simulations equal, ${differences.length} different`,
  );
  return differences.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2]);

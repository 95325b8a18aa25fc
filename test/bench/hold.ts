/**
 * `npm run bench:stock -- FOLDER`: brings the empty contract up in a new folder and holds it until Ctrl-C, for another
 * driver than ours; writes FOLDER/caliper.yaml, Caliper's network file. SALUS_ENGINE says on which engine.
 */
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { TEST_COLLECTIONS } from '../support/embedded-network.js';
import { engineName } from '../support/engine.js';
import { projectRoot } from '../support/shared.js';
import { CALIPER, networkFile } from './caliper.js';
import { startStock } from './stock.js';

async function main(): Promise<void> {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: npm run bench:stock -- FOLDER');
  const stateDir = resolve(projectRoot, folder);
  mkdirSync(stateDir, { recursive: true });
  if (readdirSync(stateDir).length > 0) throw new Error(`${stateDir} is not empty; name a new folder`);
  const prepared = await prepareState(loadTopology(), stateDir, { collections: TEST_COLLECTIONS });
  const network = await startStock(prepared);
  const file = join(stateDir, 'caliper.yaml');
  writeFileSync(file, networkFile(prepared));
  console.log(`the empty contract serves on ${engineName}; with Caliper, from the project's folder:
  npx caliper launch manager --caliper-workspace . --caliper-networkconfig ${relative(projectRoot, file)} \\
    --caliper-benchconfig ${CALIPER}/benchmark.yaml --caliper-flow-only-test
Ctrl-C stops it; delete the folder then`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await network.stop();
  process.exit(0);
}

await main();

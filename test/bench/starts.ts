/** How long a start takes until every gateway serves, from nothing and from what the start before left, and in how much memory. */
import { engineName } from '../support/engine.js';
import { freePortBase } from '../support/free-ports.js';
import { residentBytes } from '../support/memory.js';
import { type TestNetwork, startNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { byKind } from './meter.js';
import type { Ratio } from './report.js';

/** What Fabric's start is to take on two cores; of the embedded ledger's nothing is asked. */
const AIMS =
  engineName === 'fabric'
    ? { nothing: '<= 60', existing: '<= 20', megabytes: '<= 3500' }
    : { nothing: '', existing: '', megabytes: '' };

/** Starts the consortium twice in a folder of its own; seconds of each start, and megabytes of the second, by kind of process printed. */
export async function startFigures(): Promise<Ratio[]> {
  const scratch = scratchFolder();
  const options = { stateDir: scratch.path, portBase: await freePortBase() };
  try {
    const nothing = await started(options, () => undefined);
    let megabytes = 0;
    const existing = await started(options, (network) => {
      megabytes = resident(network);
    });
    return [
      { what: 'ready from nothing, seconds', value: nothing, aim: AIMS.nothing },
      { what: 'ready from an existing state, seconds', value: existing, aim: AIMS.existing },
      { what: 'resident memory of all processes then, MB', value: megabytes, aim: AIMS.megabytes },
    ];
  } finally {
    scratch.remove();
  }
}

async function started(
  options: { readonly stateDir: string; readonly portBase: number },
  look: (network: TestNetwork) => void,
): Promise<number> {
  const began = performance.now();
  const network = await startNetwork(options);
  const seconds = (performance.now() - began) / 1000;
  try {
    look(network);
  } finally {
    await network.stop();
  }
  return seconds;
}

function resident(network: TestNetwork): number {
  const each = Object.entries(byKind(network.processes())).map(([name, pids]) => ({
    name,
    megabytes: pids.reduce((sum, pid) => sum + residentBytes(pid) / 1e6, 0),
  }));
  console.log(each.map(({ name, megabytes }) => `${name} ${megabytes.toFixed(0)} MB`).join(', '));
  return each.reduce((sum, { megabytes }) => sum + megabytes, 0);
}

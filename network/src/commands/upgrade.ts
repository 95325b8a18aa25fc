import { type Command, CommandError, type CommandIo } from '../command.js';
import { readEndpoints } from '../endpoints.js';
import { isExported } from '../prepare.js';
import { loadTopology } from '../topology.js';
import { refuseDuringBackup } from './halted.js';
import { agreed } from './membership.js';
import { readRunFile } from './run-file.js';
import { explained, requireFabric } from './running-fabric.js';

/** `salus upgrade`: the contracts built here come into force under a new version, while the network runs. */
export const upgrade: Command = {
  name: 'upgrade',
  summary: 'bring the contracts that are built here into force under a new version, while everything goes on',
  options: [{ flags: '--chaincode <version>', summary: 'such as 0.2.0, the same at every member', required: true }],
  async run({ options }, io) {
    refuseEmbedded(io);
    requireFabric(io.stateDir);
    refuseDuringBackup(io.stateDir);
    const version = String(options['chaincode']);
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new CommandError(`${version} is no version such as 0.2.0`, 2);
    if (!isExported(io.stateDir)) return upgradeAll(io, version);
    const { upgradeDefinition } = await import('../fabric/apart.js');
    io.out(agreed(await explained(upgradeDefinition(io.stateDir, version))));
    return 0;
  },
};

/** One process holds everybody's ledger there, and commits the definition of the topology file when it starts. */
function refuseEmbedded({ stateDir, topologyFile }: CommandIo): void {
  if (readEndpoints(stateDir)?.engine !== 'embedded') return;
  throw new CommandError(
    `on the embedded ledger a start does it: write the version into ${topologyFile}, then: npm run salus -- down, and npm run salus -- up`,
  );
}

async function upgradeAll(io: CommandIo, version: string): Promise<number> {
  const said = loadTopology(io.topologyFile).chaincode.version;
  if (said !== version) {
    throw new CommandError(
      `${io.topologyFile} says version ${said} of the chaincode, which the next start would bring back: write ${version} there, then repeat`,
      2,
    );
  }
  if (readRunFile(io.stateDir)?.ready !== true) {
    throw new CommandError(`nothing runs from ${io.stateDir}: a start brings version ${version} into force by itself`);
  }
  const { upgradeTogether } = await import('../fabric/upgrade.js');
  const show = (line: string): void => {
    io.out(line);
  };
  const sequence = await explained(upgradeTogether(io.stateDir, version, show));
  io.out(`the chaincode's definition is in force at sequence ${sequence}; its processes are the new ones`);
  return 0;
}

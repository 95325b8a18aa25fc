import { type Command, CommandError } from '../command.js';
import { isExported } from '../prepare.js';
import { agreed } from './membership.js';
import { explained, requireFabric } from './running-fabric.js';

/** `salus upgrade`: a member approves a new version of the chaincode's definition from its own folder. */
export const upgrade: Command = {
  name: 'upgrade',
  summary:
    "approve a new version of the chaincode's definition, each member in its own folder; the last one commits it",
  options: [{ flags: '--chaincode <version>', summary: 'such as 0.2.0, the same at every member', required: true }],
  async run({ options }, io) {
    requireFabric(io.stateDir);
    if (!isExported(io.stateDir)) {
      throw new CommandError(
        'all members are in this folder: give the version in the topology file and start again',
        2,
      );
    }
    const version = String(options['chaincode']);
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new CommandError(`${version} is no version such as 0.2.0`, 2);
    const { upgradeDefinition } = await import('../fabric/apart.js');
    io.out(agreed(await explained(upgradeDefinition(io.stateDir, version))));
    return 0;
  },
};

import type { Command } from '../command.js';
import { proposed } from './membership.js';
import { explained, requireFabric } from './running-fabric.js';

/** `salus rotate`, on Fabric: a proposed change of the channel, which members countersign and apply. */
export const rotate: Command = {
  name: 'rotate',
  summary: "propose another TLS key for a member's orderer, or finish what an interrupted change left",
  options: [{ flags: '--member <name>', summary: 'whose orderer', required: true }],
  async run({ options }, io) {
    requireFabric(io.stateDir);
    const name = String(options['member']);
    const { finishRotations, proposeRotation } = await import('../fabric/rotate.js');
    const finished = await explained(finishRotations(io.stateDir));
    for (const line of finished) io.out(line);
    if (finished.length > 0) return 0;
    return proposed(io, `rotate-${name}`, (folder) => proposeRotation(io.stateDir, name, folder));
  },
};

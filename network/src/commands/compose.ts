import { join } from 'node:path';
import type { Command } from '../command.js';
import { composeFile } from '../compose/compose.js';
import { ownComposeCommand, prepareContainers, prepareOwnContainers } from '../compose/containers.js';
import { isExported } from '../prepare.js';
import { loadTopology } from '../topology.js';
import { requireWritable } from './state-folder.js';

/** `salus compose`: prints, writes nothing. */
export const compose: Command = {
  name: 'compose',
  summary: 'print docker-compose.yaml as the topology file asks for it',
  run(_input, io) {
    io.out(composeFile(loadTopology(io.topologyFile)).trimEnd());
    return Promise.resolve(0);
  },
};

/** `salus containers`: fills the state folder that docker-compose.yaml mounts. */
export const containers: Command = {
  name: 'containers',
  summary: 'make the keys, configuration and settings that docker-compose.yaml mounts',
  async run(_input, io) {
    requireWritable(io.stateDir);
    if (isExported(io.stateDir)) {
      await prepareOwnContainers(io.stateDir);
      io.out(`made it; go on with: ${ownComposeCommand(io.stateDir) ?? ''} up --detach --build`);
      return 0;
    }
    const stateDir = join(io.stateDir, 'containers');
    await prepareContainers(loadTopology(io.topologyFile), stateDir);
    io.out(`made ${stateDir}; go on with: docker compose --env-file ${join(stateDir, '.env')} up --detach --build`);
    return 0;
  },
};

/** Says before anything starts which port another program holds. */
import { createServer } from 'node:net';

import { CommandError } from '../command.js';
import type { Topology } from '../topology.js';
import type { Engine } from './bring-up.js';

/** Every port on which `engine` would listen and something does already, as people read it; undefined when there is none. */
export async function busyPorts(topology: Topology, engine: Engine): Promise<string | undefined> {
  const busy = (
    await Promise.all(places(topology, engine).map(async (place) => ((await isFree(place)) ? [] : [place])))
  ).flat();
  if (busy.length === 0) return undefined;
  return busy.map(({ what, host, port }) => `${host}:${port} (${what})`).join(', ');
}

interface Place {
  readonly what: string;
  /** Where it binds. */
  readonly host: string;
  readonly port: number;
}

/** Throws CommandError naming every port on which `engine` would listen and something does already. */
export async function checkPorts(topology: Topology, engine: Engine): Promise<void> {
  const list = await busyPorts(topology, engine);
  if (list === undefined) return;
  throw new CommandError(`in use by another program: ${list}; end it, or change ports in ${topology.file}`);
}

function places(topology: Topology, engine: Engine): Place[] {
  const members = topology.members.flatMap((member) => [
    ...member.gateways.flatMap(({ name, listenHost: host, httpHost, port, doorPort }) => [
      { what: `${name} of ${member.name}`, host: httpHost, port },
      { what: `door of ${name} of ${member.name}`, host, port: doorPort },
    ]),
    ...member.peers.map(({ name, listenHost: host, port }) => ({ what: `${name} of ${member.name}`, host, port })),
    ...(member.orderer
      ? [{ what: `orderer of ${member.name}`, host: member.orderer.listenHost, port: member.orderer.port }]
      : []),
    ...(member.fabricCa?.listens ? [{ ...member.fabricCa.listens, what: `Fabric CA of ${member.name}` }] : []),
  ]);
  return [...members, ...chaincodePlaces(topology, engine)];
}

/**
 * One for each member on Fabric, where nothing is shared: members of one channel that start at the same moment on one machine
 * would meet each other's trial at a shared one.
 */
function chaincodePlaces(topology: Topology, engine: Engine): Place[] {
  if (engine === 'embedded') return [{ what: 'chaincode', host: '127.0.0.1', port: topology.sharedChaincodePort }];
  return topology.members.map(({ name, chaincodeHost: host, chaincodePort: port }) => ({
    what: `chaincode of ${name}`,
    host,
    port,
  }));
}

function isFree({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

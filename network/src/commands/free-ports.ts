/** Says before anything starts which port another program holds. */
import { createServer } from 'node:net';

import { CommandError } from '../command.js';
import type { Topology } from '../topology.js';

/** Every port of the topology on which something listens, as people read it; undefined when there is none. */
export async function busyPorts(topology: Topology): Promise<string | undefined> {
  const busy = (
    await Promise.all(places(topology).map(async (place) => ((await isFree(place)) ? [] : [place])))
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

/** Throws CommandError naming every port of the topology on which something listens already. */
export async function checkPorts(topology: Topology): Promise<void> {
  const list = await busyPorts(topology);
  if (list === undefined) return;
  throw new CommandError(`in use by another program: ${list}; end it, or change ports in ${topology.file}`);
}

function places(topology: Topology): Place[] {
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
  return [...members, { what: 'chaincode', host: '127.0.0.1', port: topology.sharedChaincodePort }];
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

import { stringify } from 'yaml';
import { type Member, memberOf, type Topology } from '../topology/model.js';
import {
  BETWEEN,
  chaincodeService,
  gatewayService,
  inside,
  ordererService,
  peerService,
  type Service,
  setupService,
  volumeOf,
  volumesService,
} from './nodes.js';

const HEADER = `# Made from network/consortium.yaml by: npm run --silent salus -- compose > docker-compose.yaml
# Keys and settings are not in here: npm run salus -- containers makes them. How to run it: docs/containers.md.
`;
const WIDTH = 120;

/** docker-compose.yaml of a topology: every member's nodes on Hyperledger Fabric, on one machine. */
export function composeFile(topology: Topology): string {
  return HEADER + servicesOf(topology, topology.members);
}

/** docker-compose.yaml of one member's nodes, for a machine of its own. */
export function memberComposeFile(topology: Topology, name: string): string {
  return servicesOf(topology, [memberOf(topology, name)]);
}

function servicesOf(topology: Topology, members: readonly Member[]): string {
  const nodes = Object.fromEntries(members.flatMap(fabricServices));
  const apart = Object.fromEntries(members.flatMap((member) => memberServices(topology, member)));
  const stored = [...Object.keys(nodes), ...members.map(({ name }) => `gateways.${name}`)];
  const file = {
    services: {
      volumes: volumesService(topology, stored),
      ...nodes,
      setup: setupService(topology, Object.keys(nodes)),
      ...apart,
    },
    networks: {
      ...Object.fromEntries(members.map((member) => [inside(member), { internal: true }])),
      [BETWEEN]: {},
    },
    volumes: Object.fromEntries(stored.map((name) => [volumeOf(name), {}])),
  };
  return stringify(file, { lineWidth: WIDTH, singleQuote: true, aliasDuplicateObjects: false, version: '1.1' });
}

function fabricServices(member: Member): [string, Service][] {
  const { name, orderer } = member;
  return [
    ...(orderer ? [[`orderer.${name}`, ordererService(member, orderer)] satisfies [string, Service]] : []),
    ...member.peers.map((node): [string, Service] => [`${node.name}.${name}`, peerService(member, node)]),
  ];
}

function memberServices(topology: Topology, member: Member): [string, Service][] {
  return [
    [`chaincode.${member.name}`, chaincodeService(topology, member)],
    ...member.gateways.map((node): [string, Service] => [
      `${node.name}.${member.name}`,
      gatewayService(topology, member, node),
    ]),
  ];
}

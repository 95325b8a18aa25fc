import { stringify } from 'yaml';
import { type Member, memberOf, type Topology } from '../topology/model.js';
import {
  alone,
  BETWEEN,
  chaincodeService,
  gatewayService,
  ordererService,
  peerService,
  type Service,
  type Setting,
  setupService,
  together,
  volumeOf,
  volumesService,
  within,
} from './nodes.js';

const HEADER = `# Made from network/consortium.yaml by: npm run --silent salus -- compose > docker-compose.yaml
# Keys and settings are not in here: npm run salus -- containers makes them. How to run it: docs/containers.md.
`;
/** On top of a member's own file. */
const ALONE_HEADER = `# Run it from Salus's sources, after: npm run salus -- containers. The README beside it says how.
`;
const WIDTH = 120;

/** docker-compose.yaml of a topology: every member's nodes on Hyperledger Fabric, on one machine. */
export function composeFile(topology: Topology): string {
  return HEADER + servicesOf(together, topology, topology.members);
}

/** docker-compose.yaml of one member's nodes, for a machine of its own. */
export function memberComposeFile(topology: Topology, name: string): string {
  return ALONE_HEADER + servicesOf(alone, topology, [memberOf(topology, name)]);
}

function servicesOf(at: Setting, topology: Topology, members: readonly Member[]): string {
  const nodes = Object.fromEntries(members.flatMap((member) => fabricServices(at, member)));
  const apart = Object.fromEntries(members.flatMap((member) => memberServices(at, topology, member)));
  const stored = [...Object.keys(nodes), ...members.map(({ name }) => `gateways.${name}`)];
  const file = {
    services: {
      ...(!at.isAlone && { volumes: volumesService(topology, stored) }),
      ...nodes,
      setup: setupService(at, topology, members, Object.keys(nodes)),
      ...apart,
    },
    ...(!at.isAlone && {
      networks: networksOf(members),
      volumes: Object.fromEntries(stored.map((name) => [volumeOf(name), {}])),
    }),
  };
  return stringify(file, { lineWidth: WIDTH, singleQuote: true, aliasDuplicateObjects: false, version: '1.1' });
}

function networksOf(members: readonly Member[]): Service {
  return { ...Object.fromEntries(members.map((member) => [within(member), { internal: true }])), [BETWEEN]: {} };
}

function fabricServices(at: Setting, member: Member): [string, Service][] {
  const { name, orderer } = member;
  return [
    ...(orderer ? [[`orderer.${name}`, ordererService(at, member, orderer)] satisfies [string, Service]] : []),
    ...member.peers.map((node): [string, Service] => [`${node.name}.${name}`, peerService(at, member, node)]),
  ];
}

function memberServices(at: Setting, topology: Topology, member: Member): [string, Service][] {
  return [
    [`chaincode.${member.name}`, chaincodeService(at, topology, member)],
    ...member.gateways.map((node): [string, Service] => [
      `${node.name}.${member.name}`,
      gatewayService(at, topology, member, node),
    ]),
  ];
}

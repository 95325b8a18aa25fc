import { layout } from '../identity/layout.js';
import type { GatewayNode, Member, OrdererNode, PeerNode, Topology } from '../topology/model.js';
import { BUILDER_MOUNT, MOUNT } from './containers.js';

/** A service of docker-compose.yaml, as far as we use the format. */
export type Service = Readonly<Record<string, unknown>>;

/** Fabric's official images are pinned to this release. */
const FABRIC_VERSION = '2.5.16';
const STATE = '${SALUS_STATE:-./.salus/containers}';
const USER = '${SALUS_UID:-1000}:${SALUS_GID:-1000}';
/** Changes with the code: `salus containers` writes it beside the folder's place. */
const PACKAGE = '${SALUS_CHAINCODE_ID:?made by: npm run salus -- containers}';
/** The network between members. */
export const BETWEEN = 'consortium';

/** The network inside a member: its chaincode is reached from nowhere else. */
export function inside(member: Member): string {
  return `inside-${member.name}`;
}

/** Name of the volume of a service's data. */
export function volumeOf(service: string): string {
  return `${service.replace('.', '-')}-data`;
}

/** A member's orderer as a service of the compose file. */
export function ordererService(member: Member, node: OrdererNode): Service {
  const dir = layout.orderer(MOUNT, member.name);
  return {
    ...fabricImage('orderer'),
    environment: { FABRIC_CFG_PATH: `${dir}/node` },
    volumes: [...readOnly(`${dir}/node`, `${dir}/roots`), `${volumeOf(`orderer.${member.name}`)}:${dir}/ledger`],
    networks: [BETWEEN],
    ...hardened(),
    healthcheck: listening(node.port),
  };
}

/** A member's peer as a service of the compose file. */
export function peerService(member: Member, node: PeerNode): Service {
  const dir = layout.member(MOUNT, member.name);
  const own = layout.peer(dir, node.name);
  const data = `${layout.memberLedger(dir)}/${node.name}`;
  return {
    ...fabricImage('peer'),
    command: ['peer', 'node', 'start'],
    environment: { FABRIC_CFG_PATH: own, SALUS_BUILDER_CONNECTION: `${own}/connection.json` },
    volumes: [
      ...readOnly(own, `${dir}/roots`),
      `./network/builder:${BUILDER_MOUNT}:ro`,
      `${volumeOf(`${node.name}.${member.name}`)}:${data}`,
    ],
    networks: [inside(member), BETWEEN],
    ...hardened(),
    healthcheck: listening(node.port),
  };
}

/** A member's chaincode process as a service of the compose file. */
export function chaincodeService(topology: Topology, member: Member): Service {
  const dir = layout.chaincode(layout.member(MOUNT, member.name));
  return {
    build: { context: '.', dockerfile: 'chaincode/Dockerfile' },
    image: `salus-chaincode:${topology.chaincode.version}`,
    environment: {
      SALUS_CHAINCODE_ID: PACKAGE,
      SALUS_CHAINCODE_ADDRESS: `0.0.0.0:${member.chaincodePort}`,
      SALUS_CHAINCODE_TLS_KEY: `${dir}/server.key`,
      SALUS_CHAINCODE_TLS_CERT: `${dir}/server.crt`,
      SALUS_CHAINCODE_TLS_CLIENT_CA: `${dir}/ca.crt`,
      SALUS_CHAINCODE_PRODUCTION: String(topology.production),
    },
    volumes: readOnly(dir),
    networks: [inside(member)],
    ...hardened(),
    healthcheck: nodeListening(member.chaincodePort),
  };
}

/** One gateway as a service of the compose file; people reach its port, members its door's. */
export function gatewayService(topology: Topology, member: Member, node: GatewayNode): Service {
  const dir = layout.member(MOUNT, member.name);
  const own = layout.gateway(dir, node.name);
  return {
    ...gatewayImage(topology),
    command: ['gateway/dist/main.js', `${own}/settings.json`],
    volumes: [
      ...readOnly(own, `${dir}/roots`, layout.msp(dir)),
      `${volumeOf(`gateways.${member.name}`)}:${layout.data(dir)}`,
    ],
    networks: [inside(member), BETWEEN],
    ports: [`127.0.0.1:${node.port}:${node.port}`],
    depends_on: { setup: { condition: 'service_completed_successfully' } },
    ...hardened(),
    healthcheck: {
      ...OFTEN,
      test: [
        'CMD',
        'node',
        '-e',
        `fetch('http://127.0.0.1:${node.port}/livez').then((r) => process.exit(r.ok ? 0 : 1))`,
      ],
    },
  };
}

/** Brings channel and chaincode into force, once; the only one that sees every administrator's key. */
export function setupService(topology: Topology, waitsFor: readonly string[]): Service {
  return {
    ...gatewayImage(topology),
    command: ['network/dist/fabric/setup.js', MOUNT],
    volumes: [`${STATE}:${MOUNT}:ro`],
    networks: [BETWEEN],
    depends_on: Object.fromEntries(waitsFor.map((name) => [name, { condition: 'service_healthy' }])),
    ...hardened(),
    restart: 'no',
  };
}

/** Gives the data volumes to the user that the others run as; Docker makes them for root. */
export function volumesService(topology: Topology, services: readonly string[]): Service {
  return {
    ...gatewayImage(topology),
    user: '0:0',
    entrypoint: ['chown', USER, ...services.map((name) => `/volumes/${name}`)],
    volumes: services.map((name) => `${volumeOf(name)}:/volumes/${name}`),
    network_mode: 'none',
    read_only: true,
    cap_drop: ['ALL'],
    cap_add: ['CHOWN'],
    security_opt: ['no-new-privileges:true'],
    restart: 'no',
  };
}

function fabricImage(program: 'peer' | 'orderer') {
  return {
    image: `hyperledger/fabric-${program}:${FABRIC_VERSION}`,
    depends_on: { volumes: { condition: 'service_completed_successfully' } },
  };
}

function gatewayImage({ chaincode }: Topology) {
  return { build: { context: '.', dockerfile: 'gateway/Dockerfile' }, image: `salus-gateway:${chaincode.version}` };
}

function hardened() {
  return {
    user: USER,
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    restart: 'unless-stopped',
  };
}

/** The same place of the state folder here and in the container. */
function readOnly(...places: readonly string[]): string[] {
  return places.map((place) => `${STATE}${place.slice(MOUNT.length)}:${place}:ro`);
}

const OFTEN = { interval: '5s', timeout: '3s', retries: 12 };

/** Fabric's images have bash, and nothing else that connects. */
function listening(port: number) {
  return { ...OFTEN, test: ['CMD', 'bash', '-c', `</dev/tcp/127.0.0.1/${port}`] };
}

function nodeListening(port: number) {
  const script = `require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return { ...OFTEN, test: ['CMD', 'node', '-e', script] };
}

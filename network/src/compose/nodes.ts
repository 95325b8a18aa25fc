import { dirname } from 'node:path';
import { layout } from '../identity/layout.js';
import type { GatewayNode, Member, OrdererNode, PeerNode, Topology } from '../topology/model.js';
import { BUILDER_MOUNT, MOUNT } from './places.js';

/** A service of docker-compose.yaml, as far as we use the format. */
export type Service = Readonly<Record<string, unknown>>;

/** Fabric's official images are pinned to this release. */
const FABRIC_VERSION = '2.5.16';
const USER = '${SALUS_UID:-1000}:${SALUS_GID:-1000}';
/** Where a service's files lie, here and in its container, and how it is reached. */
export interface Setting {
  /** The state folder on the machine. */
  readonly state: string;
  /** The same in a container. */
  readonly mount: string;
  /** On a machine of its own a member is reached by the machine's name: its services are on the machine's own network. */
  readonly isAlone: boolean;
}

/** Every member on one machine. */
export const together: Setting = { state: '${SALUS_STATE:-./.salus/containers}', mount: MOUNT, isAlone: false };
/** One member on a machine of its own: its folder has the same path in the containers as here, as its settings say. */
export const alone: Setting = { state: '${SALUS_STATE:?}', mount: '${SALUS_STATE:?}', isAlone: true };

/** Changes with the code: `salus containers` writes it beside the folder's place. */
const PACKAGE = '${SALUS_CHAINCODE_ID:?made by: npm run salus -- containers}';
/** The network between members. */
export const BETWEEN = 'consortium';

/** The network within a member: its chaincode is reached from nowhere else. */
export function within(member: Member): string {
  return `inside-${member.name}`;
}

/** Name of the volume of a service's data. */
export function volumeOf(service: string): string {
  return `${service.replace('.', '-')}-data`;
}

/** A member's orderer as a service of the compose file. */
export function ordererService(at: Setting, member: Member, node: OrdererNode): Service {
  const dir = layout.orderer(at.mount, member.name);
  return {
    ...fabricImage(at, 'orderer'),
    environment: { FABRIC_CFG_PATH: `${dir}/node` },
    volumes: [...readOnly(at, `${dir}/node`, `${dir}/roots`), kept(at, `orderer.${member.name}`, `${dir}/ledger`)],
    ...reachedIn(at, BETWEEN),
    ...hardened(),
    healthcheck: listening(inside(at, node.listenHost), node.port),
  };
}

/** A member's peer as a service of the compose file. */
export function peerService(at: Setting, member: Member, node: PeerNode): Service {
  const dir = layout.member(at.mount, member.name);
  const own = layout.peer(dir, node.name);
  const data = `${layout.memberLedger(dir)}/${node.name}`;
  return {
    ...fabricImage(at, 'peer'),
    command: ['peer', 'node', 'start'],
    environment: { FABRIC_CFG_PATH: own, SALUS_BUILDER_CONNECTION: `${own}/connection.json` },
    volumes: [
      ...readOnly(at, own, `${dir}/roots`),
      `./network/builder:${BUILDER_MOUNT}:ro`,
      kept(at, `${node.name}.${member.name}`, data),
    ],
    ...reachedIn(at, within(member), BETWEEN),
    ...hardened(),
    // What the builder copied of the connection goes with the container: a new certificate is taken by starting it again. In a
    // folder of the machine `salus containers` deletes it.
    ...(!at.isAlone && { tmpfs: ['/tmp', `${data}/externalbuilder`] }),
    healthcheck: listening(inside(at, node.listenHost), node.port),
  };
}

/** A member's chaincode process as a service of the compose file. */
export function chaincodeService(at: Setting, topology: Topology, member: Member): Service {
  const dir = layout.chaincode(layout.member(at.mount, member.name));
  const host = at.isAlone ? member.chaincodeHost : '0.0.0.0';
  return {
    build: { context: '.', dockerfile: 'chaincode/Dockerfile' },
    image: `salus-chaincode:${topology.chaincode.version}`,
    environment: {
      SALUS_CHAINCODE_ID: PACKAGE,
      SALUS_CHAINCODE_ADDRESS: `${host}:${member.chaincodePort}`,
      SALUS_CHAINCODE_TLS_KEY: `${dir}/server.key`,
      SALUS_CHAINCODE_TLS_CERT: `${dir}/server.crt`,
      SALUS_CHAINCODE_TLS_CLIENT_CA: `${dir}/ca.crt`,
      SALUS_CHAINCODE_PRODUCTION: String(topology.production),
    },
    volumes: readOnly(at, dir),
    ...reachedIn(at, within(member)),
    ...hardened(),
    healthcheck: nodeListening(inside(at, host), member.chaincodePort),
  };
}

/** One gateway as a service of the compose file; people reach its port, members its door's. */
export function gatewayService(at: Setting, topology: Topology, member: Member, node: GatewayNode): Service {
  const dir = layout.member(at.mount, member.name);
  const own = layout.gateway(dir, node.name);
  return {
    ...gatewayImage(topology),
    command: ['gateway/dist/main.js', `${own}/settings.json`],
    volumes: [
      ...readOnly(at, own, `${dir}/roots`, layout.msp(dir)),
      kept(at, `gateways.${member.name}`, layout.data(dir)),
    ],
    ...reachedIn(at, within(member), BETWEEN),
    ...(!at.isAlone && { ports: [`127.0.0.1:${node.port}:${node.port}`] }),
    depends_on: { setup: { condition: 'service_completed_successfully' } },
    ...hardened(),
    healthcheck: {
      ...OFTEN,
      test: [
        'CMD',
        'node',
        '-e',
        `fetch('http://${inside(at, node.httpHost)}:${node.port}/livez').then((r) => process.exit(r.ok ? 0 : 1))`,
      ],
    },
  };
}

/**
 * Brings channel and chaincode into force, once; the only one that sees an administrator's key, of all whose nodes are here,
 * and no authority's.
 */
export function setupService(
  at: Setting,
  topology: Topology,
  members: readonly Member[],
  waitsFor: readonly string[],
): Service {
  return {
    ...gatewayImage(topology),
    command: ['network/dist/fabric/setup.js', at.mount],
    volumes: readOnly(at, ...setupPlaces(at.mount, members)),
    ...reachedIn(at, BETWEEN),
    depends_on: Object.fromEntries(waitsFor.map((name) => [name, { condition: 'service_healthy' }])),
    ...hardened(),
    restart: 'no',
  };
}

/** What bringing a channel into force reads of a state folder: administrators' identities, and the TLS that they call peers with. */
function setupPlaces(stateDir: string, members: readonly Member[]): string[] {
  return [
    layout.network(stateDir),
    dirname(layout.genesis(stateDir)),
    ...members.flatMap(({ name, peers, orderer }) => {
      const dir = layout.member(stateDir, name);
      return [
        layout.admin(dir),
        ...peers.map((peer) => `${layout.peer(dir, peer.name)}/tls`),
        ...(orderer ? [layout.admin(layout.orderer(stateDir, name))] : []),
      ];
    }),
  ];
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

function fabricImage({ isAlone }: Setting, program: 'peer' | 'orderer') {
  return {
    image: `hyperledger/fabric-${program}:${FABRIC_VERSION}`,
    ...(!isAlone && { depends_on: { volumes: { condition: 'service_completed_successfully' } } }),
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
function readOnly({ state, mount }: Setting, ...places: readonly string[]): string[] {
  return places.map((place) => `${state}${place.slice(mount.length)}:${place}:ro`);
}

/** Where a service keeps what it writes: a volume; on a machine of its own the member's folder, so that it is backed up as one. */
function kept({ state, mount, isAlone }: Setting, service: string, place: string): string {
  return `${isAlone ? state + place.slice(mount.length) : volumeOf(service)}:${place}`;
}

/** The networks of the file; on a machine of its own the machine's. */
function reachedIn({ isAlone }: Setting, ...networks: readonly string[]): Service {
  return isAlone ? { network_mode: 'host' } : { networks };
}

/** Where a service is reached from inside its own container. */
function inside({ isAlone }: Setting, listenHost: string): string {
  return isAlone ? listenHost : '127.0.0.1';
}

const OFTEN = { interval: '5s', timeout: '3s', retries: 12 };

/** Fabric's images have bash, and nothing else that connects. */
function listening(host: string, port: number) {
  return { ...OFTEN, test: ['CMD', 'bash', '-c', `</dev/tcp/${host}/${port}`] };
}

function nodeListening(host: string, port: number) {
  const script = `require('net').connect(${port}, '${host}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
  return { ...OFTEN, test: ['CMD', 'node', '-e', script] };
}

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaincodeDefinition } from '../config/definition.js';
import { writeEndpoints } from '../endpoints.js';
import { memberPairs, ordererPairs } from '../fabric/establish.js';
import { renderOrderer, renderPeer } from '../fabric/render.js';
import { writePublic, writeSecret } from '../identity/files.js';
import { layout } from '../identity/layout.js';
import {
  exportedMember,
  isExported,
  type PreparedState,
  prepareOwn,
  prepareState,
  type PrepareOptions,
  readNetwork,
} from '../prepare.js';
import type { Member, Topology } from '../topology/model.js';
import { memberComposeFile } from './compose.js';
import { BUILDER_MOUNT, MOUNT } from './places.js';

/** Containers listen on all their addresses; the networks they are in decide who reaches them. */
const ANY_ADDRESS = '0.0.0.0';
const PUBLIC_HOST = 'localhost';
const OWNER_ONLY_FOLDER = 0o700;

/** The same consortium where every node is a container, reached under its service's name. */
function inContainers(topology: Topology): Topology {
  return { ...topology, members: topology.members.map(memberInContainers) };
}

function memberInContainers(member: Member): Member {
  const { name, orderer } = member;
  return {
    ...member,
    host: `gateway0.${name}`,
    chaincodeHost: `chaincode.${name}`,
    // A server that the native network would start has the built-in authority's root: that one issues instead.
    fabricCa: member.fabricCa?.listens ? undefined : member.fabricCa,
    peers: member.peers.map((node) => ({ ...node, host: `${node.name}.${name}`, listenHost: ANY_ADDRESS })),
    gateways: member.gateways.map((node) => {
      const reached = { host: `${node.name}.${name}`, listenHost: ANY_ADDRESS, httpHost: ANY_ADDRESS };
      const isBehindProxy = node.publicUrl.startsWith('https:');
      return { ...node, ...reached, ...(!isBehindProxy && { publicUrl: `http://${PUBLIC_HOST}:${node.port}` }) };
    }),
    ...(orderer && { orderer: { ...orderer, host: `orderer.${name}`, listenHost: ANY_ADDRESS } }),
  };
}

/**
 * Makes the state folder that docker-compose.yaml mounts: everything with the paths that containers see. Returns what
 * was prepared, with the paths of this machine.
 */
export async function prepareContainers(
  topology: Topology,
  stateDir: string,
  options: PrepareOptions = {},
): Promise<PreparedState> {
  const state = await prepareState(inContainers(topology), stateDir, options);
  const configs = [layout.network(state.stateDir), ...state.gatewaySettings, ...renderNodes(state)];
  for (const file of configs) writePublic(file, readFileSync(file, 'utf8').replaceAll(state.stateDir, MOUNT));
  writeSecret(join(state.stateDir, '.env'), composeEnvironment(state.stateDir, state.definition));
  return state;
}

/**
 * Makes what a member's own compose file needs beside the folder that was exported for it: each node's configuration, with
 * this machine's paths, which the containers see too; the file itself, as the topology is by now; the `.env`.
 */
export async function prepareOwnContainers(stateDir: string): Promise<void> {
  const state = await prepareOwn(stateDir);
  makeKept(state);
  renderNodes(state);
  // Whoever changes the channel from this folder asks it which engine runs.
  writeEndpoints(state.topology, state.material, 'fabric');
  writePublic(join(state.stateDir, 'docker-compose.yaml'), memberComposeFile(state.topology, exportedMember(stateDir)));
  writeSecret(join(state.stateDir, '.env'), composeEnvironment(state.stateDir, state.definition));
}

/** The folders that containers write to: what Docker would make of those that are missing is root's. */
function makeKept(state: PreparedState): void {
  for (const { member, own } of memberPairs(state)) {
    const places = [
      layout.data(own.dir),
      ...member.peers.map(({ name }) => join(layout.memberLedger(own.dir), name)),
      ...(own.orderer ? [layout.ordererLog(own.orderer.dir)] : []),
    ];
    for (const place of places) mkdirSync(place, { recursive: true, mode: OWNER_ONLY_FOLDER });
  }
}

/** Whether a folder's nodes were made to run in containers of one machine: what they keep lies in volumes, not here. */
export function keepsInVolumes(stateDir: string): boolean {
  return existsSync(layout.network(stateDir)) && readNetwork(stateDir).material.stateDir === MOUNT;
}

/** How the containers of a member's own folder are dealt with; undefined where `salus containers` was not asked to make any. */
export function ownComposeCommand(stateDir: string): string | undefined {
  const environment = join(stateDir, '.env');
  if (!isExported(stateDir) || !existsSync(environment)) return undefined;
  return `docker compose --project-directory . --env-file ${environment} --file ${join(stateDir, 'docker-compose.yaml')}`;
}

/** Writes core.yaml and orderer.yaml of all nodes that run from a folder; their files. */
function renderNodes(state: PreparedState): string[] {
  const pairs = memberPairs(state);
  const peers = pairs.flatMap(({ member, own }) =>
    member.peers.flatMap((node, index) => {
      const material = own.peers[index];
      return material ? [join(renderPeer(member, node, own, material, BUILDER_MOUNT).configDir, 'core.yaml')] : [];
    }),
  );
  const orderers = ordererPairs(pairs).map(({ node, own }) => join(renderOrderer(node, own).configDir, 'orderer.yaml'));
  return [...peers, ...orderers];
}

/** What docker-compose.yaml asks for: where the keys are, whose they are, and which package the chaincode serves. */
function composeEnvironment(stateDir: string, { packageId }: ChaincodeDefinition): string {
  const owner = { uid: process.getuid?.() ?? 1000, gid: process.getgid?.() ?? 1000 };
  const lines = [
    `SALUS_STATE=${stateDir}`,
    `SALUS_UID=${owner.uid}`,
    `SALUS_GID=${owner.gid}`,
    `SALUS_CHAINCODE_ID=${packageId}`,
  ];
  return `${lines.join('\n')}\n`;
}

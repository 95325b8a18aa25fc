import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaincodeDefinition } from '../config/definition.js';
import { memberPairs, ordererPairs } from '../fabric/establish.js';
import { renderOrderer, renderPeer } from '../fabric/render.js';
import { writePublic, writeSecret } from '../identity/files.js';
import { layout } from '../identity/layout.js';
import { type PreparedState, prepareState, type PrepareOptions } from '../prepare.js';
import type { Member, Topology } from '../topology/model.js';

/** Where a container sees the part of the state folder that it needs. */
export const MOUNT = '/salus';
/** Where a peer's container sees the external builder. */
export const BUILDER_MOUNT = '/builder';
/** Containers listen on all their addresses; the networks they are in decide who reaches them. */
const ANY_ADDRESS = '0.0.0.0';
const PUBLIC_HOST = 'localhost';

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
      return { ...node, host: `${node.name}.${name}`, listenHost: ANY_ADDRESS, publicHost: PUBLIC_HOST };
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
  const pairs = memberPairs(state);
  const configs = [layout.network(state.stateDir), ...state.gatewaySettings];
  for (const { member, own } of pairs) {
    for (const [index, node] of member.peers.entries()) {
      const material = own.peers[index];
      if (material) configs.push(join(renderPeer(member, node, own, material, BUILDER_MOUNT).configDir, 'core.yaml'));
    }
  }
  for (const { node, own } of ordererPairs(pairs))
    configs.push(join(renderOrderer(node, own).configDir, 'orderer.yaml'));
  for (const file of configs) writePublic(file, readFileSync(file, 'utf8').replaceAll(state.stateDir, MOUNT));
  writeSecret(join(state.stateDir, '.env'), composeEnvironment(state.stateDir, state.definition));
  return state;
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

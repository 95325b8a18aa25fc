import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chaincodePackage } from './config/archive.js';
import { ensureChannel, readDefinition, writeDefinition } from './config/channel-files.js';
import { type CollectionTemplate, readCollections } from './config/collections.js';
import { type ChaincodeDefinition, chaincodeDefinition } from './config/definition.js';
import { writePublic } from './identity/files.js';
import { layout, tlsFiles } from './identity/layout.js';
import { ensureMaterial, ensureOwnMaterial, type Material, writeRoots } from './identity/material.js';
import { type SettingsOptions, writeSettings } from './identity/settings.js';
import { forgetLost } from './lost-log.js';
import { memberOf, type Topology, withBuiltInAuthorities } from './topology/model.js';

/** What the chaincode's build says about its private collections. */
const COLLECTIONS_FILE = fileURLToPath(new URL('../../chaincode/dist/collections.json', import.meta.url));

/** What may differ from what the topology and the chaincode's build say. */
export interface PrepareOptions extends SettingsOptions {
  /** Other collections than those of the chaincode's build, for tests. */
  readonly collections?: readonly CollectionTemplate[];
}

/** A network's state folder, ready for its processes to start. */
export interface PreparedState {
  readonly stateDir: string;
  readonly topology: Topology;
  readonly material: Material;
  readonly definition: ChaincodeDefinition;
  /** settings.json of every gateway, in the order of the topology. */
  readonly gatewaySettings: readonly string[];
  /** Environment of one chaincode process that serves all members. */
  readonly chaincodeEnvironment: Readonly<Record<string, string>>;
}

/**
 * Makes whatever is missing of keys, certificates, channel configuration and settings; what exists is kept. Identities
 * come from a member's Fabric CA where the topology names one, but on the embedded ledger, which has built-in authorities
 * alone.
 */
export async function prepareState(
  wanted: Topology,
  stateDir: string,
  options: PrepareOptions = {},
): Promise<PreparedState> {
  const absolute = resolve(stateDir);
  const topology = options.engine === 'embedded' ? withBuiltInAuthorities(wanted) : wanted;
  const material = await ensureMaterial(topology, absolute);
  const definition = ensureChannel(topology, material, options.collections ?? readCollections(COLLECTIONS_FILE));
  writeNetwork(absolute, { topology, material });
  return {
    stateDir: absolute,
    topology,
    material,
    definition,
    gatewaySettings: writeSettings(topology, material, options),
    chaincodeEnvironment: sharedChaincodeEnvironment(topology, material, definition, options),
  };
}

/** Topology and material of a prepared state folder, for processes that are given the folder only. */
export interface NetworkFile {
  readonly topology: Topology;
  readonly material: Material;
}

/** Writes `network.json`: what the channel is, so that an orderer which it does not name may begin anew when it comes again. */
export function writeNetwork(stateDir: string, { topology, material }: NetworkFile): void {
  writePublic(layout.network(stateDir), `${JSON.stringify({ topology, material }, null, 2)}\n`);
  forgetLost(stateDir, topology);
}

/** Reads `network.json` of a prepared folder. Throws where there is none. */
export function readNetwork(stateDir: string): NetworkFile {
  return JSON.parse(readFileSync(layout.network(stateDir), 'utf8')) as NetworkFile;
}

/** Whether the folder was exported for one member: other members' keys are elsewhere, and none may be made here. */
export function isExported(stateDir: string): boolean {
  return existsSync(layout.exported(stateDir));
}

/** The member whose folder this is. Throws where it is nobody's alone. */
export function exportedMember(stateDir: string): string {
  return (JSON.parse(readFileSync(layout.exported(stateDir), 'utf8')) as { member: string }).member;
}

/** Makes a folder the one of a member alone. */
export function markExported(stateDir: string, member: string): void {
  writePublic(layout.exported(stateDir), `${JSON.stringify({ member })}\n`);
}

/**
 * A member's own folder, ready for its processes to start: what is missing of its own keys and certificates is made, what
 * ends soon renewed, its settings follow what is known of the others, and its package is of the code that is here.
 */
export async function prepareOwn(stateDir: string, options: SettingsOptions = {}): Promise<PreparedState> {
  const absolute = resolve(stateDir);
  const only = exportedMember(absolute);
  const { topology, material: known } = readNetwork(absolute);
  const material = await ensureOwnMaterial(known, memberOf(topology, only), absolute);
  writeNetwork(absolute, { topology, material });
  const definition = readDefinition(absolute);
  writeDefinition(absolute, { ...definition, packageId: chaincodePackage(definition.name).packageId });
  writeSettings(topology, material, { engine: 'fabric', ...options, only });
  return exportedState(absolute);
}

/** The definition that a topology asks for, with the collections of the chaincode built here where no others are named. */
export function definitionFor(
  { topology, material }: NetworkFile,
  collections: readonly CollectionTemplate[] = readCollections(COLLECTIONS_FILE),
): ChaincodeDefinition {
  return chaincodeDefinition(topology, material, collections);
}

/** Has nodes start from members and a definition that came into force in a running Fabric channel. */
export function adoptState(stateDir: string, network: NetworkFile, definition: ChaincodeDefinition): void {
  writeNetwork(stateDir, network);
  writeDefinition(stateDir, definition);
  writeRoots(network.material);
  writeSettings(network.topology, network.material, { engine: 'fabric' });
}

/** An exported folder as it is, with the one member whose nodes run here. */
export function exportedState(stateDir: string): PreparedState {
  const name = exportedMember(stateDir);
  const { topology, material } = readNetwork(stateDir);
  const definition = readDefinition(stateDir);
  const own = material.members.filter((member) => member.name === name);
  return {
    stateDir: resolve(stateDir),
    topology: { ...topology, members: topology.members.filter((member) => member.name === name) },
    material: { ...material, members: own },
    definition,
    gatewaySettings: own.flatMap(({ gateways }) => gateways.map(({ dir }) => join(dir, 'settings.json'))),
    chaincodeEnvironment: {},
  };
}

function sharedChaincodeEnvironment(
  topology: Topology,
  material: Material,
  definition: ChaincodeDefinition,
  options: SettingsOptions,
): Record<string, string> {
  const address = `127.0.0.1:${topology.sharedChaincodePort}`;
  return chaincodeEnvironment(topology, definition, { address, tlsDir: material.sharedChaincodeTlsDir }, options);
}

/** Environment of a chaincode process; the peers that call it have their TLS certificates from the same root as it. */
export function chaincodeEnvironment(
  topology: Topology,
  definition: ChaincodeDefinition,
  server: { readonly address: string; readonly tlsDir: string },
  { clockOffsetMs = 0 }: SettingsOptions = {},
): Record<string, string> {
  const { cert, key, ca } = tlsFiles(server.tlsDir);
  return {
    SALUS_CHAINCODE_ID: definition.packageId,
    SALUS_CHAINCODE_ADDRESS: server.address,
    SALUS_CHAINCODE_TLS_KEY: key,
    SALUS_CHAINCODE_TLS_CERT: cert,
    SALUS_CHAINCODE_TLS_CLIENT_CA: ca,
    SALUS_CHAINCODE_CLOCK_OFFSET_MS: String(clockOffsetMs),
    SALUS_CHAINCODE_PRODUCTION: String(topology.production),
  };
}

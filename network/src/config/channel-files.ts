import { existsSync, readFileSync } from 'node:fs';
import { writePublic } from '../identity/files.js';
import { layout } from '../identity/layout.js';
import type { Material } from '../identity/material.js';
import type { Topology } from '../topology/model.js';
import { channelConfig } from './channel-config.js';
import type { CollectionTemplate } from './collections.js';
import { type ChaincodeDefinition, chaincodeDefinition } from './definition.js';
import { buildGenesis } from './genesis.js';

/** Writes genesis.block when there is none yet, and definition.json as the topology asks for it now. */
export function ensureChannel(
  topology: Topology,
  material: Material,
  templates: readonly CollectionTemplate[],
): ChaincodeDefinition {
  const genesis = layout.genesis(material.stateDir);
  if (!existsSync(genesis)) {
    writePublic(genesis, buildGenesis(topology.channel, channelConfig(topology, material)));
  }
  const definition = chaincodeDefinition(topology, material, templates);
  writeDefinition(material.stateDir, definition);
  return definition;
}

/** Writes the chaincode definition that a state folder asks for. */
export function writeDefinition(stateDir: string, definition: ChaincodeDefinition): void {
  writePublic(layout.definition(stateDir), `${JSON.stringify(encoded(definition), null, 2)}\n`);
}

/** The channel's block 0 as written. */
export function readGenesis(stateDir: string): Buffer {
  return readFileSync(layout.genesis(stateDir));
}

/** The chaincode definition as written. */
export function readDefinition(stateDir: string): ChaincodeDefinition {
  const stored = JSON.parse(readFileSync(layout.definition(stateDir), 'utf8')) as ReturnType<typeof encoded>;
  const { policy, collections } = stored;
  return { ...stored, policy: Buffer.from(policy, 'base64'), collections: Buffer.from(collections, 'base64') };
}

function encoded(definition: ChaincodeDefinition) {
  const { policy, collections } = definition;
  return { ...definition, policy: policy.toString('base64'), collections: collections.toString('base64') };
}

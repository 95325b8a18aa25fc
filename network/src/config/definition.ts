import { peer } from '@hyperledger/fabric-protos';
import type { Material } from '../identity/material.js';
import type { Topology } from '../topology/model.js';
import { ENDORSEMENT_PATH } from './channel-config.js';
import { type CollectionTemplate, collectionPackage } from './collections.js';
import { chaincodePackage } from './archive.js';

/** Fabric's own endorsement and validation, by the names its lifecycle knows them. */
const ENDORSEMENT_PLUGIN = 'escc';
const VALIDATION_PLUGIN = 'vscc';

/** What the members agree on about the chaincode, and what they install. */
export interface ChaincodeDefinition {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  readonly packageId: string;
  /** peer.ApplicationPolicy: a reference to the channel's endorsement policy. */
  readonly policy: Buffer;
  /** peer.CollectionConfigPackage. */
  readonly collections: Buffer;
}

/** The definition a topology asks for. Collections come from the template that the chaincode's build wrote. */
export function chaincodeDefinition(
  topology: Topology,
  material: Material,
  templates: readonly CollectionTemplate[],
): ChaincodeDefinition {
  const { name, version, sequence } = topology.chaincode;
  const policy = new peer.ApplicationPolicy();
  policy.setChannelConfigPolicyReference(ENDORSEMENT_PATH);
  return {
    name,
    version,
    sequence,
    packageId: chaincodePackage(name).packageId,
    policy: Buffer.from(policy.serializeBinary()),
    collections: Buffer.from(collectionPackage(topology, material, templates).serializeBinary()),
  };
}

/** A public write of the `_lifecycle` namespace. */
export interface LifecycleWrite {
  readonly key: string;
  readonly value: Buffer;
}

/** The definition as Fabric's lifecycle stores it: one key per field, and one that names type and fields. */
export function lifecycleWrites(definition: ChaincodeDefinition): LifecycleWrite[] {
  const fields: [string, peer.lifecycle.StateData][] = [
    ['Sequence', number(definition.sequence)],
    ['EndorsementInfo', bytes(endorsementInfo(definition))],
    ['ValidationInfo', bytes(validationInfo(definition))],
    ['Collections', bytes(definition.collections)],
  ];
  const metadata = new peer.lifecycle.StateMetadata();
  metadata.setDatatype('ChaincodeDefinition');
  metadata.setFieldsList(fields.map(([field]) => field));
  return [
    ...fields.map(([field, data]) => ({
      key: `namespaces/fields/${definition.name}/${field}`,
      value: Buffer.from(data.serializeBinary()),
    })),
    { key: `namespaces/metadata/${definition.name}`, value: Buffer.from(metadata.serializeBinary()) },
  ].sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
}

/** Arguments of `_lifecycle` CommitChaincodeDefinition. */
export function commitArguments(definition: ChaincodeDefinition): Buffer {
  const args = new peer.lifecycle.CommitChaincodeDefinitionArgs();
  args.setName(definition.name);
  args.setVersion(definition.version);
  args.setSequence(definition.sequence);
  args.setEndorsementPlugin(ENDORSEMENT_PLUGIN);
  args.setValidationPlugin(VALIDATION_PLUGIN);
  args.setValidationParameter(definition.policy);
  args.setCollections(peer.CollectionConfigPackage.deserializeBinary(definition.collections));
  return Buffer.from(args.serializeBinary());
}

function endorsementInfo({ version }: ChaincodeDefinition): Uint8Array {
  const info = new peer.lifecycle.ChaincodeEndorsementInfo();
  info.setVersion(version);
  info.setEndorsementPlugin(ENDORSEMENT_PLUGIN);
  return info.serializeBinary();
}

function validationInfo({ policy }: ChaincodeDefinition): Uint8Array {
  const info = new peer.lifecycle.ChaincodeValidationInfo();
  info.setValidationPlugin(VALIDATION_PLUGIN);
  info.setValidationParameter(policy);
  return info.serializeBinary();
}

function number(value: number): peer.lifecycle.StateData {
  const data = new peer.lifecycle.StateData();
  data.setInt64(value);
  return data;
}

function bytes(value: Uint8Array): peer.lifecycle.StateData {
  const data = new peer.lifecycle.StateData();
  data.setBytes(value);
  return data;
}

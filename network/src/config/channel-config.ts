import { readFileSync } from 'node:fs';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { tlsFiles } from '../identity/layout.js';
import type { Material, MemberMaterial, OrdererMaterial } from '../identity/material.js';
import { type Member, memberOf, type OrdererNode, type Topology } from '../topology/model.js';
import { configGroup, fromBelow, type Serializable, signedBy } from './groups.js';
import { memberGroup, ordererGroup } from './organisations.js';
import { anyOf, nodePrincipals, rolePrincipal } from './signature-policy.js';
import { TUNING } from './tuning.js';

/** Path of the policy that says who may read whole blocks. */
const BLOCK_READERS_PATH = '/Channel/Application/BlockReaders';
/** Path of the policy by which the chaincode is endorsed. */
export const ENDORSEMENT_PATH = '/Channel/Application/Endorsement';

/**
 * Whatever hands out whole blocks or their content. Fabric gives it to every client of every member; here only to
 * peers, administrators and gateways.
 */
const BLOCK_RESOURCES = [
  'event/Block',
  'event/FilteredBlock',
  'gateway/ChaincodeEvents',
  'qscc/GetBlockByHash',
  'qscc/GetBlockByNumber',
  'qscc/GetBlockByTxID',
  'qscc/GetChainInfo',
  'qscc/GetTransactionByID',
  'cscc/GetChannelConfig',
  'cscc/GetConfigBlock',
];

interface RunningOrderer {
  readonly node: OrdererNode;
  readonly material: OrdererMaterial;
}

/** The channel's first configuration (root common.ConfigGroup), wholly derived from topology and certificates. */
export function channelConfig(topology: Topology, material: Material): common.ConfigGroup {
  return configGroup({
    values: {
      HashingAlgorithm: hashingAlgorithm(),
      BlockDataHashingStructure: dataHashing(),
      Capabilities: capabilities('V2_0'),
    },
    policies: {
      // The orderers' deliver asks only this policy: block readers, not every reader.
      Readers: fromBelow('ANY', 'BlockReaders'),
      Writers: fromBelow('ANY', 'Writers'),
      Admins: fromBelow('MAJORITY', 'Admins'),
    },
    groups: { Application: application(topology, material), Orderer: ordering(topology, material) },
  });
}

function application(topology: Topology, material: Material): common.ConfigGroup {
  const members = material.members.map((own) => [own.mspId, memberGroup(member(topology, own), own)] as const);
  const administrators = material.members.map(({ mspId }) => rolePrincipal(mspId, 'ADMIN'));
  return configGroup({
    values: { Capabilities: capabilities('V2_5'), ACLs: accessControl() },
    policies: {
      Readers: fromBelow('ANY', 'Readers'),
      Writers: fromBelow('ANY', 'Writers'),
      Admins: fromBelow('MAJORITY', 'Admins'),
      Endorsement: fromBelow(topology.chaincode.endorsement, 'Endorsement'),
      LifecycleEndorsement: fromBelow(topology.chaincode.lifecycle, 'Endorsement'),
      // One policy of the channel, so that no member's administrator alone can let others in.
      BlockReaders: signedBy(anyOf([...nodePrincipals(material.members), ...administrators])),
    },
    groups: Object.fromEntries(members),
  });
}

function ordering(topology: Topology, material: Material): common.ConfigGroup {
  const orderers = runningOrderers(topology, material);
  const organisations = orderers.map(({ node, material: own }) => [own.mspId, ordererGroup(node, own)] as const);
  const nodes = orderers.map(({ node }) => rolePrincipal(node.mspId, 'ORDERER'));
  return configGroup({
    values: {
      ConsensusType: consensus(orderers),
      BatchSize: batchSize(),
      BatchTimeout: batchTimeout(),
      ChannelRestrictions: new orderer.ChannelRestrictions(),
      Capabilities: capabilities('V2_0'),
    },
    policies: {
      Readers: fromBelow('ANY', 'Readers'),
      Writers: fromBelow('ANY', 'Writers'),
      Admins: fromBelow('MAJORITY', 'Admins'),
      BlockReaders: fromBelow('ANY', 'Readers'),
      // By role: no administrator's or client's signature makes a block.
      BlockValidation: signedBy(anyOf(nodes)),
    },
    groups: Object.fromEntries(organisations),
  });
}

function runningOrderers(topology: Topology, material: Material): RunningOrderer[] {
  return material.members.flatMap((own) => {
    const { orderer: node } = member(topology, own);
    return node && own.orderer ? [{ node, material: own.orderer }] : [];
  });
}

function member(topology: Topology, own: MemberMaterial): Member {
  return memberOf(topology, own.name);
}

/** Raft among the orderers, each known by its TLS certificate. */
function consensus(orderers: readonly RunningOrderer[]): Serializable {
  const consenters = orderers.map(({ node, material }) => {
    const certificate = readFileSync(tlsFiles(material.tlsDir).cert);
    const consenter = new orderer.etcdraft.Consenter();
    consenter.setHost(node.host);
    consenter.setPort(node.port);
    consenter.setClientTlsCert(certificate);
    consenter.setServerTlsCert(certificate);
    return consenter;
  });
  const options = new orderer.etcdraft.Options();
  options.setTickInterval(TUNING.raft.tickInterval);
  options.setElectionTick(TUNING.raft.electionTick);
  options.setHeartbeatTick(TUNING.raft.heartbeatTick);
  options.setMaxInflightBlocks(TUNING.raft.maxInflightBlocks);
  options.setSnapshotIntervalSize(TUNING.raft.snapshotIntervalSize);
  const metadata = new orderer.etcdraft.ConfigMetadata();
  metadata.setConsentersList(consenters);
  metadata.setOptions(options);
  const type = new orderer.ConsensusType();
  type.setType('etcdraft');
  type.setMetadata(metadata.serializeBinary());
  return type;
}

function batchSize(): Serializable {
  const size = new orderer.BatchSize();
  size.setMaxMessageCount(TUNING.maxMessageCount);
  size.setPreferredMaxBytes(TUNING.preferredMaxBytes);
  size.setAbsoluteMaxBytes(TUNING.absoluteMaxBytes);
  return size;
}

function batchTimeout(): Serializable {
  const timeout = new orderer.BatchTimeout();
  timeout.setTimeout(TUNING.batchTimeout);
  return timeout;
}

function hashingAlgorithm(): Serializable {
  const algorithm = new common.HashingAlgorithm();
  algorithm.setName('SHA256');
  return algorithm;
}

/** The width Fabric demands: the data hash covers all envelopes at once. */
function dataHashing(): Serializable {
  const structure = new common.BlockDataHashingStructure();
  structure.setWidth(2 ** 32 - 1);
  return structure;
}

function capabilities(level: string): Serializable {
  const made = new common.Capabilities();
  made.getCapabilitiesMap().set(level, new common.Capability());
  return made;
}

function accessControl(): Serializable {
  const acls = new peer.ACLs();
  for (const resource of BLOCK_RESOURCES) {
    const entry = new peer.APIResource();
    entry.setPolicyRef(BLOCK_READERS_PATH);
    acls.getAclsMap().set(resource, entry);
  }
  return acls;
}

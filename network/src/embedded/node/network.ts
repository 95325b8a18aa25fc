import { readDefinition, readGenesis } from '../../config/channel-files.js';
import { TUNING } from '../../config/tuning.js';
import { signerOf } from '../../identity/signer.js';
import { readNetwork, type NetworkFile } from '../../prepare.js';
import { BlockCache } from '../deliver/block-cache.js';
import { CommitWatch } from '../deliver/commit-watch.js';
import { PeerEndorser } from '../endorser/endorser.js';
import type { Peer } from '../gateway/planner.js';
import { ledgerFiles, openLedger, type Ledger } from '../ledger.js';
import { ADAPTIVE_CUT, TIMED_CUT } from '../orderer/cutter.js';
import { SoloOrderer } from '../orderer/orderer.js';
import { ensureDefinition } from './definition.js';
import { CommittedDefinitions } from './definitions.js';
import { nodesOf, type NodeOfMember } from './members.js';
import { servePeers, serveOrderers, type NetworkParts } from './serve.js';
import { assertDevelopment } from './refusals.js';

/** How an embedded ledger is started. */
export interface EmbeddedOptions {
  /** A prepared state folder. */
  readonly stateDir: string;
  /** Each member's peers call that member's own chaincode process. */
  readonly chaincodePerMember?: boolean;
  /** Cuts blocks as Fabric does by default, for tests that need transactions to overlap. */
  readonly timedBlocks?: boolean;
  /** Shifts the ledger's clocks, for tests. */
  readonly clockOffsetMs?: number;
  /** NODE_ENV of the process. */
  readonly nodeEnvironment?: string | undefined;
  readonly log?: (line: string) => void;
  /** Called once when the ledger can no longer commit. */
  readonly failed?: (error: unknown) => void;
}

/** A running embedded ledger. */
export interface EmbeddedNetwork {
  readonly channel: string;
  readonly chaincode: string;
  /** Sequence of the chaincode definition in force. */
  readonly sequence: number;
  /** Number of blocks committed. */
  readonly height: number;
  stop(): Promise<void>;
}

/** Starts every peer and orderer of a prepared state folder; resolves when all ports are served. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedNetwork> {
  const { stateDir, clockOffsetMs = 0, log = () => undefined } = options;
  const network = readNetwork(stateDir);
  assertDevelopment({ topology: network.topology, nodeEnvironment: options.nodeEnvironment });
  const definition = readDefinition(stateDir);
  const ledger = await openNetworkLedger(stateDir, network);
  const parts = assemble(network, ledger, options, () => new Date(Date.now() + clockOffsetMs));
  const nodes = nodesOf(network, { definition, perMember: options.chaincodePerMember ?? false });
  const peers = makePeers(nodes, ledger, parts);
  const sequence = await ensureDefinition(definition, {
    channelId: network.topology.channel,
    committed: (name) => parts.definitions.newest(name),
    orderer: parts.orderer,
    blocks: parts.blocks,
    commits: parts.commits,
    parties: { submitter: administrator(network), endorsers: onePerMember(nodes) },
  });
  const served = [...(await servePeers(nodes, peers, parts)), ...(await serveOrderers(network, parts))];
  log(
    `embedded ledger: ${served.length} ports, ${parts.chain.height} blocks; not Hyperledger Fabric, for development only`,
  );
  return {
    channel: network.topology.channel,
    chaincode: definition.name,
    sequence,
    get height() {
      return parts.chain.height;
    },
    stop: async () => {
      await Promise.all(served.map((port) => port.stop()));
      await parts.orderer.stop();
      await Promise.all(nodes.map(({ chaincode }) => chaincode.close()));
      parts.commits.close();
      ledger.close();
    },
  };
}

function openNetworkLedger(stateDir: string, { topology }: NetworkFile): Promise<Ledger> {
  return openLedger({
    files: ledgerFiles(stateDir, topology.members),
    genesis: readGenesis(stateDir),
    members: topology.members.map(({ mspId }) => mspId),
  });
}

function assemble(network: NetworkFile, ledger: Ledger, options: EmbeddedOptions, now: () => Date): NetworkParts {
  const { chain, committer } = ledger;
  const log = options.log ?? (() => undefined);
  const channel = ledger.channel();
  const orderer = new SoloOrderer({
    channel,
    chain,
    committer,
    now,
    signer: ordererSigner(network),
    rules: options.timedBlocks ? TIMED_CUT : ADAPTIVE_CUT,
    maxBytes: TUNING.absoluteMaxBytes,
    failed: (error) => {
      log(`embedded ledger: a block could not be committed: ${String(error)}`);
      options.failed?.(error);
    },
  });
  const definitions = new CommittedDefinitions(chain, (name, snapshot) => ledger.definition(name, snapshot));
  return {
    channel,
    chain,
    orderer,
    definitions,
    now,
    log,
    blocks: new BlockCache(chain),
    commits: new CommitWatch(chain),
  };
}

function makePeers(nodes: readonly NodeOfMember[], ledger: Ledger, parts: NetworkParts): Peer[] {
  const all = nodes.map(({ member, signer }) => ({ mspId: member.mspId, identity: signer.identity }));
  return nodes.map(({ member, node, signer, chaincode }) => ({
    identity: signer.identity,
    endorser: new PeerEndorser({
      mspId: member.mspId,
      address: `${node.host}:${node.port}`,
      signer,
      channel: () => parts.channel,
      chain: parts.chain,
      transient: ledger.transient,
      peers: all,
      now: parts.now,
      extras: false,
      definition: (name, snapshot) => parts.definitions.at(snapshot, name),
      stream: () => chaincode.open(),
    }),
  }));
}

/** One node orders for all; it signs as the first orderer of the topology. */
function ordererSigner({ material }: NetworkFile) {
  const orderer = material.members.find((member) => member.orderer)?.orderer;
  if (!orderer) throw new Error('no member runs an orderer: set `orderer: true` at one of them');
  return signerOf(orderer.mspDir, orderer.mspId);
}

function administrator({ material }: NetworkFile) {
  const [first] = material.members;
  if (!first) throw new Error('the topology has no members');
  return signerOf(first.adminMspDir, first.mspId);
}

function onePerMember(nodes: readonly NodeOfMember[]) {
  return [...new Map(nodes.map(({ member, signer }) => [member.name, signer])).values()];
}

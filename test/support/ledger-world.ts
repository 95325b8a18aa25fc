import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { readGenesis } from '@salus/network/config/channel-files';
import type { CollectionTemplate } from '@salus/network/config/collections';
import { definitionTransaction } from '@salus/network/config/definition-transaction';
import { createProposal, endorsedEnvelope, proposalHash, signProposal } from '@salus/network/config/proposal';
import { ledgerFiles, openLedger, type Ledger } from '@salus/network/embedded/ledger';
import { BlockWriter } from '@salus/network/embedded/orderer/block-writer';
import { blockHeaderHash } from '@salus/network/embedded/orderer/header';
import type { Signer } from '@salus/network/embedded/ports';
import { RwsetBuilder } from '@salus/network/embedded/rwset/builder';
import { signerOf } from '@salus/network/identity/signer';
import { prepareState, readNetwork, type NetworkFile } from '@salus/network/prepare';
import { readDefinition } from '@salus/network/config/channel-files';
import { DEFAULT_TOPOLOGY_FILE, loadTopology } from '@salus/network/topology';

const COLLECTIONS: readonly CollectionTemplate[] = [
  { name: 'of-{member}', each: 'member', members: 'self', endorsers: 1 },
  { name: 'care', members: ['hospital', 'witness'], endorsers: 2 },
];

/** A transaction to be: who endorses it and what it reads and writes in the chaincode's namespace. */
export interface TransactionParts {
  readonly endorsers: readonly string[];
  readonly effect: (sets: RwsetBuilder, chaincode: string) => void;
  /** Bends the creator's signature. */
  readonly bend?: (envelope: common.Envelope) => void;
}

/** An endorsed transaction ready to be ordered. */
export interface Transaction {
  readonly txId: string;
  readonly envelope: Buffer;
  readonly privateSet: Buffer | undefined;
}

/** The default consortium's keys and an embedded ledger of its own, in a temporary folder; blocks are made by hand. */
export class LedgerWorld {
  ledger: Ledger;
  readonly chaincode: string;

  private constructor(
    readonly stateDir: string,
    private readonly network: NetworkFile,
    ledger: Ledger,
  ) {
    this.ledger = ledger;
    this.chaincode = network.topology.chaincode.name;
  }

  /** Makes the network's keys and a ledger with the chaincode's definition committed. */
  static async create(): Promise<LedgerWorld> {
    const stateDir = mkdtempSync(join(tmpdir(), 'salus-ledger-'));
    await prepareState(loadTopology(DEFAULT_TOPOLOGY_FILE), stateDir, { collections: COLLECTIONS });
    const world = await LedgerWorld.open(stateDir);
    const members = world.network.material.members;
    const definition = definitionTransaction(world.network.topology.channel, readDefinition(stateDir), {
      submitter: world.admin(members[0]!.name),
      endorsers: members.slice(0, Math.floor(members.length / 2) + 1).map(({ name }) => world.peer(name)),
    });
    await world.commit([definition]);
    return world;
  }

  /** Opens what `create` made in a folder, as a process that starts again does. */
  static async open(stateDir: string): Promise<LedgerWorld> {
    const network = readNetwork(stateDir);
    const ledger = await LedgerWorld.openLedger(stateDir, network);
    return new LedgerWorld(stateDir, network, ledger);
  }

  /** Closes the ledger and opens it again from its files. */
  async reopen(): Promise<void> {
    this.ledger.close();
    this.ledger = await LedgerWorld.openLedger(this.stateDir, this.network);
  }

  destroy(): void {
    this.ledger.close();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  mspId(member: string): string {
    return this.member(member).mspId;
  }

  peer(member: string): Signer {
    const { mspId, peers } = this.member(member);
    return signerOf(peers[0]!.mspDir, mspId);
  }

  admin(member: string): Signer {
    const { mspId, adminMspDir } = this.member(member);
    return signerOf(adminMspDir, mspId);
  }

  /** A transaction submitted by the first member's admin. */
  transaction({ endorsers, effect, bend }: TransactionParts): Transaction {
    const creator = this.admin(this.network.material.members[0]!.name);
    const { channel } = this.network.topology;
    const proposal = createProposal({ channel, chaincode: this.chaincode, args: [] }, creator.identity);
    const builder = new RwsetBuilder();
    effect(builder, this.chaincode);
    const { publicSet, privateSet } = builder.build();
    const response = this.response(proposalHash(proposal), publicSet);
    const endorsements = endorsers.map((name) => endorsement(this.peer(name), response));
    const signed = endorsedEnvelope(signProposal(proposal, creator), response, endorsements, creator);
    const envelope = common.Envelope.deserializeBinary(signed);
    bend?.(envelope);
    return { txId: proposal.txId, envelope: Buffer.from(envelope.serializeBinary()), privateSet };
  }

  /** Orders envelopes into the next block and commits it: the validation codes. */
  async commit(envelopes: readonly Buffer[]): Promise<readonly number[]> {
    const { codes } = await this.ledger.committer.commit(this.block(envelopes));
    return codes;
  }

  /** The next block, signed by an orderer unless another signer is given. */
  block(envelopes: readonly Buffer[], signer: Signer = this.orderer()): Buffer {
    const { chain } = this.ledger;
    const last = common.Block.deserializeBinary(chain.block(chain.height - 1) ?? Buffer.alloc(0));
    const tip = { height: chain.height, headerHash: blockHeaderHash(last.getHeader()!) };
    return new BlockWriter(tip, signer, () => 0).write(envelopes);
  }

  private orderer(): Signer {
    const orderer = this.network.material.members.find((member) => member.orderer !== undefined)!.orderer!;
    return signerOf(orderer.mspDir, orderer.mspId);
  }

  private response(hash: Buffer, results: Buffer): Buffer {
    const id = new peer.ChaincodeID();
    id.setName(this.chaincode);
    id.setVersion(this.network.topology.chaincode.version);
    const result = new peer.Response();
    result.setStatus(200);
    const action = new peer.ChaincodeAction();
    action.setResults(results);
    action.setResponse(result);
    action.setChaincodeId(id);
    const payload = new peer.ProposalResponsePayload();
    payload.setProposalHash(hash);
    payload.setExtension$(action.serializeBinary());
    return Buffer.from(payload.serializeBinary());
  }

  private member(name: string): NetworkFile['material']['members'][number] {
    const found = this.network.material.members.find((member) => member.name === name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  private static openLedger(stateDir: string, { material }: NetworkFile): Promise<Ledger> {
    return openLedger({
      files: ledgerFiles(stateDir, material.members),
      genesis: readGenesis(stateDir),
      members: material.members.map(({ mspId }) => mspId),
    });
  }
}

function endorsement(signer: Signer, response: Buffer): peer.Endorsement {
  const made = new peer.Endorsement();
  made.setEndorser(signer.identity);
  made.setSignature(signer.sign(Buffer.concat([response, signer.identity])));
  return made;
}

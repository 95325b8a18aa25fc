import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import type { ChaincodePackage } from '../config/archive.js';
import { createProposal, signProposal } from '../config/proposal.js';
import type { Signer } from '../embedded/ports.js';
import { signerOf } from '../identity/signer.js';
import { endorse, type NodeAddress } from './clients.js';

/** One peer as its member's administrator deals with it, by Fabric's system chaincodes. */
export class PeerAdmin {
  readonly administrator: Signer;

  constructor(
    readonly node: NodeAddress,
    readonly mspId: string,
  ) {
    this.administrator = signerOf(node.clientMspDir, mspId);
  }

  /** Channels the peer is part of. */
  async channels(): Promise<string[]> {
    const payload = await this.ask('', 'cscc', 'GetChannels');
    return peer.ChannelQueryResponse.deserializeBinary(payload)
      .getChannelsList()
      .map((channel) => channel.getChannelId());
  }

  /** The channel's configuration as the peer has it now. */
  async config(channel: string): Promise<common.Config> {
    return common.Config.deserializeBinary(await this.ask('', 'cscc', 'GetChannelConfig', channel));
  }

  /** The newest block of the channel with a configuration that the peer has. */
  async configBlock(channel: string): Promise<common.Block> {
    return common.Block.deserializeBinary(await this.ask('', 'cscc', 'GetConfigBlock', channel));
  }

  /** Blocks of the channel that the peer has. */
  async height(channel: string): Promise<number> {
    return common.BlockchainInfo.deserializeBinary(await this.ask('', 'qscc', 'GetChainInfo', channel)).getHeight();
  }

  /** Has the peer join the channel of this block 0. */
  async join(genesis: Uint8Array): Promise<void> {
    await this.ask('', 'cscc', 'JoinChain', genesis);
  }

  /** Package ids installed at the peer. */
  async installed(): Promise<string[]> {
    const payload = await this.lifecycle(
      '',
      'QueryInstalledChaincodes',
      new peer.lifecycle.QueryInstalledChaincodesArgs(),
    );
    return peer.lifecycle.QueryInstalledChaincodesResult.deserializeBinary(payload)
      .getInstalledChaincodesList()
      .map((chaincode) => chaincode.getPackageId());
  }

  /** Installs a package and returns the id the peer gave it. */
  async install({ bytes }: ChaincodePackage): Promise<string> {
    const args = new peer.lifecycle.InstallChaincodeArgs();
    args.setChaincodeInstallPackage(bytes);
    const payload = await this.lifecycle('', 'InstallChaincode', args);
    return peer.lifecycle.InstallChaincodeResult.deserializeBinary(payload).getPackageId();
  }

  /** SHA-256 of what lies at the peer under a package id. */
  async installedHash(packageId: string): Promise<string> {
    const args = new peer.lifecycle.GetInstalledChaincodePackageArgs();
    args.setPackageId(packageId);
    const payload = await this.lifecycle('', 'GetInstalledChaincodePackage', args);
    const result = peer.lifecycle.GetInstalledChaincodePackageResult.deserializeBinary(payload);
    return createHash('sha256').update(result.getChaincodeInstallPackage_asU8()).digest('hex');
  }

  /** Evaluates a function of the lifecycle's and returns its result. */
  lifecycle(channel: string, name: string, args: { serializeBinary(): Uint8Array }): Promise<Uint8Array> {
    return this.ask(channel, '_lifecycle', name, args.serializeBinary());
  }

  /** Has the peer evaluate a transaction of the channel's chaincode for somebody else, as a gateway. */
  evaluate(channel: string, chaincode: string, transaction: string, signer: Signer): Promise<Uint8Array> {
    return this.askAs(signer, channel, chaincode, transaction);
  }

  private ask(channel: string, chaincode: string, ...args: (string | Uint8Array)[]): Promise<Uint8Array> {
    return this.askAs(this.administrator, channel, chaincode, ...args);
  }

  private async askAs(signer: Signer, channel: string, chaincode: string, ...args: (string | Uint8Array)[]) {
    const invocation = { channel, chaincode, args: args.map((arg) => Buffer.from(arg as Uint8Array)) };
    const answer = await endorse(this.node, signProposal(createProposal(invocation, signer.identity), signer));
    return answer.getResponse()?.getPayload_asU8() ?? new Uint8Array();
  }
}

import { peer } from '@hyperledger/fabric-protos';
import { Invocation, type InvocationParts } from '../chaincode/invocation.js';
import { prefixed, refusal } from '../chaincode/messages.js';
import type { Simulation } from '../chaincode/simulator.js';
import { FabricError } from '../ports.js';
import type { Chain, Channel, Definition, Endorser, Signer, Snapshot, TransientStore } from '../ports.js';
import { checkAccess } from './access.js';
import { distribute, type MemberPeer } from './distribution.js';
import { assertNotExpired, assertWellFormed, parseSigned, unpackProposal, type UnpackedProposal } from './proposal.js';

/** A response from here on is an error; its event is dropped. */
const ERROR_THRESHOLD = 400;
/** A response from here on is an error that still carries its read-write set, without endorsement. */
const ERROR = 500;

/** What a peer's endorser works with. */
export interface EndorserParts extends InvocationParts {
  /** host:port as other peers see it. */
  readonly address: string;
  readonly signer: Signer;
  /** The channel's configuration in force. */
  channel(): Channel;
  readonly chain: Pick<Chain, 'snapshot'>;
  readonly transient: TransientStore;
  /** Every peer of the network, this one included. */
  readonly peers: readonly MemberPeer[];
  readonly now?: () => Date;
}

interface Outcome {
  readonly response: peer.Response;
  readonly event: Uint8Array;
  readonly simulation: Simulation;
  readonly definition: Definition;
}

/** One peer's endorser: checks, simulates and signs as core/endorser/endorser.go does. */
export class PeerEndorser implements Endorser {
  readonly mspId: string;
  readonly address: string;

  constructor(private readonly parts: EndorserParts) {
    this.mspId = parts.mspId;
    this.address = parts.address;
  }

  async process(signedProposal: Buffer, options: { readonly local?: boolean } = {}): Promise<Buffer> {
    const signed = parseSigned(signedProposal);
    if (!options.local) assertNotExpired(signed, this.parts.now?.() ?? new Date());
    const proposal = unpackProposal(signed);
    const channel = this.parts.channel();
    if (proposal.channelId !== '' && proposal.channelId !== channel.id) {
      return failure(`channel '${proposal.channelId}' not found`);
    }
    const snapshot = this.parts.chain.snapshot();
    try {
      this.#check(proposal, channel, snapshot);
      return await this.#endorse(proposal, channel, snapshot);
    } finally {
      snapshot.release();
    }
  }

  #check(proposal: UnpackedProposal, channel: Channel, snapshot: Snapshot): void {
    inValidation(() => {
      assertWellFormed(proposal);
      this.#assertSigned(proposal, channel);
    });
    const { channelId, txId, creator, proposalBytes, signature } = proposal;
    // A proposal without channel touches no ledger.
    if (channelId === '') return;
    if (snapshot.hasTransaction(txId)) {
      throw refusal(`duplicate transaction found [${txId}]. Creator [${creator.toString('hex')}]`);
    }
    checkAccess(channel, 'peer/Propose', [{ identity: creator, data: proposalBytes, signature }]);
  }

  #assertSigned({ channelId, creator, proposalBytes, signature }: UnpackedProposal, channel: Channel): void {
    const identity = channel.identity(creator);
    if (!identity.verify(proposalBytes, signature)) {
      throw refusal(`access denied: channel [${channelId}] creator org [${identity.mspId}]`);
    }
  }

  async #endorse(proposal: UnpackedProposal, channel: Channel, snapshot: Snapshot): Promise<Buffer> {
    try {
      return this.#answer(proposal, await this.#simulate(proposal, channel, snapshot));
    } catch (error) {
      // What a peer itself cannot do is no error of the call but a response of status 500.
      if (error instanceof FabricError) return failure(error.message);
      throw error;
    }
  }

  async #simulate(proposal: UnpackedProposal, channel: Channel, snapshot: Snapshot): Promise<Outcome> {
    const { chaincode, channelId } = proposal;
    const invocation = new Invocation(this.parts, channel, snapshot, proposal);
    const definition = await prefixed(
      `make sure the chaincode ${chaincode} has been successfully defined on channel ${channelId} and try again`,
      () => {
        if (channelId === '') throw refusal("could not get channel config for channel ''");
        return invocation.definition(chaincode);
      },
    );
    return prefixed('error in simulation', async () => {
      const { response, event } = await invocation.run();
      const simulation = invocation.simulator.finish();
      this.#distribute(proposal, channel, snapshot, simulation);
      const kept = response.getStatus() < ERROR_THRESHOLD ? event?.serializeBinary() : undefined;
      return { response, event: kept ?? new Uint8Array(), simulation, definition };
    });
  }

  #distribute({ txId }: UnpackedProposal, channel: Channel, snapshot: Snapshot, { privateSet }: Simulation): void {
    if (!privateSet) return;
    const { mspId, signer, peers, transient } = this.parts;
    const definition = (chaincode: string) => this.parts.definition(chaincode, snapshot);
    const writes = { channel, txId, privateSet, height: snapshot.height, definition };
    distribute(writes, peers, { mspId, identity: signer.identity }, transient);
  }

  #answer({ hash, chaincode }: UnpackedProposal, { response, event, simulation, definition }: Outcome): Buffer {
    const answer = new peer.ProposalResponse();
    answer.setResponse(response);
    const code = response.getStatus();
    if (code >= ERROR_THRESHOLD && code < ERROR) return Buffer.from(answer.serializeBinary());
    const id = new peer.ChaincodeID();
    id.setName(chaincode);
    id.setVersion(definition.version);
    const action = new peer.ChaincodeAction();
    action.setResults(simulation.publicSet);
    action.setEvents(event);
    action.setResponse(response);
    action.setChaincodeId(id);
    const payload = new peer.ProposalResponsePayload();
    payload.setProposalHash(hash);
    payload.setExtension$(action.serializeBinary());
    const payloadBytes = Buffer.from(payload.serializeBinary());
    answer.setPayload(payloadBytes);
    answer.setInterest(simulation.interest);
    if (code < ERROR) {
      answer.setVersion(1);
      answer.setEndorsement(this.#sign(payloadBytes));
    }
    return Buffer.from(answer.serializeBinary());
  }

  #sign(payload: Buffer): peer.Endorsement {
    const { signer } = this.parts;
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(signer.identity);
    endorsement.setSignature(signer.sign(Buffer.concat([payload, signer.identity])));
    return endorsement;
  }
}

function failure(text: string): Buffer {
  const response = new peer.Response();
  response.setStatus(ERROR);
  response.setMessage(text);
  const answer = new peer.ProposalResponse();
  answer.setResponse(response);
  return Buffer.from(answer.serializeBinary());
}

function inValidation(checks: () => void): void {
  try {
    checks();
  } catch (error) {
    if (error instanceof FabricError) throw refusal(`error validating proposal: ${error.message}`);
    throw error;
  }
}

import { peer } from '@hyperledger/fabric-protos';
import { IMPLICIT_COLLECTION_PREFIX, LIFECYCLE } from '../lifecycle/definition.js';
import type { Channel, Definition, Snapshot } from '../ports.js';
import { CollectionAccess } from './collections.js';
import { prefixed, refusal, transactionMessage, Type } from './messages.js';
import { Queries } from './query-response.js';
import { answer } from './shim-handlers.js';
import { Simulator } from './simulator.js';
import type { ChaincodeStream } from './stream.js';
import type { Extras } from './transaction.js';

const LEGACY_LIFECYCLE = 'lscc';
/** Fabric's chaincode for questions about blocks; it refuses to be called from a chaincode. */
const QUERY_CHAINCODE = 'qscc';

/** One proposal, checked and taken apart. */
export interface Proposal {
  readonly channelId: string;
  readonly txId: string;
  /** msp.SerializedIdentity. */
  readonly creator: Buffer;
  /** The proposal as it came. */
  readonly signed: peer.SignedProposal;
  readonly chaincode: string;
  readonly input: peer.ChaincodeInput;
}

/** What an invocation needs of the peer it runs at. */
export interface InvocationParts extends Extras {
  readonly mspId: string;
  /** A chaincode's committed definition as of a snapshot. */
  definition(chaincode: string, snapshot: Snapshot): Definition | undefined;
  /** The open stream to a chaincode's process. Rejects with FabricError when it cannot be had. */
  stream(chaincode: string): Promise<ChaincodeStream>;
}

/** Runs one proposal's chaincode, and those it calls, against one snapshot. */
export class Invocation {
  readonly simulator: Simulator;
  readonly #collections: CollectionAccess;
  /** Definitions whose reads are recorded: the snapshot does not change, so once is enough. */
  readonly #definitions = new Map<string, Definition | undefined>();

  constructor(
    private readonly parts: InvocationParts,
    private readonly channel: Channel,
    private readonly snapshot: Snapshot,
    private readonly proposal: Proposal,
  ) {
    this.simulator = new Simulator(snapshot, parts.mspId, proposal.txId);
    this.#collections = new CollectionAccess(channel, proposal.creator, (chaincode) => this.#readDefinition(chaincode));
  }

  /** The definition in force, its sequence recorded as read. Throws FabricError when there is none. */
  definition(chaincode: string): Definition {
    this.simulator.get(LIFECYCLE, `namespaces/fields/${chaincode}/Sequence`);
    const definition = this.parts.definition(chaincode, this.snapshot);
    if (definition) return this.#approved(definition);
    this.simulator.get(LEGACY_LIFECYCLE, chaincode);
    throw refusal(`chaincode ${chaincode} not found`);
  }

  /** The proposal's response and event. Throws FabricError with the text of a peer's own 500. */
  async run(): Promise<{ readonly response: peer.Response; readonly event?: peer.ChaincodeEvent }> {
    const { chaincode, input, txId } = this.proposal;
    const last = await prefixed(`failed to execute transaction ${txId}`, () => this.#call(chaincode, input));
    if (last.getType() !== Type.COMPLETED) {
      throw refusal(`transaction returned with failure: ${Buffer.from(last.getPayload_asU8()).toString()}`);
    }
    const response = peer.Response.deserializeBinary(last.getPayload_asU8());
    const event = last.getChaincodeEvent();
    if (!event) return { response };
    event.setChaincodeId(chaincode);
    event.setTxId(txId);
    return { response, event };
  }

  async #call(chaincode: string, input: peer.ChaincodeInput): Promise<peer.ChaincodeMessage> {
    const { channelId, txId, signed } = this.proposal;
    await prefixed(
      `invalid invocation: [channel ${channelId}] failed to get chaincode container info for ${chaincode}`,
      () => this.definition(chaincode),
    );
    const stream = await this.parts.stream(chaincode);
    const message = transactionMessage(Type.TRANSACTION, this.proposal, input.serializeBinary());
    message.setProposal(signed);
    const context = {
      extras: this.parts.extras,
      channel: this.channel,
      channelId,
      txId,
      namespace: chaincode,
      simulator: this.simulator,
      collections: this.#collections,
      queries: new Queries(),
      call: (name: string, called: peer.ChaincodeInput) => this.#callFromChaincode(name, called),
    };
    try {
      return await prefixed('error sending', () => stream.execute(message, (request) => answer(context, request)));
    } finally {
      context.queries.closeAll();
    }
  }

  /**
   * A member approves each sequence of a definition in its own lifecycle collection. The embedded ledger's definitions
   * come from the topology, which every member approved with it; so this matters to recorded chains only.
   */
  #approved(definition: Definition): Definition {
    if (!this.parts.extras) return definition;
    const { mspId } = this.parts;
    const key = `namespaces/metadata/${definition.name}#${definition.sequence}`;
    if (this.snapshot.private(mspId, LIFECYCLE, `${IMPLICIT_COLLECTION_PREFIX}${mspId}`, key)) return definition;
    throw refusal(
      `chaincode definition for '${definition.name}' at sequence ${definition.sequence} ` +
        `on channel '${this.channel.id}' has not yet been approved by this org`,
    );
  }

  #callFromChaincode(name: string, input: peer.ChaincodeInput): Promise<peer.ChaincodeMessage> {
    if (name !== QUERY_CHAINCODE) return prefixed('execute failed', () => this.#call(name, input));
    const response = new peer.Response();
    response.setStatus(500);
    response.setMessage(
      'Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, ' +
        `original invocation for '${this.proposal.chaincode}'`,
    );
    return Promise.resolve(transactionMessage(Type.COMPLETED, this.proposal, response.serializeBinary()));
  }

  /** Every private call reads the whole definition on Fabric, so that a change of it voids the transaction. */
  #readDefinition(chaincode: string): Definition | undefined {
    if (this.#definitions.has(chaincode)) return this.#definitions.get(chaincode);
    this.simulator.get(LIFECYCLE, `namespaces/metadata/${chaincode}`);
    for (const field of ['Collections', 'EndorsementInfo', 'Sequence', 'ValidationInfo']) {
      this.simulator.get(LIFECYCLE, `namespaces/fields/${chaincode}/${field}`);
    }
    const definition = this.parts.definition(chaincode, this.snapshot);
    this.#definitions.set(chaincode, definition);
    return definition;
  }
}

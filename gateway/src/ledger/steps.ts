/** The steps of a transaction one by one, for callers that must keep what lies between them. */

import { GatewayError, type Contract, type Gateway, type Proposal } from '@hyperledger/fabric-gateway';
import { gateway as protos, msp } from '@hyperledger/fabric-protos';

import type { LedgerCall } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { DEADLINES, type PeerConnection } from './connection.js';
import { declinedByOrderer, readFailure, refusalOf, Retriable } from './failure.js';
import { Refusal } from './refusal.js';
import { shiftedProposal } from './shift.js';

/** An endorsed transaction, signed: sending it again unchanged can never take effect twice. */
export interface Endorsed {
  readonly txId: string;
  /** gateway.PreparedTransaction, serialized, its envelope signed. */
  readonly envelope: Uint8Array;
}

/** Where a transaction ended up. */
export interface Outcome {
  readonly block: number;
  /** Fabric validation code; 0 = VALID. */
  readonly code: number;
}

/** The steps of one transaction. */
export interface TransactionSteps {
  /** Throws Refusal or Retriable; nothing is ordered yet. */
  endorse(call: LedgerCall): Promise<Endorsed>;
  /** Hands the envelope to the orderer. Throws Refusal when declined, Retriable when nobody answered. */
  send(endorsed: Endorsed): Promise<void>;
  /** Waits for the commit; undefined = not known within `waitMs`. */
  outcome(txId: string, waitMs: number): Promise<Outcome | undefined>;
  evaluate(call: LedgerCall): Promise<Uint8Array>;
}

/** How long those that are asked at the same time may take together: one that hangs is not waited for as others are. */
const AT_ONCE_MS = 3_000;

const NO_SIGNATURE = new Uint8Array();

/** The steps over one peer's gateway service. `sign` signs whole messages. */
export class FabricSteps implements TransactionSteps {
  readonly #gateway: Gateway;
  readonly #contract: Contract;
  readonly #creator: Uint8Array;

  constructor(
    connection: PeerConnection,
    private readonly settings: Pick<GatewaySettings, 'channel' | 'chaincode' | 'clockOffsetMs'>,
    private readonly sign: (message: Uint8Array) => Uint8Array,
  ) {
    this.#gateway = connection.gateway;
    this.#contract = this.#gateway.getNetwork(settings.channel).getContract(settings.chaincode);
    this.#creator = serializedIdentity(this.#gateway);
  }

  async endorse({ atOnce, ...call }: LedgerCall): Promise<Endorsed> {
    if (atOnce === undefined) return await this.#endorsed(call);
    try {
      return await this.#signed({ ...call, endorsers: atOnce }, AT_ONCE_MS);
    } catch (error) {
      const refusal = refusalOf(error, this.#gateway.getIdentity().mspId);
      if (refusal !== undefined) throw refusal;
      // One of them may be away or behind: whom the policies allow instead, the own peer knows.
      return await this.#endorsed(call);
    }
  }

  async #endorsed(call: LedgerCall): Promise<Endorsed> {
    try {
      return await this.#signed(call, DEADLINES.endorse);
    } catch (error) {
      throw readFailure(error);
    }
  }

  async #signed(call: LedgerCall, waitMs: number): Promise<Endorsed> {
    const transaction = await this.#proposal(call).endorse({ deadline: Date.now() + waitMs });
    const signature = this.sign(transaction.getDigest());
    const signed = this.#gateway.newSignedTransaction(transaction.getBytes(), signature);
    return { txId: signed.getTransactionId(), envelope: signed.getBytes() };
  }

  async send(endorsed: Endorsed): Promise<void> {
    try {
      await this.#gateway.newTransaction(endorsed.envelope).submit();
    } catch (error) {
      if (declinedByOrderer(error)) throw declined(error);
      throw new Retriable('unavailable', { cause: error });
    }
  }

  async outcome(txId: string, waitMs: number): Promise<Outcome | undefined> {
    const request = new protos.CommitStatusRequest();
    request.setChannelId(this.settings.channel);
    request.setTransactionId(txId);
    request.setIdentity(this.#creator);
    const signed = new protos.SignedCommitStatusRequest();
    signed.setRequest(request.serializeBinary());
    try {
      const commit = this.#gateway.newCommit(signed.serializeBinary());
      const found = await commit.getStatus({ deadline: Date.now() + waitMs });
      return { block: Number(found.blockNumber), code: found.code };
    } catch (error) {
      // Whatever keeps the peer from answering, the transaction may be committed: nobody knows is the only true answer.
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  async evaluate(call: LedgerCall): Promise<Uint8Array> {
    try {
      return await this.#proposal(call).evaluate();
    } catch (error) {
      throw readFailure(error);
    }
  }

  #proposal(call: LedgerCall): Proposal {
    const proposal = this.#contract.newProposal(call.transaction, {
      ...(call.argument === undefined ? {} : { arguments: [call.argument] }),
      ...(call.transient === undefined ? {} : { transientData: { ...call.transient } }),
      ...(call.endorsers === undefined ? {} : { endorsingOrganizations: [...call.endorsers] }),
    });
    const { clockOffsetMs } = this.settings;
    if (clockOffsetMs === 0) return proposal;
    return this.#gateway.newSignedProposal(shiftedProposal(proposal.getBytes(), clockOffsetMs), NO_SIGNATURE);
  }
}

function declined(error: unknown): Refusal {
  return new Refusal('unavailable', 'orderer-declined', 'the ordering service declined the transaction', {
    cause: error,
  });
}

function serializedIdentity(gateway: Gateway): Uint8Array {
  const { mspId, credentials } = gateway.getIdentity();
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(credentials);
  return identity.serializeBinary();
}

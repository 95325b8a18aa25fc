/** Takes apart what the gateway prepared, as an auditor would. */
import type { Transaction } from '@hyperledger/fabric-gateway';
import { common, gateway, ledger, msp, peer } from '@hyperledger/fabric-protos';

/** A transaction's parts. */
export interface Opened {
  readonly channelHeaderBytes: Uint8Array;
  readonly signatureHeaderBytes: Uint8Array;
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
  readonly proposalPayload: peer.ChaincodeProposalPayload;
  readonly responsePayloadBytes: Buffer;
  readonly responsePayload: peer.ProposalResponsePayload;
  readonly action: peer.ChaincodeAction;
  readonly endorsements: readonly peer.Endorsement[];
}

/** The envelope of an endorsed transaction, unsigned. */
export function envelopeOf(transaction: Transaction): common.Envelope {
  return gateway.PreparedTransaction.deserializeBinary(transaction.getBytes()).getEnvelope()!;
}

/** Opens an endorsed transaction. */
export function open(transaction: Transaction): Opened {
  return openEnvelope(envelopeOf(transaction));
}

/** Opens the envelope of an endorser transaction. */
function openEnvelope(envelope: common.Envelope): Opened {
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  const header = payload.getHeader()!;
  const action = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList()[0]!;
  const actionPayload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
  const endorsed = actionPayload.getAction()!;
  const responsePayloadBytes = Buffer.from(endorsed.getProposalResponsePayload_asU8());
  const responsePayload = peer.ProposalResponsePayload.deserializeBinary(responsePayloadBytes);
  return {
    channelHeaderBytes: header.getChannelHeader_asU8(),
    signatureHeaderBytes: header.getSignatureHeader_asU8(),
    channelHeader: common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
    signatureHeader: common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
    proposalPayload: peer.ChaincodeProposalPayload.deserializeBinary(actionPayload.getChaincodeProposalPayload_asU8()),
    responsePayloadBytes,
    responsePayload,
    action: peer.ChaincodeAction.deserializeBinary(responsePayload.getExtension_asU8()),
    endorsements: endorsed.getEndorsementsList(),
  };
}

/** MSP ids of a transaction's endorsers. */
export function endorsersOf(transaction: Transaction): string[] {
  return open(transaction).endorsements.map((endorsement) =>
    msp.SerializedIdentity.deserializeBinary(endorsement.getEndorser_asU8()).getMspid(),
  );
}

/** The chaincode event a transaction carries. */
export function eventOf(transaction: Transaction): peer.ChaincodeEvent | undefined {
  const bytes = open(transaction).action.getEvents_asU8();
  return bytes.length > 0 ? peer.ChaincodeEvent.deserializeBinary(bytes) : undefined;
}

/** What a transaction reads and writes, by namespace; collections by name within it. */
export function readWriteSets(transaction: Transaction) {
  const sets = ledger.rwset.TxReadWriteSet.deserializeBinary(open(transaction).action.getResults_asU8());
  return new Map(
    sets.getNsRwsetList().map((one) => [
      one.getNamespace(),
      {
        public: ledger.rwset.kvrwset.KVRWSet.deserializeBinary(one.getRwset_asU8()),
        collections: new Map(
          one.getCollectionHashedRwsetList().map((part) => [
            part.getCollectionName(),
            {
              hashed: ledger.rwset.kvrwset.HashedRWSet.deserializeBinary(part.getHashedRwset_asU8()),
              privateHash: Buffer.from(part.getPvtRwsetHash_asU8()),
            },
          ]),
        ),
      },
    ]),
  );
}

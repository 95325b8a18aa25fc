import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { prepareTransaction, unpackProposal } from '../embedded/gateway/proposal.js';
import type { Signer } from '../embedded/ports.js';
import { channelHeader, headerOf, signatureHeader, transactionId } from './envelope.js';

/** A call of a chaincode: the function's name is its first argument, as Fabric has it. */
export interface Invocation {
  readonly channel: string;
  readonly chaincode: string;
  readonly args: readonly Uint8Array[];
}

/** A chaincode proposal as Fabric hashes and signs it. */
export interface Proposal {
  readonly txId: string;
  /** peer.Proposal. */
  readonly bytes: Buffer;
  readonly header: common.Header;
  /** peer.ChaincodeProposalPayload without transient data. */
  readonly payload: Buffer;
}

/** A proposal by this signer; an empty channel addresses the peer itself. */
export function createProposal(invocation: Invocation, creator: Uint8Array): Proposal {
  const signed = signatureHeader(creator);
  const txId = transactionId(signed);
  const header = headerOf(transactionHeader(invocation, txId), signed);
  const payload = invocationPayload(invocation);
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload);
  return { txId, bytes: Buffer.from(proposal.serializeBinary()), header, payload: Buffer.from(payload) };
}

/** peer.SignedProposal. */
export function signProposal(proposal: Proposal, signer: Signer): peer.SignedProposal {
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.bytes);
  signed.setSignature(signer.sign(proposal.bytes));
  return signed;
}

/** What endorsers sign together with the action: SHA-256 over both headers and the payload. */
export function proposalHash({ header, payload }: Proposal): Buffer {
  return createHash('sha256')
    .update(header.getChannelHeader_asU8())
    .update(header.getSignatureHeader_asU8())
    .update(payload)
    .digest();
}

/** The endorsed transaction (common.Envelope), signed by the proposal's creator. */
export function endorsedEnvelope(
  signed: peer.SignedProposal,
  responsePayload: Uint8Array,
  endorsements: readonly peer.Endorsement[],
  signer: Signer,
): Buffer {
  const envelope = prepareTransaction(unpackProposal(signed), responsePayload, endorsements);
  envelope.setSignature(signer.sign(Buffer.from(envelope.getPayload_asU8())));
  return Buffer.from(envelope.serializeBinary());
}

function transactionHeader({ channel, chaincode }: Invocation, txId: string): common.ChannelHeader {
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const header = channelHeader(common.HeaderType.ENDORSER_TRANSACTION, channel);
  header.setTxId(txId);
  header.setExtension$(extension.serializeBinary());
  return header;
}

function invocationPayload({ chaincode, args }: Invocation): Uint8Array {
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const input = new peer.ChaincodeInput();
  input.setArgsList([...args]);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.GOLANG);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return payload.serializeBinary();
}

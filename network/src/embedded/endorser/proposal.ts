import { createHash, X509Certificate } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { common, msp, peer } from '@hyperledger/fabric-protos';
import type { Proposal } from '../chaincode/invocation.js';
import { refusal } from '../chaincode/messages.js';
import { FabricError } from '../ports.js';

const { HeaderType } = common;

/** A SignedProposal taken apart, not yet believed. */
export interface UnpackedProposal extends Proposal {
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
  readonly proposalBytes: Buffer;
  readonly signature: Buffer;
  /** SHA-256 over both headers and the payload without its transient map. */
  readonly hash: Buffer;
}

/** Parses a peer.SignedProposal. Throws FabricError INTERNAL when it is none. */
export function parseSigned(bytes: Buffer): peer.SignedProposal {
  try {
    return peer.SignedProposal.deserializeBinary(bytes);
  } catch {
    const text = 'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data';
    throw new FabricError(status.INTERNAL, text);
  }
}

/** Refuses an expired certificate, as a peer does for whoever asks it directly (core/handlers/auth/filter/expiration.go). */
export function assertNotExpired(signed: peer.SignedProposal, now: Date): void {
  const expiry = expiryOf(signed);
  if (expiry && now > expiry) throw refusal('proposal client identity expired');
}

/** Takes a proposal apart (core/endorser/msgvalidation.go, UnpackProposal). Throws FabricError. */
export function unpackProposal(signed: peer.SignedProposal): UnpackedProposal {
  const proposal = parse('Proposal', () => peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8()));
  const header = parse('Header', () => common.Header.deserializeBinary(proposal.getHeader_asU8()));
  const channelHeader = parse('ChannelHeader', () =>
    common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
  );
  const signatureHeader = parse('SignatureHeader', () =>
    common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
  );
  const chaincode = chaincodeName(channelHeader);
  const payload = parse('ChaincodeProposalPayload', () =>
    peer.ChaincodeProposalPayload.deserializeBinary(proposal.getPayload_asU8()),
  );
  return {
    channelId: channelHeader.getChannelId(),
    txId: channelHeader.getTxId(),
    creator: Buffer.from(signatureHeader.getCreator_asU8()),
    signed,
    chaincode,
    input: chaincodeInput(payload),
    channelHeader,
    signatureHeader,
    proposalBytes: Buffer.from(signed.getProposalBytes_asU8()),
    signature: Buffer.from(signed.getSignature_asU8()),
    hash: proposalHash(header, payload.getInput_asU8()),
  };
}

/** The checks of form, in Fabric's order and words. Throws FabricError. */
export function assertWellFormed({ channelHeader, signatureHeader, signature, txId }: UnpackedProposal): void {
  const type = channelHeader.getType();
  // CONFIG has no business here, but Fabric lets it pass.
  if (type !== HeaderType.ENDORSER_TRANSACTION && type !== HeaderType.CONFIG) {
    throw refusal(`invalid header type ${headerTypeName(type)}`);
  }
  if (channelHeader.getEpoch() !== 0) throw refusal('epoch is non-zero');
  const nonce = signatureHeader.getNonce_asU8();
  const creator = signatureHeader.getCreator_asU8();
  if (nonce.length === 0) throw refusal('nonce is empty');
  if (creator.length === 0) throw refusal('creator is empty');
  const expected = createHash('sha256').update(nonce).update(creator).digest('hex');
  if (txId !== expected) throw refusal(`incorrectly computed txid '${txId}' -- expected '${expected}'`);
  if (signature.length === 0) throw refusal('empty signature bytes');
}

function chaincodeName(channelHeader: common.ChannelHeader): string {
  const extension = parse('ChaincodeHeaderExtension', () =>
    peer.ChaincodeHeaderExtension.deserializeBinary(channelHeader.getExtension_asU8()),
  );
  const id = extension.getChaincodeId();
  if (!id) throw refusal('ChaincodeHeaderExtension.ChaincodeId is nil');
  if (id.getName() === '') throw refusal('ChaincodeHeaderExtension.ChaincodeId.Name is empty');
  return id.getName();
}

function chaincodeInput(payload: peer.ChaincodeProposalPayload): peer.ChaincodeInput {
  const invocation = parse('ChaincodeInvocationSpec', () =>
    peer.ChaincodeInvocationSpec.deserializeBinary(payload.getInput_asU8()),
  );
  const spec = invocation.getChaincodeSpec();
  if (!spec) throw refusal('chaincode invocation spec did not contain chaincode spec');
  const input = spec.getInput();
  if (!input) throw refusal('chaincode input did not contain any input');
  return input;
}

function proposalHash(header: common.Header, input: Uint8Array): Buffer {
  const withoutTransient = new peer.ChaincodeProposalPayload();
  withoutTransient.setInput(input);
  return createHash('sha256')
    .update(header.getChannelHeader_asU8())
    .update(header.getSignatureHeader_asU8())
    .update(withoutTransient.serializeBinary())
    .digest();
}

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw refusal(`error unmarshalling ${what}: proto: cannot parse invalid wire-format data`);
  }
}

function headerTypeName(type: number): string {
  return Object.entries(HeaderType).find(([, value]) => value === type)?.[0] ?? String(type);
}

/** End of the creator's certificate; undefined when there is no telling, which later checks refuse in their own way. */
function expiryOf(signed: peer.SignedProposal): Date | undefined {
  try {
    const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
    const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
    const signatureHeader = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8());
    const creator = msp.SerializedIdentity.deserializeBinary(signatureHeader.getCreator_asU8());
    return new X509Certificate(creator.getIdBytes_asU8()).validToDate;
  } catch {
    return undefined;
  }
}

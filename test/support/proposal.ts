import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { common, peer } from '@hyperledger/fabric-protos';
import type { KeyFiles } from '@salus/network/identity/layout';
import { createSigner } from '@salus/network/identity/signer';
import type { Signer } from '@salus/network/embedded/ports';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';

/** A proposal to be, each part of which a test may bend. */
export interface ProposalParts {
  readonly channel: string;
  readonly chaincode: string;
  readonly args: readonly string[];
  readonly transient?: Readonly<Record<string, string>>;
  readonly headerType?: number;
  readonly epoch?: number;
  readonly nonce?: Buffer;
  readonly txId?: string;
  readonly time?: Date;
  readonly creator?: Buffer;
  /** Bends the signature made over the proposal. */
  readonly bend?: (signature: Buffer) => Buffer;
}

/** A signer from PEM texts. */
export function signer(mspId: string, certificate: string, key: string): Signer {
  return createSigner(mspId, certificate, key);
}

/** A signer from the files of a certificate and its key. */
export function signerFrom({ mspId, cert, key }: { readonly mspId: string } & KeyFiles): Signer {
  return createSigner(mspId, readFileSync(cert, 'utf8'), readFileSync(key, 'utf8'));
}

/** A peer.SignedProposal and its transaction id. */
export function signedProposal(
  by: Signer,
  parts: ProposalParts,
): { readonly message: peer.SignedProposal; readonly bytes: Buffer; readonly txId: string } {
  const creator = parts.creator ?? by.identity;
  const nonce = parts.nonce ?? randomBytes(24);
  const txId = parts.txId ?? createHash('sha256').update(nonce).update(creator).digest('hex');
  const proposal = new peer.Proposal();
  proposal.setHeader(header(parts, creator, nonce, txId));
  proposal.setPayload(payload(parts));
  const proposalBytes = Buffer.from(proposal.serializeBinary());
  const signature = by.sign(proposalBytes);
  const message = new peer.SignedProposal();
  message.setProposalBytes(proposalBytes);
  message.setSignature(parts.bend ? parts.bend(signature) : signature);
  return { message, bytes: Buffer.from(message.serializeBinary()), txId };
}

function header(parts: ProposalParts, creator: Buffer, nonce: Buffer, txId: string): Uint8Array {
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(parts.chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(chaincodeId);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(parts.headerType ?? common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTxId(txId);
  channelHeader.setChannelId(parts.channel);
  channelHeader.setEpoch(parts.epoch ?? 0);
  channelHeader.setTimestamp(timestamps.Timestamp.fromDate(parts.time ?? new Date()));
  channelHeader.setExtension$(extension.serializeBinary());
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator);
  signatureHeader.setNonce(nonce);
  const message = new common.Header();
  message.setChannelHeader(channelHeader.serializeBinary());
  message.setSignatureHeader(signatureHeader.serializeBinary());
  return message.serializeBinary();
}

function payload({ chaincode, args, transient }: ProposalParts): Uint8Array {
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const input = new peer.ChaincodeInput();
  input.setArgsList(args.map((arg) => Buffer.from(arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.NODE);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const message = new peer.ChaincodeProposalPayload();
  message.setInput(invocation.serializeBinary());
  for (const [name, value] of Object.entries(transient ?? {})) {
    message.getTransientmapMap().set(name, Buffer.from(value));
  }
  return message.serializeBinary();
}

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** The other form of a low-S signature over P-256: equally true mathematically, refused by Fabric. */
export function highS(signature: Buffer): Buffer {
  const length = signature[3]!;
  const r = signature.subarray(2, 4 + length);
  const s = ORDER - BigInt(`0x${signature.subarray(6 + length).toString('hex')}`);
  const value = Buffer.from(`00${s.toString(16).padStart(64, '0')}`, 'hex');
  const body = Buffer.concat([r, Buffer.from([0x02, value.length]), value]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

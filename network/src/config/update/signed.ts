import { createHash, randomBytes } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { Signer } from '../../embedded/ports.js';

const NONCE_BYTES = 24;

/** One administrator's signature under an update (common.ConfigSignature). */
export function signUpdate(update: Uint8Array, signer: Signer): common.ConfigSignature {
  const header = signatureHeader(signer);
  const signature = new common.ConfigSignature();
  signature.setSignatureHeader(header);
  signature.setSignature(signer.sign(Buffer.concat([header, update])));
  return signature;
}

/** The envelope with which an update and its signatures go to an orderer. `submitter` must be a writer of the channel. */
export function updateEnvelope(
  channel: string,
  update: Uint8Array,
  signatures: readonly common.ConfigSignature[],
  submitter: Signer,
): Buffer {
  const content = new common.ConfigUpdateEnvelope();
  content.setConfigUpdate(update);
  content.setSignaturesList([...signatures]);
  const creator = signatureHeader(submitter);
  const header = new common.Header();
  header.setChannelHeader(channelHeader(channel, creator));
  header.setSignatureHeader(creator);
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(content.serializeBinary());
  const bytes = Buffer.from(payload.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(bytes);
  envelope.setSignature(submitter.sign(bytes));
  return Buffer.from(envelope.serializeBinary());
}

function channelHeader(channel: string, signatureHeaderBytes: Uint8Array): Uint8Array {
  const header = new common.ChannelHeader();
  header.setType(common.HeaderType.CONFIG_UPDATE);
  header.setChannelId(channel);
  header.setTimestamp(timestamps.Timestamp.fromDate(new Date()));
  header.setTxId(createHash('sha256').update(signatureHeaderBytes).digest('hex'));
  return header.serializeBinary();
}

function signatureHeader({ identity }: Signer): Uint8Array {
  const header = new common.SignatureHeader();
  header.setCreator(identity);
  header.setNonce(randomBytes(NONCE_BYTES));
  return header.serializeBinary();
}

/** Headers and envelopes as every client of Fabric makes them (common.Header, common.Envelope). */
import { createHash, randomBytes } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { Signer } from '../embedded/ports.js';

/** Length of the nonce that Fabric's own clients take. */
const NONCE_BYTES = 24;

/** A common.SignatureHeader with a fresh nonce. */
export function signatureHeader(creator: Uint8Array = new Uint8Array()): common.SignatureHeader {
  const header = new common.SignatureHeader();
  header.setCreator(creator);
  header.setNonce(randomBytes(NONCE_BYTES));
  return header;
}

/** The id of a transaction: lower-case hex SHA-256 of the nonce and the creator in its signature header. */
export function transactionId(signed: common.SignatureHeader): string {
  return createHash('sha256').update(signed.getNonce_asU8()).update(signed.getCreator_asU8()).digest('hex');
}

/** A common.ChannelHeader of this kind; `at` is the time it states, milliseconds since 1970. */
export function channelHeader(type: number, channel: string, at = Date.now()): common.ChannelHeader {
  const header = new common.ChannelHeader();
  header.setType(type);
  header.setChannelId(channel);
  header.setTimestamp(timestamps.Timestamp.fromDate(new Date(at)));
  return header;
}

/** Both headers as a payload has them. */
export function headerOf(channel: common.ChannelHeader, signed: common.SignatureHeader): common.Header {
  const header = new common.Header();
  header.setChannelHeader(channel.serializeBinary());
  header.setSignatureHeader(signed.serializeBinary());
  return header;
}

/** The envelope around a header and its data; without a signer nobody signs it, as block 0. */
export function envelopeOf(header: common.Header, data: Uint8Array, signer?: Pick<Signer, 'sign'>): common.Envelope {
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(data);
  const bytes = Buffer.from(payload.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(bytes);
  if (signer) envelope.setSignature(signer.sign(bytes));
  return envelope;
}

/** How far the chain is, asked of the peer: the number of its newest block. */
import { randomBytes } from 'node:crypto';

import { common, msp, orderer } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';

import type { PeerConnection } from './connection.js';

/** Milliseconds the peer may take to answer. */
const TIP_MS = 5_000;

/** The newest block's number. Throws when the peer does not answer. */
export async function readTip(
  connection: PeerConnection,
  channel: string,
  now: () => number = Date.now,
): Promise<number> {
  const request = connection.gateway.newBlockEventsRequest(seekNewest(connection, channel, now()).serializeBinary());
  const events = await request.getEvents({ deadline: Date.now() + TIP_MS });
  try {
    for await (const block of events) return block.getHeader()?.getNumber() ?? 0;
  } finally {
    events.close();
  }
  throw new Error('the peer named no newest block');
}

function seekNewest(connection: PeerConnection, channel: string, now: number): common.Envelope {
  const newest = new orderer.SeekPosition();
  newest.setNewest(new orderer.SeekNewest());
  const seek = new orderer.SeekInfo();
  seek.setStart(newest);
  seek.setStop(newest);
  seek.setBehavior(orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
  const payload = new common.Payload();
  payload.setHeader(header(connection, channel, now));
  payload.setData(seek.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

function header(connection: PeerConnection, channel: string, now: number): common.Header {
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setChannelId(channel);
  channelHeader.setTimestamp(timestamps.Timestamp.fromDate(new Date(now)));
  channelHeader.setTlsCertHash(connection.tlsClientCertificateHash);
  const { mspId, credentials } = connection.gateway.getIdentity();
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(credentials);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(identity.serializeBinary());
  signatureHeader.setNonce(randomBytes(24));
  const result = new common.Header();
  result.setChannelHeader(channelHeader.serializeBinary());
  result.setSignatureHeader(signatureHeader.serializeBinary());
  return result;
}

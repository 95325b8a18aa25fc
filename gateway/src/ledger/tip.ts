/** How far the chain is, asked of the peer: the number of its newest block. */
import { common, msp, orderer } from '@hyperledger/fabric-protos';

import { channelHeader, envelopeOf, headerOf, signatureHeader } from '@salus/network/config/envelope';

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

/** Not signed yet: the client signs what it sends. */
function seekNewest(connection: PeerConnection, channel: string, now: number): common.Envelope {
  const newest = new orderer.SeekPosition();
  newest.setNewest(new orderer.SeekNewest());
  const seek = new orderer.SeekInfo();
  seek.setStart(newest);
  seek.setStop(newest);
  seek.setBehavior(orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
  const header = channelHeader(common.HeaderType.DELIVER_SEEK_INFO, channel, now);
  header.setTlsCertHash(connection.tlsClientCertificateHash);
  const { mspId, credentials } = connection.gateway.getIdentity();
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(credentials);
  return envelopeOf(headerOf(header, signatureHeader(identity.serializeBinary())), seek.serializeBinary());
}

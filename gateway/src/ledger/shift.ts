/** Requests as a gateway whose clock is shifted would have made them: peers refuse those of another time. For tests alone. */
import type { Gateway } from '@hyperledger/fabric-gateway';
import { common, gateway as protos, peer } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';

import type { GatewaySettings } from '../settings.js';

/** The channel whose blocks are asked for, and by how much its clocks are shifted. */
export type BlocksOf = Pick<GatewaySettings, 'channel' | 'clockOffsetMs'>;

/** A proposal, not signed yet (gateway.ProposedTransaction). */
export function shiftedProposal(bytes: Uint8Array, offsetMs: number): Uint8Array {
  const proposed = protos.ProposedTransaction.deserializeBinary(bytes);
  const signed = proposed.getProposal() ?? new peer.SignedProposal();
  const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
  const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
  proposal.setHeader(shiftedHeader(header, offsetMs).serializeBinary());
  signed.setProposalBytes(proposal.serializeBinary());
  proposed.setProposal(signed);
  return proposed.serializeBinary();
}

/** The request for blocks from one on. */
export function blockEvents(gateway: Gateway, { channel, clockOffsetMs }: BlocksOf, start: number) {
  const request = gateway.getNetwork(channel).newBlockEventsRequest({ startBlock: BigInt(start) });
  return clockOffsetMs === 0 ? request : gateway.newBlockEventsRequest(shiftedSeek(request.getBytes(), clockOffsetMs));
}

/** The same with the member's own private data. */
export function blockAndPrivateDataEvents(gateway: Gateway, { channel, clockOffsetMs }: BlocksOf, start: number) {
  const request = gateway.getNetwork(channel).newBlockAndPrivateDataEventsRequest({ startBlock: BigInt(start) });
  if (clockOffsetMs === 0) return request;
  return gateway.newBlockAndPrivateDataEventsRequest(shiftedSeek(request.getBytes(), clockOffsetMs));
}

/** A request for blocks, not signed yet (common.Envelope). */
function shiftedSeek(bytes: Uint8Array, offsetMs: number): Uint8Array {
  const envelope = common.Envelope.deserializeBinary(bytes);
  const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
  payload.setHeader(shiftedHeader(payload.getHeader() ?? new common.Header(), offsetMs));
  envelope.setPayload(payload.serializeBinary());
  return envelope.serializeBinary();
}

function shiftedHeader(header: common.Header, offsetMs: number): common.Header {
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  channel.setTimestamp(timestamps.Timestamp.fromDate(new Date(Date.now() + offsetMs)));
  header.setChannelHeader(channel.serializeBinary());
  return header;
}

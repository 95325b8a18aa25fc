/** Deliver asked by hand: envelopes with a seek, of which a test may bend any part. */
import { randomBytes } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { common, msp, orderer, type peer } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { statusName, type RawClient } from './raw-client.js';

/** A block number, or one of the places Fabric has a name for. */
export type Place = number | 'oldest' | 'newest' | 'next';

/** What is asked of deliver. */
export interface Seek {
  readonly start?: Place;
  readonly stop?: Place;
  readonly failIfNotReady?: boolean;
  readonly channel?: string;
  readonly headerType?: number;
  /** Offset of the envelope's time from now, in ms; null leaves the time out. */
  readonly offsetMs?: number | null;
  readonly bend?: (signature: Buffer) => Buffer;
}

/** What deliver answered: numbers of blocks, then the name of a status. */
export interface Delivered {
  readonly blocks: readonly number[];
  readonly status: string;
}

/** The three streams of a peer. */
export type DeliverKind = 'deliver' | 'deliverFiltered' | 'deliverWithPrivateData';

/** A signed seek. */
export function seekEnvelope(by: Signer, seek: Seek, tlsHash: Buffer): common.Envelope {
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(seek.headerType ?? common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setChannelId(seek.channel ?? 'health');
  channelHeader.setTlsCertHash(tlsHash);
  if (seek.offsetMs !== null) {
    channelHeader.setTimestamp(timestamps.Timestamp.fromDate(new Date(Date.now() + (seek.offsetMs ?? 0))));
  }
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(by.identity);
  signatureHeader.setNonce(randomBytes(24));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(seekInfo(seek).serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  const signature = by.sign(Buffer.from(payload.serializeBinary()));
  envelope.setSignature(seek.bend ? seek.bend(signature) : signature);
  return envelope;
}

/** Asks a peer, and reads until it says a status. */
export function deliver(raw: RawClient, by: Signer, seek: Seek, kind: DeliverKind = 'deliver'): Promise<Delivered> {
  const call = raw.deliver[kind]();
  return untilStatus(call, seekEnvelope(by, seek, raw.tlsHash), (answer) => numberOf(answer));
}

/** Asks an orderer, and reads until it says a status. */
export function deliverFromOrderer(raw: RawClient, by: Signer, seek: Seek): Promise<Delivered> {
  const call = raw.orderer.deliver();
  return untilStatus(call, seekEnvelope(by, seek, raw.tlsHash), (answer) =>
    answer.getBlock()?.getHeader()?.getNumber(),
  );
}

/** Who signed a block: an MSP and a certificate (PEM). */
export function blockSigner(block: common.Block): msp.SerializedIdentity {
  const entry = block.getMetadata()!.getMetadataList_asU8()[common.BlockMetadataIndex.SIGNATURES]!;
  const [signature] = common.Metadata.deserializeBinary(entry).getSignaturesList();
  const header = common.SignatureHeader.deserializeBinary(signature!.getSignatureHeader_asU8());
  return msp.SerializedIdentity.deserializeBinary(header.getCreator_asU8());
}

/** The newest block as an orderer hands it out. */
export async function newestOfOrderer(raw: RawClient, by: Signer): Promise<common.Block> {
  const seek = seekEnvelope(by, { start: 'newest', stop: 'newest' }, raw.tlsHash);
  const { blocks } = await untilStatus(raw.orderer.deliver(), seek, (answer) => answer.getBlock());
  return blocks[0]!;
}

function untilStatus<T extends { getStatus(): number }, B>(
  call: ClientDuplexStream<common.Envelope, T>,
  envelope: common.Envelope,
  blockOf: (answer: T) => B | undefined,
): Promise<{ readonly blocks: readonly B[]; readonly status: string }> {
  return new Promise((resolve, reject) => {
    const blocks: B[] = [];
    call.on('data', (answer: T) => {
      const found = blockOf(answer);
      if (found !== undefined) {
        blocks.push(found);
        return;
      }
      call.end();
      resolve({ blocks, status: statusName(answer.getStatus()) });
    });
    call.on('error', reject);
    call.write(envelope);
  });
}

function numberOf(answer: peer.DeliverResponse): number | undefined {
  return (
    answer.getBlock()?.getHeader()?.getNumber() ??
    answer.getFilteredBlock()?.getNumber() ??
    answer.getBlockAndPrivateData()?.getBlock()?.getHeader()?.getNumber()
  );
}

function seekInfo({ start, stop, failIfNotReady }: Seek): orderer.SeekInfo {
  const info = new orderer.SeekInfo();
  if (start !== undefined) info.setStart(position(start));
  if (stop !== undefined) info.setStop(position(stop));
  if (failIfNotReady) info.setBehavior(orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY);
  return info;
}

function position(place: Place): orderer.SeekPosition {
  const found = new orderer.SeekPosition();
  if (place === 'oldest') found.setOldest(new orderer.SeekOldest());
  else if (place === 'newest') found.setNewest(new orderer.SeekNewest());
  else if (place === 'next') found.setNextCommit(new orderer.SeekNextCommit());
  else {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(place);
    found.setSpecified(specified);
  }
  return found;
}

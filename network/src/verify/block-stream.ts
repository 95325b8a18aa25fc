/** A peer's blocks as it delivers them: protos.Deliver/Deliver, over mutual TLS. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { channelHeader, envelopeOf, headerOf, signatureHeader } from '../config/envelope.js';
import type { MemberEndpoints } from '../endpoints.js';
import { createSigner } from '../identity/signer.js';

/** Yields common.Block bytes from the first block up to the newest one there is now. Throws when the peer refuses. */
export async function* peerBlocks(channel: string, member: MemberEndpoints): AsyncGenerator<Buffer> {
  const [cert, key] = [readFileSync(member.cert, 'utf8'), readFileSync(member.key, 'utf8')];
  const tls = credentials.createSsl(readFileSync(member.peerTlsCa), Buffer.from(key), Buffer.from(cert));
  const options = { ...nameOf(member.peer), 'grpc.max_receive_message_length': -1 };
  const client = new peer.DeliverClient(member.peer, tls, options);
  const stream = client.deliver();
  // Ended by us, the call fails; nobody waits for it any more.
  stream.on('error', () => undefined);
  try {
    stream.write(seekEverything(channel, member.mspId, cert, key));
    for await (const message of stream) {
      const response = message as peer.DeliverResponse;
      const block = response.getBlock();
      if (block !== undefined) yield Buffer.from(block.serializeBinary());
      else if (response.getStatus() === common.Status.SUCCESS) return;
      else throw new Error(`the peer at ${member.peer} answers with status ${response.getStatus()}`);
    }
  } finally {
    stream.cancel();
    client.close();
  }
}

/** An address is no name that TLS may ask for: every node's certificate names localhost beside it. */
function nameOf(endpoint: string): Record<string, string> {
  return isIP(endpoint.slice(0, endpoint.lastIndexOf(':'))) === 0
    ? {}
    : { 'grpc.ssl_target_name_override': 'localhost' };
}

function seekEverything(channel: string, mspId: string, cert: string, key: string): common.Envelope {
  const signer = createSigner(mspId, cert, key);
  const made = channelHeader(common.HeaderType.DELIVER_SEEK_INFO, channel);
  made.setTlsCertHash(createHash('sha256').update(new X509Certificate(cert).raw).digest());
  return envelopeOf(headerOf(made, signatureHeader(signer.identity)), seekInfo().serializeBinary(), signer);
}

function seekInfo(): orderer.SeekInfo {
  const [oldest, newest] = [new orderer.SeekPosition(), new orderer.SeekPosition()];
  oldest.setOldest(new orderer.SeekOldest());
  newest.setNewest(new orderer.SeekNewest());
  const info = new orderer.SeekInfo();
  info.setStart(oldest);
  info.setStop(newest);
  info.setBehavior(orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY);
  return info;
}

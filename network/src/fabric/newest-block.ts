import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { channelHeader, envelopeOf, headerOf, signatureHeader } from '../config/envelope.js';
import type { Signer } from '../embedded/ports.js';
import { channelOptions, clientFiles, credentials, deadline, FabricRefusal, type NodeAddress } from './clients.js';

/**
 * The certificate (PEM) under which an orderer signed the newest block that it hands out: each signs the blocks of its own
 * ledger, so this tells which certificate it runs with. Throws FabricRefusal when it is away, or knows no leader.
 */
export async function blockSignerAt(node: NodeAddress, reader: Signer, channel: string): Promise<string> {
  const block = await newestBlock(node, reader, channel);
  const entry = block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.SIGNATURES] ?? new Uint8Array();
  const [signature] = common.Metadata.deserializeBinary(entry).getSignaturesList();
  const header = common.SignatureHeader.deserializeBinary(signature?.getSignatureHeader_asU8() ?? new Uint8Array());
  const identity = msp.SerializedIdentity.deserializeBinary(header.getCreator_asU8());
  return Buffer.from(identity.getIdBytes_asU8()).toString();
}

async function newestBlock(node: NodeAddress, reader: Signer, channel: string): Promise<common.Block> {
  const client = new orderer.AtomicBroadcastClient(node.address, credentials(node), channelOptions(node));
  try {
    return await new Promise<common.Block>((resolve, reject) => {
      const stream = client.deliver(new grpc.Metadata(), deadline());
      stream.on('data', (answer: orderer.DeliverResponse) => {
        const block = answer.getBlock();
        if (block) resolve(block);
        else reject(new FabricRefusal(answer.getStatus(), `${node.address} hands out no block`));
      });
      stream.on('error', (error: grpc.ServiceError) => {
        reject(new FabricRefusal(error.code, `${node.address}: ${error.details}`));
      });
      // After an answer or an error this changes nothing.
      stream.on('end', () => {
        reject(new FabricRefusal(grpc.status.UNAVAILABLE, `${node.address} ended without a block`));
      });
      stream.write(newestSeek(node, reader, channel));
    });
  } finally {
    client.close();
  }
}

function newestSeek(node: NodeAddress, reader: Signer, channel: string): common.Envelope {
  const newest = new orderer.SeekPosition();
  newest.setNewest(new orderer.SeekNewest());
  const seek = new orderer.SeekInfo();
  seek.setStart(newest);
  seek.setStop(newest);
  const header = channelHeader(common.HeaderType.DELIVER_SEEK_INFO, channel);
  header.setTlsCertHash(createHash('sha256').update(tlsCertificate(node).raw).digest());
  return envelopeOf(headerOf(header, signatureHeader(reader.identity)), seek.serializeBinary(), reader);
}

function tlsCertificate(node: NodeAddress): X509Certificate {
  return new X509Certificate(readFileSync(clientFiles(node).cert));
}

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { discovery, gossip } from '@hyperledger/fabric-protos';
import { channelOptions, clientFiles, credentials, deadline, FabricRefusal } from './clients.js';
import type { PeerAdmin } from './peer-admin.js';

/**
 * Peers of a channel that this peer knows to run the chaincode, itself included. A peer that knows too few of the others
 * finds no endorsers, though all are up.
 */
export async function knownEndorsers(admin: PeerAdmin, channel: string, chaincode: string): Promise<number> {
  const result = await discover(admin, membershipQuery(channel));
  let count = 0;
  result
    .getMembers()
    ?.getPeersByOrgMap()
    .forEach((peers: discovery.Peers) => {
      count += peers.getPeersList().filter((each) => runs(each, chaincode)).length;
    });
  return count;
}

function runs(known: discovery.Peer, chaincode: string): boolean {
  const payload = known.getStateInfo()?.getPayload_asU8() ?? new Uint8Array();
  const message = gossip.GossipMessage.deserializeBinary(payload);
  const chaincodes = message.getStateInfo()?.getProperties()?.getChaincodesList() ?? [];
  return chaincodes.some((each) => each.getName() === chaincode);
}

function membershipQuery(channel: string): discovery.Query {
  const query = new discovery.Query();
  query.setChannel(channel);
  query.setPeerQuery(new discovery.PeerMembershipQuery());
  return query;
}

/** Asks the peer's discovery one thing; under mutual TLS the request names the certificate it comes with. */
async function discover(admin: PeerAdmin, query: discovery.Query): Promise<discovery.QueryResult> {
  const { node, administrator } = admin;
  const certificate = new X509Certificate(readFileSync(clientFiles(node).cert));
  const authentication = new discovery.AuthInfo();
  authentication.setClientIdentity(administrator.identity);
  authentication.setClientTlsCertHash(createHash('sha256').update(certificate.raw).digest());
  const request = new discovery.Request();
  request.setAuthentication(authentication);
  request.setQueriesList([query]);
  const signed = new discovery.SignedRequest();
  const payload = Buffer.from(request.serializeBinary());
  signed.setPayload(payload);
  signed.setSignature(administrator.sign(payload));
  const client = new discovery.DiscoveryClient(node.address, credentials(node), channelOptions(node));
  try {
    const [result] = await new Promise<discovery.QueryResult[]>((resolve, reject) => {
      client.discover(signed, new grpc.Metadata(), deadline(), (error, response) => {
        if (error) reject(new FabricRefusal(error.code, `${node.address}: ${error.details}`));
        else resolve(response?.getResultsList() ?? []);
      });
    });
    const refusal = result?.getError()?.getContent();
    if (!result || refusal !== undefined) throw new FabricRefusal(0, `${node.address}: ${refusal ?? 'no result'}`);
    return result;
  } finally {
    client.close();
  }
}

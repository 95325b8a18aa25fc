// Reads and submits with nothing but Fabric's own client: node docs/plain-client.mjs [member] [endpoints.json]
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { Buffer } from 'node:buffer';
import console from 'node:console';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import * as grpc from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';

const [member = 'stmary', file = '.salus/endpoints.json'] = process.argv.slice(2);
const { channel, chaincode, members } = JSON.parse(readFileSync(file, 'utf8'));
const { mspId, peer, peerTlsCa, cert, key } = members[member];
const [credentials, privateKey] = [readFileSync(cert), readFileSync(key)];
const tls = grpc.credentials.createSsl(readFileSync(peerTlsCa), privateKey, credentials);
const client = new grpc.Client(peer, tls, { 'grpc.ssl_target_name_override': 'localhost' });
const gateway = connect({
  client,
  identity: { mspId, credentials },
  signer: signers.newPrivateKeySigner(createPrivateKey(privateKey)),
  hash: hash.sha256,
  tlsClientCertificateHash: createHash('sha256').update(new X509Certificate(credentials).raw).digest(),
});
const contract = gateway.getNetwork(channel).getContract(chaincode);
const hex256 = () => randomBytes(32).toString('hex');

try {
  const tick = Buffer.from(await contract.evaluateTransaction('clock:read')).toString();
  console.log(`the consortium's clock: ${tick}`);

  // Anchors an empty slice of a read log. Content travels in the transient map, so only the own peer may endorse it.
  const request = { anchorId: hex256(), root: hex256(), first: 1, last: 1, salt: hex256() };
  const actor = { user: 'plain-client', role: 'admin', purpose: 'HSYSADMIN' };
  const transientData = { request: JSON.stringify(request), actor: JSON.stringify(actor) };
  const submitted = await contract.submitAsync('access:anchor', { transientData, endorsingOrganizations: [mspId] });
  const { code, blockNumber } = await submitted.getStatus();
  console.log(`committed: transaction ${submitted.getTransactionId()} in block ${blockNumber} with code ${code}`);
} finally {
  gateway.close();
  client.close();
}

import { strict as assert } from 'node:assert';
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

import * as grpc from '@grpc/grpc-js';
import { type Identity, connect, hash, signers } from '@hyperledger/fabric-gateway';

import { type TestNetwork, startNetwork } from '../support/network.js';
import { condition, glucose, patient } from '../story/people.js';

const canary = 'CANARY';

/** Files below a folder that hold the canary in clear, as UTF-8, UTF-16 or base64 at any of its three offsets. */
function holders(folder: string): string[] {
  const shapes = [Buffer.from(canary), Buffer.from(canary, 'utf16le'), ...base64Shapes(canary)];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
    .filter((file) => {
      const content = readFileSync(file);
      return shapes.some((shape) => content.includes(shape));
    });
}

function base64Shapes(text: string): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + text).toString('base64');
    const start = [0, 2, 3][offset] ?? 0;
    return Buffer.from(encoded.slice(start, Math.floor(encoded.replaceAll('=', '').length / 4) * 4));
  });
}

describe('a canary planted in patient data', () => {
  let network: TestNetwork;

  before(async () => {
    network = await startNetwork();
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const created = await network.ask('stmary', 'Patient', { token, body: patient });
    assert.equal(created.status, 201, created.text);
    const id = String(created.body.id);
    for (const resource of [glucose(id, 5.5), condition(id)]) {
      const type = (resource as { resourceType: string }).resourceType;
      assert.equal((await network.ask('stmary', type, { token, body: resource })).status, 201);
    }
    // Errors about content that is wrong, and questions that name it.
    const refused = await network.ask('stmary', 'Patient', { token, body: { ...patient, [`${canary}element`]: 1 } });
    assert.ok(refused.status >= 400);
    await network.ask('stmary', `Patient?family=${canary}FAMILY`, { token });
    const other = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    await network.ask('northside', `Patient/${id}`, { token: other });
  });

  after(async () => {
    await network.stop();
  });

  it('is found by this search where it must be: in its custodian’s own projection', () => {
    assert.notDeepEqual(holders(join(network.stateDir, 'members', 'stmary', 'data')), []);
  });

  it('is found in no block, in no other member’s files and in no log', () => {
    const own = join(network.stateDir, 'members', 'stmary', 'data') + sep;
    assert.deepEqual(
      holders(network.stateDir).filter((file) => !file.startsWith(own)),
      [],
    );
  });

  it('streams from no peer to any member’s own certificate', async () => {
    const members = Object.values(network.consortium.endpoints.members);
    for (const peer of members) {
      for (const member of members) {
        const blocks = await blocksWithPrivateData(network, peer, member);
        assert.ok(blocks.length > 0);
        assert.ok(!Buffer.concat(blocks).includes(canary), `${member.mspId} at the peer of ${peer.mspId}`);
      }
    }
  }).timeout(240_000);

  type Member = TestNetwork['consortium']['endpoints']['members'][string];

  async function blocksWithPrivateData(network: TestNetwork, peer: Member, member: Member): Promise<Buffer[]> {
    const certificate = readFileSync(member.cert);
    const key = readFileSync(member.key);
    const credentials = grpc.credentials.createSsl(readFileSync(peer.peerTlsCa), key, certificate);
    const client = new grpc.Client(peer.peer, credentials, { 'grpc.max_receive_message_length': -1 });
    const identity: Identity = { mspId: member.mspId, credentials: certificate };
    // A peer that asks for client certificates takes a block request only from the connection it was made for.
    const tlsClientCertificateHash = createHash('sha256').update(new X509Certificate(certificate).raw).digest();
    const gateway = connect({
      client,
      tlsClientCertificateHash,
      identity,
      signer: signers.newPrivateKeySigner(createPrivateKey(key)),
      hash: hash.sha256,
    });
    try {
      const found: Buffer[] = [];
      const height = await newestBlock(network);
      const events = await gateway.getNetwork(network.consortium.endpoints.channel).getBlockAndPrivateDataEvents({
        startBlock: 0n,
      });
      for await (const event of events) {
        found.push(Buffer.from(event.serializeBinary()));
        if (found.length >= height) break;
      }
      events.close();
      return found;
    } finally {
      gateway.close();
      client.close();
    }
  }

  async function newestBlock(network: TestNetwork): Promise<number> {
    const answer = await network.ask('stmary', '/readyz');
    const { channels } = JSON.parse(answer.text) as { channels: Record<string, { height: number }> };
    return channels[network.consortium.endpoints.channel]?.height ?? 0;
  }
});

import { strict as assert } from 'node:assert';
import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

import * as grpc from '@grpc/grpc-js';
import { type Identity, connect, hash, signers } from '@hyperledger/fabric-gateway';

import { holders, holds } from '../support/bytes-search.js';
import { type Answer, type TestNetwork, networkOfSuite } from '../support/network.js';
import { CANARY, type Planted, STAFF, plant } from './planting.js';

describe('a canary planted in patient data', () => {
  const network = networkOfSuite();
  let planted: Planted;

  before(async () => {
    planted = await plant(network);
  });

  const below = (...folders: string[]): string => folders.join(sep) + sep;

  it('is repeated in no error, not even to who sent it', () => {
    const repeating = [...planted.refused]
      .filter(([, answer]) => holds(Buffer.from(answer.text), CANARY))
      .map(([what, { status, text }]) => `${what}: ${status} ${text}`);
    assert.deepEqual(repeating, []);
    const accepted = [...planted.refused].filter(([, { status }]) => status < 400).map(([what]) => what);
    assert.deepEqual(accepted, []);
  });

  it('is found by this search where it must be: in its custodian’s own data', () => {
    assert.notDeepEqual(holders(join(network.stateDir, 'members', 'stmary', 'data'), CANARY), []);
  });

  it('is shown to no wrong caller, at no member', async () => {
    const { patientId, observationId, consentId } = planted;
    const paths = [`Patient/${patientId}`, `Patient/${patientId}/$everything`, `Observation/${observationId}`];
    paths.push(`Observation?patient=${patientId}`, `Consent/${consentId}`, `Consent?patient=${patientId}`);
    paths.push(`AuditEvent?patient=${patientId}`, `/ledger/history/Patient/${patientId}`);
    const callers: [string, string | undefined][] = [
      ['stmary', undefined],
      ['stmary', await network.token({ member: 'stmary', user: 'c', role: 'carrier' })],
      ['acme', await network.token({ member: 'acme', user: 's', role: 'sponsor' })],
      ['authority', await network.token({ member: 'authority', user: 'r', role: 'regulator' })],
    ];
    const shown: string[] = [];
    for (const [member, token] of callers) {
      for (const path of paths) {
        const answer = await network.ask(member, path, token === undefined ? {} : { token });
        if (tells(answer)) shown.push(`${path} at ${member}: ${answer.text.slice(0, 200)}`);
      }
    }
    assert.deepEqual(shown, []);
  });

  const tells = ({ text, headers }: Answer): boolean =>
    [CANARY, STAFF].some((word) => holds(Buffer.from(text + JSON.stringify([...headers])), word));

  it('is on no page and in no figure that is open to all', async () => {
    const shown: string[] = [];
    for (const member of Object.keys(network.consortium.endpoints.members)) {
      for (const path of ['/metrics', '/', '/ledger', '/ledger/blocks', '/readyz']) {
        if (tells(await network.ask(member, path))) shown.push(`${path} of ${member}`);
      }
    }
    assert.deepEqual(shown, []);
  });

  it('reaches another hospital only as what the consent permits, and stays in none of its files', async () => {
    const token = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const read = await network.ask('northside', `Observation?patient=${planted.patientId}`, { token });
    assert.match(read.text, new RegExp(`${CANARY}DISPLAY`), 'permitted by the consent that was planted');
    for (const path of [`Patient/${planted.patientId}`, `Condition?patient=${planted.patientId}`]) {
      assert.ok(!tells(await network.ask('northside', path, { token })), path);
    }
  });

  it('is found in no block, in no other member’s files and in no log', () => {
    const own = below('members', 'stmary', 'data');
    assert.deepEqual(
      holders(network.stateDir, CANARY).filter((file) => !file.startsWith(own)),
      [],
    );
  });

  it('lets a name of staff into what the hospitals and the witness share, and nowhere else', () => {
    const inCare = ['stmary', 'northside', 'authority'].map((member) => below('members', member));
    const found = holders(network.stateDir, STAFF);
    assert.ok(found.some((file) => file.startsWith(below('members', 'northside'))));
    assert.deepEqual(
      found.filter((file) => !inCare.some((folder) => file.startsWith(folder))),
      [],
    );
  });

  it('streams from no peer to any member’s own certificate', async () => {
    const members = Object.values(network.consortium.endpoints.members);
    for (const peer of members) {
      for (const member of members) {
        const blocks = await blocksWithPrivateData(network, peer, member);
        assert.ok(blocks.length > 0);
        assert.ok(!holds(Buffer.concat(blocks), CANARY), `${member.mspId} at the peer of ${peer.mspId}`);
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

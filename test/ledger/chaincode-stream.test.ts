/** How a peer talks to a chaincode's process, which is the unmodified fabric-shim. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from '@hyperledger/fabric-protos';
import { ChaincodeConnection, type ChaincodeAddress } from '@salus/network/embedded/chaincode/connection';
import { transactionMessage, Type } from '@salus/network/embedded/chaincode/messages';
import type { ChaincodeStream } from '@salus/network/embedded/chaincode/stream';
import { Authority } from '@salus/network/identity/authority';
import { ChaincodeProcess } from '../support/chaincode-process.js';
import { freePortBase } from '../support/free-ports.js';
import type { Operation } from '../support/chaincode/operations.js';
import { signedProposal, signer } from '../support/proposal.js';

const PACKAGE = 'ledger-test:1';
const CHANNEL = 'health';

describe('a peer’s stream to a chaincode', () => {
  let authority: Authority;
  let client: ReturnType<typeof signer>;
  let port: number;
  let chaincode: ChaincodeProcess;
  let connection: ChaincodeConnection;

  before(async () => {
    authority = await Authority.create({ organisation: 'stmary', name: 'ca' });
    const { certificate, key } = await authority.identity({ organisation: 'stmary', name: 'client' }, 'client');
    client = signer('StmaryMSP', certificate, key);
    port = await freePortBase();
    chaincode = await ChaincodeProcess.start({ address: `127.0.0.1:${port}`, packageId: PACKAGE });
    connection = new ChaincodeConnection(address({ executeTimeoutMs: 1_000 }));
  });

  after(async () => {
    await connection.close();
    await chaincode.kill();
  });

  function address(more: Partial<ChaincodeAddress> = {}): ChaincodeAddress {
    return { packageId: PACKAGE, address: `127.0.0.1:${port}`, dialTimeoutMs: 1_000, ...more };
  }

  function transaction(operations: readonly Operation[], extra: readonly string[] = []): peer.ChaincodeMessage {
    const args = ['run', JSON.stringify(operations), ...extra];
    const { message, txId } = signedProposal(client, { channel: CHANNEL, chaincode: 'ledger', args });
    const input = new peer.ChaincodeInput();
    input.setArgsList(args.map((arg) => Buffer.from(arg)));
    const sent = transactionMessage(Type.TRANSACTION, { channelId: CHANNEL, txId }, input.serializeBinary());
    sent.setProposal(message);
    return sent;
  }

  /** A peer whose every key holds its own name. */
  function answer(request: peer.ChaincodeMessage): Promise<peer.ChaincodeMessage> {
    const of = { channelId: request.getChannelId(), txId: request.getTxid() };
    const key = peer.GetState.deserializeBinary(request.getPayload_asU8()).getKey();
    return Promise.resolve(transactionMessage(Type.RESPONSE, of, Buffer.from(`value of ${key}`)));
  }

  async function run(on: ChaincodeStream, sent: peer.ChaincodeMessage): Promise<string> {
    const last = await on.execute(sent, answer);
    return Buffer.from(peer.Response.deserializeBinary(last.getPayload_asU8()).getPayload_asU8()).toString();
  }

  it('runs a transaction and answers what the chaincode asks in it', async () => {
    const stream = await connection.open();
    assert.equal(await run(stream, transaction([['get', 'a']])), '["value of a"]');
  });

  it('runs many transactions at once on one stream', async () => {
    const stream = await connection.open();
    const names = Array.from({ length: 50 }, (_, n) => `k${n}`);
    const results = await Promise.all(names.map((name) => run(stream, transaction([['get', name]]))));
    assert.deepEqual(
      results,
      names.map((name) => `["value of ${name}"]`),
    );
  });

  it('refuses a transaction id that is under way', async () => {
    const stream = await connection.open();
    const sent = transaction([['sleep', '200']]);
    const first = run(stream, sent);
    await assert.rejects(stream.execute(sent, answer), { message: `txid: ${sent.getTxid()}(${CHANNEL}) exists` });
    assert.equal(await first, '[null]');
  });

  it('gives up a transaction that takes too long, and serves the next', async () => {
    const stream = await connection.open();
    await assert.rejects(run(stream, transaction([['sleep', '1500']])), {
      message: 'timeout expired while executing transaction',
    });
    assert.equal(await run(stream, transaction([['get', 'a']])), '["value of a"]');
  });

  it('carries arguments of 10 MB', async () => {
    // On a busy machine they take longer than the others' second.
    const patient = new ChaincodeConnection(address());
    try {
      const stream = await patient.open();
      assert.equal(await run(stream, transaction([['get', 'a']], ['x'.repeat(10_000_000)])), '["value of a"]');
    } finally {
      await patient.close();
    }
  });

  it('gives each peer a stream of its own to one process', async () => {
    const other = new ChaincodeConnection(address());
    try {
      const sent = transaction([
        ['sleep', '100'],
        ['get', 'a'],
      ]);
      const both = await Promise.all([connection.open(), other.open()]);
      assert.deepEqual(await Promise.all(both.map((stream) => run(stream, sent))), [
        '[null,"value of a"]',
        '[null,"value of a"]',
      ]);
    } finally {
      await other.close();
    }
  });

  it('does not take a process of another package', async () => {
    const other = new ChaincodeConnection(address({ packageId: 'other:2' }));
    await assert.rejects(
      other.open(),
      /^FabricError: could not launch chaincode other:2: .*registered as ledger-test:1$/,
    );
  });

  it('fails what is under way when the process dies, and goes on when it is back', async () => {
    const stream = await connection.open();
    const under = assert.rejects(run(stream, transaction([['sleep', '900']])), {
      message: 'chaincode stream terminated',
    });
    await chaincode.kill();
    await under;
    await assert.rejects(connection.open(), { message: new RegExp(`^could not launch chaincode ${PACKAGE}: `) });
    chaincode = await ChaincodeProcess.start({ address: `127.0.0.1:${port}`, packageId: PACKAGE });
    assert.equal(await run(await connection.open(), transaction([['get', 'a']])), '["value of a"]');
  });

  it('speaks mutual TLS where the process asks for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'salus-chaincode-'));
    const tlsPort = port + 1;
    const subject = { organisation: 'stmary', name: 'chaincode' };
    const [server, peerSide] = await Promise.all([
      authority.tls(subject, ['127.0.0.1']),
      authority.tls(subject, ['127.0.0.1']),
    ]);
    const files = { key: join(folder, 'key'), cert: join(folder, 'cert'), clientCa: join(folder, 'ca') };
    writeFileSync(files.key, server.key);
    writeFileSync(files.cert, server.certificate);
    writeFileSync(files.clientCa, authority.certificate);
    const target = { packageId: PACKAGE, address: `127.0.0.1:${tlsPort}`, dialTimeoutMs: 1_000 };
    const served = await ChaincodeProcess.start({ ...target, tls: files });
    const ca = authority.certificate;
    const trusted = new ChaincodeConnection({ ...target, tls: { ca, cert: peerSide.certificate, key: peerSide.key } });
    try {
      assert.equal(await run(await trusted.open(), transaction([['get', 'a']])), '["value of a"]');
      await assert.rejects(new ChaincodeConnection({ ...target, tls: { ca } }).open());
      await assert.rejects(new ChaincodeConnection(target).open());
    } finally {
      await trusted.close();
      await served.kill();
      rmSync(folder, { recursive: true });
    }
  });
});

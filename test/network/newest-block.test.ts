/** What is made of an orderer that was asked for its newest block and hands out none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { FabricRefusal, type NodeAddress } from '@salus/network/fabric/clients';
import { broadcastAddresses, memberPairs, ordererPairs } from '@salus/network/fabric/establish';
import { blockSignerAt } from '@salus/network/fabric/newest-block';
import { tlsFiles } from '@salus/network/identity/layout';
import { signerOf } from '@salus/network/identity/signer';
import { prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { freePortBase } from '../support/free-ports.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

/** Deliver of an orderer whose stream is given up before its first answer: the client has an end, and no error. */
const ENDS: grpc.UntypedServiceImplementation = {
  deliver: (stream: grpc.ServerDuplexStream<Buffer, Buffer>) => {
    stream.on('data', () => {
      stream.end();
    });
  },
};
const UNAVAILABLE: number = grpc.status.UNAVAILABLE;
const asIs = (bytes: Buffer): Buffer => bytes;
const DELIVER: grpc.ServiceDefinition = {
  deliver: {
    path: '/orderer.AtomicBroadcast/Deliver',
    requestStream: true,
    responseStream: true,
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  },
};

describe('the newest block of an orderer', function () {
  this.timeout(120_000);
  const home = scratchFolder();
  const server = new grpc.Server();
  after(() => {
    server.forceShutdown();
    home.remove();
  });

  it('whose stream ends before one came is refused at once, and says so', async () => {
    const topology = loadTopology(
      fewMembers(home.path, await freePortBase(), ['stmary', 'northside', 'acme', 'authority']),
    );
    const [pair] = ordererPairs(memberPairs(await prepareState(topology, `${home.path}/state`, { engine: 'fabric' })));
    const { own, node } = pair!;
    const files = tlsFiles(own.tlsDir);
    const identity = { private_key: readFileSync(files.key), cert_chain: readFileSync(files.cert) };
    server.addService(DELIVER, ENDS);
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createSsl(null, [identity]);
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      });
    });
    const place: NodeAddress = { ...broadcastAddresses([pair!])[0]!, address: `127.0.0.1:${port}` };
    await assert.rejects(
      blockSignerAt(place, signerOf(own.adminMspDir, node.mspId), topology.channel),
      (error: unknown) => {
        assert.ok(error instanceof FabricRefusal);
        assert.deepEqual([error.status, error.message], [UNAVAILABLE, `${place.address} ended without a block`]);
        return true;
      },
    );
  });
});

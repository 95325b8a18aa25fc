import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { request as httpRequest, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { fhirExpress } from '@salus/gateway/fhir/express';
import { SMALL_BODY, UNDERWAY_LIMIT } from '@salus/gateway/fhir/underway';
import { Refusal } from '@salus/gateway/ledger/refusal';
import express from 'express';

import { FhirServer, physician } from '../support/fhir-server.js';
import { patient } from './resources.js';

describe('a gateway that has no room for another large body', () => {
  let fhir: FhirServer;
  let server: Server;
  let port: number;
  let release: () => void;
  let holding: Promise<IncomingMessage>[];

  before(async () => {
    fhir = new FhirServer();
    const gate = Promise.withResolvers<undefined>();
    release = () => {
      gate.resolve(undefined);
    };
    const held = {
      handle: async (asked: Parameters<typeof fhir.router.handle>[0]) => {
        if (asked.headers['x-held'] !== undefined) await gate.promise;
        return await fhir.router.handle(asked);
      },
    };
    const app = express();
    app.use(
      fhirExpress(held, ({ headers }) =>
        headers.authorization === 'Bearer good'
          ? Promise.resolve(physician)
          : Promise.reject(new Refusal('forbidden', 'unauthenticated', 'send a bearer token')),
      ),
    );
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    const half = padded(UNDERWAY_LIMIT / 2 - 10);
    holding = [1, 2].map(() => answerOf(post({ 'x-held': '1', 'content-length': half.length }), half));
    await new Promise((resolve) => setTimeout(resolve, 500));
  });
  after(async () => {
    release();
    await Promise.allSettled(holding);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await fhir.close();
  });

  const padded = (bytes: number): Buffer => {
    const text = Buffer.from(JSON.stringify(patient()));
    return Buffer.concat([text, Buffer.alloc(bytes - text.length, ' ')]);
  };
  function post(headers: Record<string, string | number>, token = 'Bearer good'): ClientRequest {
    const all = { authorization: token, 'content-type': 'application/fhir+json', ...headers };
    return httpRequest({ port, host: '127.0.0.1', path: '/Patient', method: 'POST', headers: all, agent: false });
  }
  async function answerOf(asking: ClientRequest, body?: Buffer): Promise<IncomingMessage> {
    // Where the answer comes before the body is sent, the rest of it is of no use.
    asking.on('error', () => undefined);
    const answered = once(asking, 'response', { signal: AbortSignal.timeout(60_000) });
    if (body === undefined) asking.flushHeaders();
    else asking.end(body);
    const [answer] = (await answered) as [IncomingMessage];
    answer.resume();
    return answer;
  }
  const status = async (headers: Record<string, string | number>, body?: Buffer): Promise<unknown> =>
    (await answerOf(post(headers), body)).statusCode;

  it('says so before it has read any of one', async () => {
    const answer = await answerOf(post({ 'content-length': SMALL_BODY + 1 }));
    assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '1']);
  });

  it('takes small ones, however they come', async () => {
    const body = padded(SMALL_BODY);
    assert.equal(await status({ 'content-length': body.length }, body), 201);
    assert.equal(await status({ 'transfer-encoding': 'chunked' }, body), 201);
    const packed = gzipSync(body);
    assert.equal(await status({ 'content-length': packed.length, 'content-encoding': 'gzip' }, packed), 201);
  });

  it('takes no large one that does not say how large it is', async () => {
    const body = padded(SMALL_BODY + 1);
    assert.equal(await status({ 'transfer-encoding': 'chunked' }, body), 503);
    const packed = gzipSync(body);
    assert.equal(await status({ 'content-length': packed.length, 'content-encoding': 'gzip' }, packed), 503);
  });

  it('has none to lose to who does not say who asks', async () => {
    const answer = await answerOf(post({ 'content-length': 10 }, 'Bearer bad'));
    assert.equal(answer.statusCode, 401);
  });

  it('takes large ones again when there is room, and gives back all of it', async () => {
    release();
    assert.deepEqual(
      (await Promise.all(holding)).map(({ statusCode }) => statusCode),
      [201, 201],
    );
    const body = padded(UNDERWAY_LIMIT / 2 - 10);
    for (let round = 0; round < 2; round += 1) {
      assert.equal(await status({ 'transfer-encoding': 'chunked' }, body), 201);
      const pair = await Promise.all([1, 2].map(() => status({ 'content-length': body.length }, body)));
      assert.deepEqual(pair, [201, 201]);
    }
  });
});

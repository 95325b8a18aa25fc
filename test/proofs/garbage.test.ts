import { strict as assert } from 'node:assert';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

import { campaign } from '../support/campaigns.js';
import { networkOfSuite } from '../support/network.js';
import type { Garbage } from './garbage-parts.js';
import { garbage } from './garbage.js';

const malformed = campaign('garbage');
const REQUESTS = malformed.size({ slice: 600, full: 100_000 });

interface Raw {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

describe('malformed requests', () => {
  const network = networkOfSuite();
  let token: string;
  let patient: string;

  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const { body } = await network.ask('stmary', 'Patient', { token, body: { resourceType: 'Patient' } });
    patient = String(body.id);
  });

  /** Sends it byte for byte: no client of ours mends anything. */
  function send({ method, path, headers, body }: Garbage): Promise<Raw> {
    const base = new URL(network.fhir('stmary'));
    const own = { authorization: `Bearer ${token}`, ...headers };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const target = {
      host: base.hostname,
      port: base.port,
      path: `${base.pathname}/${path.replace('{patient}', patient)}`,
    };
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ ...target, method, headers: { ...own, ...length }, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
        });
      });
      // A body over the limit may be cut off once the answer is there.
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const count = async (): Promise<number | undefined> =>
    (await network.ask('stmary', '_history?_count=1000', { token })).body.total;

  function problemOf(method: string, { status, type, text }: Raw): string | undefined {
    if (status < 400 || status > 499) return `answered ${status}: ${text.slice(0, 300)}`;
    if (method === 'HEAD') return undefined;
    if (!type.startsWith('application/fhir+json')) return `answered ${status} as ${type}: ${text.slice(0, 100)}`;
    const { resourceType, issue } = JSON.parse(text) as { resourceType?: string; issue?: unknown[] };
    if (resourceType !== 'OperationOutcome' || (issue?.length ?? 0) === 0) return `is no OperationOutcome: ${text}`;
    return /\n\s+at |node_modules|\.js:\d/.test(text) ? `shows a stack: ${text}` : undefined;
  }

  it(`are each refused with an OperationOutcome, ${REQUESTS} of them, and nothing is stored`, async () => {
    const random = malformed.random();
    const before = await count();
    const found: string[] = [];
    for (let at = 0; at < REQUESTS; at += 1) {
      const { name, request } = garbage(random);
      const told = `${at} ${name}: ${request.method} ${request.path} ${JSON.stringify(request.headers ?? {})}`;
      const problem = await send(request).then(
        (raw) => problemOf(request.method, raw),
        (error: unknown) => `got no answer: ${String(error)}`,
      );
      const body = request.body === undefined ? '' : request.body.toString().slice(0, 300);
      if (problem !== undefined) found.push(`${told.slice(0, 300)} ${body}\n   ${problem}`);
    }
    assert.equal(found.length, 0, `seed ${malformed.seed}:\n${found.slice(0, 20).join('\n')}`);
    assert.equal(await count(), before);
    const good = await network.ask('stmary', 'Patient', { token, body: { resourceType: 'Patient', active: true } });
    assert.equal(good.status, 201, good.text);
  }).timeout(0);

  it('that are no HTTP are refused, too', async () => {
    const base = new URL(network.fhir('stmary'));
    const lines = [
      'GARBAGE\r\n\r\n',
      'GET /fhir/R4/Patient HTTP/9.9\r\nHost: x\r\n\r\n',
      'GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n',
      `GET /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
      'POST /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ];
    for (const line of lines) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(base.port), base.hostname, () => socket.write(line));
        let text = '';
        socket.on('data', (part) => (text += part.toString()));
        socket.on('close', () => {
          resolve(text);
        });
        socket.on('error', reject);
      });
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, line.slice(0, 80));
      assert.match(answer, /"resourceType":"OperationOutcome"/, line.slice(0, 80));
    }
    assert.equal((await network.ask('stmary', 'metadata')).status, 200);
  });
});

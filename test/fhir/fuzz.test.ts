import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fhirExpress } from '@salus/gateway/fhir/express';
import { openApiDocument } from '@salus/gateway/fhir/openapi';
import express from 'express';

import { campaign } from '../support/campaigns.js';
import { FhirServer, physician } from '../support/fhir-server.js';
import { RECORD } from './r4-record.js';

/** Of PyPI; by its name on PATH. */
const PROGRAM = 'schemathesis';

describe('FHIR over HTTP, under requests made of its OpenAPI document', () => {
  const fhir = new FhirServer();
  const slice = campaign('fuzz');
  const statuses = new Map<number, number>();
  let server: Server;
  let base: string;
  before(async () => {
    for (const resource of RECORD) {
      await fhir.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, { body: resource });
    }
    const app = express();
    app.use((_request, response, next) => {
      response.on('finish', () => statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1));
      next();
    });
    app.use(
      '/fhir/R4',
      fhirExpress(fhir.router, () => Promise.resolve(physician)),
    );
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir/R4`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await fhir.close();
  });

  it('answers none with a 5xx', async function () {
    if (spawnSync(PROGRAM, ['--version']).status !== 0) {
      this.test!.title += ` (pending: no ${PROGRAM} on this machine)`;
      this.skip();
    }
    this.timeout(slice.size({ slice: 600_000, full: 24 * 3_600_000 }));
    const file = join(tmpdir(), `salus-openapi-${process.pid}.json`);
    writeFileSync(file, JSON.stringify(openApiDocument(base)));
    const examples = String(slice.size({ slice: 2, full: 2_000 }));
    const options = ['run', file, '--url', base, '--checks', 'not_a_server_error', '--phases', 'fuzzing'];
    const more = ['--mode', 'all', '--max-examples', examples, '--seed', String(slice.seed), '--no-color'];
    // It keeps what it found in the folder it runs in.
    const run = spawn(PROGRAM, [...options, ...more, '--suppress-health-check', 'all'], { cwd: tmpdir() });
    const told: string[] = [];
    run.stdout.on('data', (text: Buffer) => told.push(text.toString()));
    const code = await new Promise((resolve) => run.on('close', resolve));
    rmSync(file, { force: true });
    const counted = [...statuses].sort(([one], [other]) => one - other);
    console.log(`      ${counted.map(([status, count]) => `${status}: ${count}`).join(', ')}`);
    assert.deepEqual(fhir.faults, []);
    assert.equal(code, 0, told.join('').slice(-10_000));
    assert.deepEqual(
      counted.filter(([status]) => status >= 500),
      [],
    );
    assert.ok(counted.reduce((sum, [, count]) => sum + count, 0) > 50);
  });
});

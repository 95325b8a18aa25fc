/** A member behind a proxy with TLS: nothing of it but its door is reached past the proxy, and what it says of itself is https. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEndpoints } from '@salus/network/endpoints';
import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { scratchFolder } from '../support/scratch.js';
import { topologyAt } from '../support/topology-file.js';
import { patient } from '../story/people.js';

/** The member's machine as others see it, and the proxy's address as people do. */
const HOST = '127.0.0.2';
const PUBLIC = 'https://localhost:8443';

describe('a member behind a proxy with TLS', function () {
  this.timeout(240_000);
  const scratch = scratchFolder();
  const stateDir = join(scratch.path, 'state');
  let topology: string;
  let portBase: number;

  before(async () => {
    portBase = await freePortBase();
    topology = topologyAt(scratch.path, portBase);
    const lines = `    host: ${HOST}\n    listen: 127.0.0.1\n    publicUrl: ${PUBLIC}\n`;
    writeFileSync(topology, readFileSync(topology, 'utf8').replace('  - name: stmary\n', `$&${lines}`));
    const { code, out, err } = await salus(stateDir, ['up'], topology);
    assert.equal(code, 0, out + err);
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    scratch.remove();
  });

  const reason = async (url: string) => {
    const error = await fetch(url).then(
      () => assert.fail(`${url} answers`),
      (why: unknown) => why as Error,
    );
    return (error.cause as NodeJS.ErrnoException).code;
  };

  it('answers where the proxy asks, not on the address that others reach', async () => {
    const port = portBase + 1;
    assert.equal(await reason(`http://${HOST}:${port}/fhir/R4/metadata`), 'ECONNREFUSED');
    assert.notEqual(await reason(`https://${HOST}:${portBase + 101}/`), 'ECONNREFUSED');
    const metadata = (await (await fetch(`http://127.0.0.1:${port}/fhir/R4/metadata`)).json()) as {
      implementation: { url: string };
    };
    assert.equal(metadata.implementation.url, `${PUBLIC}/fhir/R4`);
    assert.match((await salus(stateDir, ['status'], topology)).out, /stmary +ready +block \d+ +https:/);
  });

  it('takes tokens for its https address, and gives links there', async () => {
    assert.equal(readEndpoints(stateDir)!.members['stmary']!.fhir, `${PUBLIC}/fhir/R4`);
    const token = (await salus(stateDir, ['token', '--member', 'stmary', '--role', 'physician'], topology)).out.trim();
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { aud: string };
    assert.equal(claims.aud, `${PUBLIC}/fhir/R4`);
    const created = await fetch(`http://127.0.0.1:${portBase + 1}/fhir/R4/Patient`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      body: JSON.stringify(patient),
    });
    assert.equal(created.status, 201, await created.text());
    assert.match(created.headers.get('location') ?? '', /^https:\/\/localhost:8443\/fhir\/R4\/Patient\//);
  });
});

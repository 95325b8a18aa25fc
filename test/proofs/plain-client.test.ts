import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { networkOfSuite } from '../support/network.js';
import { projectRoot } from '../support/shared.js';

const script = join(projectRoot, 'docs', 'plain-client.mjs');

describe('a script with nothing but @hyperledger/fabric-gateway and a certificate', () => {
  const network = networkOfSuite();

  it('has at most 40 lines and no other library', () => {
    const text = readFileSync(script, 'utf8');
    assert.ok(text.trimEnd().split('\n').length <= 40);
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
    assert.deepEqual(
      imports.filter((name) => !name.startsWith('node:')),
      ['@grpc/grpc-js', '@hyperledger/fabric-gateway'],
    );
  });

  it('reads and submits, as any member', async () => {
    for (const member of ['stmary', 'acme']) {
      const args = [script, member, join(network.stateDir, 'endpoints.json')];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectRoot });
      assert.match(stdout, /clock: \{.*"time":"\d{4}-/);
      const [, txId, block] = /transaction ([0-9a-f]{64}) in block (\d+) with code 0\n/.exec(stdout) ?? [];
      const seen = await network.ask(member, `/ledger/transactions/${String(txId)}`);
      assert.equal(seen.status, 200, seen.text);
      assert.equal(seen.body['block'], Number(block));
    }
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { template } from '@salus/chaincode/dist/build/collections.js';
import { chaincodePackage } from '@salus/network/config/archive';
import { projectRoot } from '../support/shared.js';

const main = join(projectRoot, 'chaincode', 'dist', 'main.js');
const { packageId } = chaincodePackage('salus');
const environment = { SALUS_CHAINCODE_ID: packageId, SALUS_CHAINCODE_ADDRESS: '127.0.0.1:0' };

const start = (variables: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [main], { env: { ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });

const firstLine = async (stream: NodeJS.ReadableStream): Promise<string> => {
  const [line] = (await once(createInterface(stream), 'line')) as [string];
  return line;
};

describe('the chaincode process', function () {
  this.timeout(60_000);

  it('says when it is ready and ends on SIGTERM', async () => {
    const child = start(environment);
    const ready = JSON.parse(await firstLine(child.stdout!)) as { ready: boolean; ccid: string };
    assert.equal(ready.ready, true);
    assert.equal(ready.ccid, packageId);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('says what is missing or wrong in its environment, and does not start', async () => {
    const production = { SALUS_CHAINCODE_PRODUCTION: 'true', SALUS_CHAINCODE_CLOCK_OFFSET_MS: '1000' };
    const cases: [Record<string, string>, RegExp][] = [
      [{ SALUS_CHAINCODE_ID: 'salus:1' }, /SALUS_CHAINCODE_ADDRESS is not set/],
      [{ ...environment, SALUS_CHAINCODE_TLS_KEY: '/dev/null' }, /SALUS_CHAINCODE_TLS_CERT is not set/],
      [{ ...environment, ...production }, /unset it in production/],
      [{ ...environment, SALUS_CHAINCODE_ID: 'salus_0.1.0:1' }, /is for code that it does not name; the code here is/],
      [{ ...environment, SALUS_CHAINCODE_ID: packageId.replace(/-[0-9a-f]{8}/, '-00000000') }, /is for other code;/],
    ];
    for (const [variables, message] of cases) {
      const child = start(variables);
      const exit = once(child, 'exit') as Promise<[number]>;
      const [line, [code]] = await Promise.all([firstLine(child.stderr!), exit]);
      assert.match(line, message);
      assert.equal(code, 1);
    }
  });
});

describe('the collections template', () => {
  it('names every place a record lies in, its members and how many must endorse', () => {
    assert.deepEqual(template(), [
      { name: 'of-{member}', each: 'member', members: 'self', endorsers: 1 },
      { name: 'care', members: ['hospital', 'witness'], endorsers: 2 },
      { name: 'care-keys', members: ['hospital'], endorsers: 2 },
    ]);
  });
});

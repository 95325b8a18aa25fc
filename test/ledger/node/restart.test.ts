import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { common } from '@hyperledger/fabric-protos';
import { layout } from '@salus/network/identity/layout';
import { prepareState, type PreparedState } from '@salus/network/prepare';
import type { ChaincodeProcess } from '../../support/chaincode-process.js';
import {
  connectClient,
  prepareTestState,
  run,
  startTestChaincode,
  take,
  TEST_COLLECTIONS,
  type TestClient,
} from '../../support/embedded-network.js';
import { LedgerProcess } from '../../support/ledger-process.js';

describe('the embedded ledger as a process', function () {
  this.timeout(120_000);
  let prepared: PreparedState;
  let chaincode: ChaincodeProcess;
  const running: LedgerProcess[] = [];
  const clients: TestClient[] = [];

  before(async () => {
    prepared = await prepareTestState();
    chaincode = await startTestChaincode(prepared);
  });

  after(async () => {
    await chaincode.kill();
    rmSync(prepared.stateDir, { recursive: true, force: true });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const ledger of running.splice(0)) await ledger.end('SIGKILL');
  });

  const start = async (...args: string[]): Promise<LedgerProcess> => {
    const ledger = await LedgerProcess.start(prepared.stateDir, args);
    assert.ok(ledger instanceof LedgerProcess, JSON.stringify(ledger));
    running.push(ledger);
    return ledger;
  };
  const connect = (): TestClient => {
    const client = connectClient(prepared, { member: 'stmary' });
    clients.push(client);
    return client;
  };
  const submit = (client: TestClient, ...operations: string[][]): Promise<Uint8Array> =>
    client.contract.submitTransaction(...(run(...operations) as [string, string]));
  const read = async (client: TestClient, ...operations: string[][]): Promise<unknown> =>
    JSON.parse(
      Buffer.from(await client.contract.evaluateTransaction(...(run(...operations) as [string, string]))).toString(),
    );

  it('says what it is, stops on SIGTERM and goes on where it was', async () => {
    const first = await start();
    const { engine, channel, chaincode: name, sequence, height } = first.said;
    assert.deepEqual([engine, channel, name, sequence, height], ['embedded ledger', 'health', 'salus', 1, 2]);
    await submit(connect(), ['put', 'kept', 'yes']);
    await submit(connect(), ['privatePut', 'of-stmary', 'own', 'mine']);
    assert.equal(await first.end('SIGTERM'), 0);

    const again = await start();
    assert.ok(again.said.height >= 4);
    assert.equal(again.said.sequence, 1);
    assert.deepEqual(await read(connect(), ['get', 'kept'], ['privateGet', 'of-stmary', 'own']), ['yes', 'mine']);
  });

  it('loses nothing acknowledged by kill -9, and continues the chain', async () => {
    for (let round = 0; round < 3; round += 1) {
      const ledger = await start();
      const client = connect();
      const acknowledged: string[] = [];
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let count = 0; ; count += 1) {
          const key = `round${round}-${writer}-${count}`;
          await submit(client, ['put', key, key]);
          acknowledged.push(key);
        }
      });
      const stopped = Promise.allSettled(writers);
      while (acknowledged.length < 10 + 7 * round) await sleep(5);
      await ledger.end('SIGKILL');
      await stopped;

      await start();
      const reader = connect();
      const found = await read(reader, ...acknowledged.map((key) => ['get', key]));
      assert.deepEqual(found, acknowledged);
      await submit(reader, ['put', `after${round}`, '1']);
      await running.pop()?.end('SIGTERM');
    }
    const ledger = await start();
    const events = await connect().network.getBlockEvents({ startBlock: 0n });
    const blocks = await take<common.Block>(events, ledger.said.height);
    assert.deepEqual(
      blocks.map((block) => block.getHeader()!.getNumber()),
      [...blocks.keys()],
    );
  });

  it('commits a changed definition with the next sequence', async () => {
    const more = [...TEST_COLLECTIONS, { name: 'extra', members: ['payer'], endorsers: 1 }];
    await prepareState(prepared.topology, prepared.stateDir, { collections: more });
    const upgraded = await start();
    assert.equal(upgraded.said.sequence, 2);
    await submit(connect(), ['put', 'upgraded', '1']);
    assert.equal(await upgraded.end('SIGTERM'), 0);
    const again = await start();
    assert.equal(again.said.sequence, 2);
  });

  it('refuses a definition that drops a collection', async () => {
    await prepareState(prepared.topology, prepared.stateDir, { collections: TEST_COLLECTIONS });
    const ended = await LedgerProcess.start(prepared.stateDir);
    assert.ok(!(ended instanceof LedgerProcess));
    assert.equal(ended.code, 1);
    assert.match(ended.log, /does not contain previously defined collections extra/);
  });

  it('refuses production', async () => {
    const byNode = await LedgerProcess.start(prepared.stateDir, [], { NODE_ENV: 'production' });
    assert.ok(!(byNode instanceof LedgerProcess));
    assert.equal(byNode.code, 1);
    assert.match(byNode.log, /NODE_ENV is production; the embedded ledger is for development/);

    const file = layout.network(prepared.stateDir);
    const before = readFileSync(file, 'utf8');
    const network = JSON.parse(before) as { topology: { production: boolean } };
    network.topology.production = true;
    writeFileSync(file, JSON.stringify(network));
    const byTopology = await LedgerProcess.start(prepared.stateDir);
    writeFileSync(file, before);
    assert.ok(!(byTopology instanceof LedgerProcess));
    assert.equal(byTopology.code, 1);
    assert.match(byTopology.log, /says production: true/);
  });

  it('ends with code 2 on wrong use', async () => {
    const ended = await LedgerProcess.start(prepared.stateDir, ['--no-such-option']);
    assert.ok(!(ended instanceof LedgerProcess));
    assert.equal(ended.code, 2);
    assert.match(ended.log, /usage: main\.js/);
  });
});

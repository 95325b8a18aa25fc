import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AccessRecord } from '@salus/chaincode/access/api';
import { template } from '@salus/chaincode/dist/build/collections.js';
import type { HeadView } from '@salus/chaincode/ehr/api';
import { decodeRefusal, type RegistryView } from '@salus/chaincode/registry/api';
import { EndorseError } from '@hyperledger/fabric-gateway';
import { type EmbeddedNetwork, startEmbedded } from '@salus/network/embedded/node/network';
import type { PreparedState } from '@salus/network/prepare';
import { type Call, memberEntry, physician, random } from '../support/contract-world.js';
import { connectClient, prepareTestState, type TestClient } from '../support/embedded-network.js';
import { consentOf, consentRequest, everything } from '../support/patients.js';
import { projectRoot } from '../support/shared.js';

/** More than the 4 MB at which gRPC cuts a stream unless told otherwise. */
const ABOVE_GRPC_DEFAULT = 5 * 1024 * 1024;

/** The contracts' own process, as a member's peers find it. */
async function startContracts({ chaincodeEnvironment }: PreparedState): Promise<ChildProcess> {
  const main = join(projectRoot, 'chaincode', 'dist', 'main.js');
  const child = spawn(process.execPath, [main], {
    env: { ...chaincodeEnvironment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => assert.fail('the chaincode process ended before it was ready'));
  await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  ended.catch(() => undefined);
  return child;
}

describe('the contracts on the embedded ledger', function () {
  this.timeout(120_000);
  let prepared: PreparedState;
  let contracts: ChildProcess | undefined;
  let network: EmbeddedNetwork | undefined;
  const clients = new Map<string, TestClient>();

  before(async () => {
    prepared = await prepareTestState({ collections: template() });
    contracts = await startContracts(prepared);
    network = await startEmbedded({ stateDir: prepared.stateDir });
    for (const { name } of prepared.topology.members) clients.set(name, connectClient(prepared, { member: name }));
  });

  after(async () => {
    for (const client of clients.values()) client.close();
    // Also when the start failed half-way: a process left behind would keep the test run from ending.
    contracts?.kill('SIGTERM');
    await network?.stop();
    rmSync(prepared.stateDir, { recursive: true, force: true });
  });

  const optionsOf = ({ args = [], request, actor }: Call) => ({
    arguments: [...args],
    transientData: {
      ...(request && { request: JSON.stringify(request) }),
      ...(actor && { actor: JSON.stringify(actor) }),
    },
  });
  const submit = (member: string, name: string, call: Call = {}): Promise<Uint8Array> =>
    clients.get(member)!.contract.submit(name, optionsOf(call));
  const evaluate = async <T>(member: string, name: string, call: Call = {}): Promise<T> => {
    const answer = await clients.get(member)!.contract.evaluate(name, optionsOf(call));
    return JSON.parse(Buffer.from(answer).toString('utf8')) as T;
  };

  it('found a consortium by majority, and tick', async () => {
    const { members } = prepared.topology;
    const entries = members.map(({ name, roles }) => ({ ...memberEntry(name), roles }));
    const named = members.map(({ name, mspId }) => ({ name, mspId }));
    const founding = { args: [JSON.stringify({ kind: 'consortium', members: named, entries })] };
    for (const { name } of members.slice(0, 4)) await submit(name, 'registry:approve', founding);
    const view = await evaluate<RegistryView>('tally', 'registry:read');
    assert.equal(view.consortium?.entry.members.length, members.length);
    assert.deepEqual(
      view.members.map(({ entry }) => entry.name),
      members.map(({ name }) => name).sort(),
    );
    await submit('stmary', 'clock:tick');
    assert.equal((await evaluate<{ ticker: string }>('acme', 'clock:read')).ticker, 'stmary');
  });

  it('deny, permit and deny again as the patient grants and withdraws, endorsed by two members', async () => {
    const pid = random();
    const decision = async (): Promise<string> => {
      const aid = random();
      const request = { aid, pid, purpose: 'TREAT', scope: everything, salt: random() };
      const answer = await submit('northside', 'access:request', { request, actor: physician });
      assert.equal(answer.length, 0);
      return (await evaluate<AccessRecord>('stmary', 'access:read', { request: { aid } })).decision;
    };
    const registration = { pid, patientId: 'patient-1', salt: random() };
    await submit('stmary', 'patient:register', { request: registration, actor: physician });
    assert.equal(await decision(), 'deny');
    const grant = consentRequest(pid, consentOf('c-1', 'northside'));
    await submit('stmary', 'consent:record', { request: grant, actor: physician });
    assert.equal(await decision(), 'permit');
    const withdrawal = consentRequest(pid, consentOf('c-1', 'northside', 'permit', 'inactive'), 2);
    await submit('stmary', 'consent:record', { request: withdrawal, actor: physician });
    assert.equal(await decision(), 'deny');
  });

  it('refuse through peer and gateway as data', async () => {
    const request = { aid: random(), pid: random(), purpose: 'TREAT', scope: everything, salt: random() };
    const biller = { ...physician, role: 'biller' };
    await assert.rejects(submit('stmary', 'access:request', { request, actor: biller }), (error) => {
      assert.ok(error instanceof EndorseError);
      const refusal = decodeRefusal(error.details[0]?.message ?? '');
      assert.deepEqual([refusal?.category, refusal?.code], ['forbidden', 'purpose-not-claimable']);
      return true;
    });
  });

  it('write, find and purge versions in the collection of one member, large ones too', async () => {
    const key = random();
    const ciphertext = 'A'.repeat(ABOVE_GRPC_DEFAULT);
    const entries = [{ key, version: 1, value: { v: 1, salt: random(), ciphertext, commitment: random() } }];
    const write = { idempotencyKey: random(), digest: random(), entries, salt: random() };
    await submit('acme', 'ehr:write', { request: write, actor: physician });
    const positions = [{ key, version: 1 }];
    const ask = { request: { entries: positions, idempotencyKeys: [write.idempotencyKey] } };
    const head = await evaluate<HeadView>('acme', 'ehr:head', ask);
    assert.deepEqual([head.entries, head.idempotency[0]?.digest], [[true], write.digest]);
    const erasure = { erasureId: random(), reason: 'erasure', keys: 1, root: random() };
    await submit('acme', 'ehr:erase-announce', { args: [JSON.stringify(erasure)] });
    const purge = { erasureId: erasure.erasureId, part: 0, entries: positions, salt: random() };
    await submit('acme', 'ehr:erase', { request: purge });
    assert.deepEqual((await evaluate<HeadView>('acme', 'ehr:head', ask)).entries, [false]);
  });

  it('come from a build that wrote the template of their collections', () => {
    const written = readFileSync(join(projectRoot, 'chaincode', 'dist', 'collections.json'), 'utf8');
    assert.deepEqual(JSON.parse(written), template());
  });
});

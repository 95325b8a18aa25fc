/** A new chaincode takes the old one's place at one member after another, while four members write. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chaincodePackage, type ChaincodePackage } from '@salus/network/config/archive';
import { memberPairs, type MemberPair, peerAdmins } from '@salus/network/fabric/establish';
import { defineChaincode, installEverywhere } from '@salus/network/fabric/lifecycle';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import { layout, tlsFiles } from '@salus/network/identity/layout';
import { prepareState, readNetwork } from '@salus/network/prepare';
import { ChaincodeProcess } from '../support/chaincode-process.js';
import { prepareTestState, TEST_COLLECTIONS } from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { assertHistory, assertSameChains, Ending, goesOn, Writer } from '../support/ledger-writers.js';

const WRITERS = ['stmary', 'northside', 'acme', 'tally'];
const VERSION = '0.2.0';
/** The new process of a member listens so far from the old one. */
const PORT_STEP = 9;

describe('a new chaincode on Fabric under load', function () {
  this.timeout(300_000);
  let fabric: TestFabric;
  let writers: Writer[];
  let pairs: readonly MemberPair[];
  let next: ChaincodePackage;
  const processes: ChaincodeProcess[] = [];

  before(async function () {
    fabric = await startTestFabric(await programsOrPending(this));
    pairs = memberPairs(readNetwork(fabric.prepared.stateDir));
    next = chaincodePackage(fabric.prepared.definition.name, { version: VERSION, digest: 'f'.repeat(64) });
    writers = WRITERS.map((member) => new Writer(member, fabric.client({ member })));
  });
  after(async () => {
    for (const each of processes) await each.kill();
    await (fabric as TestFabric | undefined)?.stop();
  });

  const allGoOn = async () => {
    for (const writer of writers) await goesOn(writer);
  };

  /** The member's peers are told where the new one will be, build it as they install it, and it starts beside the old one. */
  async function prepareMember(pair: MemberPair): Promise<void> {
    const { member, own } = pair;
    const address = `${member.chaincodeHost}:${member.chaincodePort + PORT_STEP}`;
    for (const { name } of member.peers) {
      const file = join(layout.peer(own.dir, name), 'connection.json');
      const connection = JSON.parse(readFileSync(file, 'utf8')) as object;
      writeFileSync(file, JSON.stringify({ ...connection, address }));
    }
    await installEverywhere(peerAdmins(pair), next);
    const { key, cert, ca } = tlsFiles(own.chaincodeTlsDir);
    const tls = { key, cert, clientCa: ca };
    processes.push(await ChaincodeProcess.start({ address, packageId: next.packageId, tls }));
  }

  it('runs beside the old one at one member after another', async () => {
    for (const pair of pairs) {
      await prepareMember(pair);
      await allGoOn();
    }
  });

  it('is in force once all have approved it and one has committed it', async () => {
    const { definition, stateDir } = fabric.prepared;
    const wanted = { ...definition, version: VERSION, packageId: next.packageId };
    assert.equal(await defineChaincode(runningChannel(stateDir), wanted), fabric.network.sequence + 1);
    await allGoOn();
  });

  it('takes every write when the old one is ended at one member after another', async () => {
    for (const { member } of pairs) {
      await fabric.network.signal(`chaincode.${member.name}`, 'SIGTERM');
      await allGoOn();
    }
  });

  it('has lost, doubled and belied nothing, and all peers have the same chain', async () => {
    for (const writer of writers) await writer.stop();
    const ending = new Ending((member) => fabric.client({ member }));
    assertHistory(
      writers.flatMap((writer) => writer.history),
      await ending.blocksOf('tally'),
    );
    assertSameChains(await Promise.all(pairs.map(({ member }) => ending.blocksOf(member.name))));
  });
});

describe('a topology file with a new version of the chaincode', function () {
  this.timeout(300_000);
  let fabric: TestFabric | undefined;
  after(async () => {
    await fabric?.stop();
  });

  it('has it in force after the next start, over the state there is', async function () {
    const programs = await programsOrPending(this);
    const prepared = await prepareTestState();
    fabric = await startTestFabric(programs, { prepared });
    const put = (key: string) =>
      fabric!.client({ member: 'acme' }).contract.submitTransaction('run', JSON.stringify([['put', key, 'value']]));
    await put('before');
    assert.equal(fabric.network.sequence, 1);
    await fabric.stop();
    const { topology, stateDir } = prepared;
    const changed = { ...topology, chaincode: { ...topology.chaincode, version: VERSION } };
    fabric = await startTestFabric(programs, {
      prepared: await prepareState(changed, stateDir, { collections: TEST_COLLECTIONS }),
    });
    assert.equal(fabric.network.sequence, 2);
    await put('after');
    const read = JSON.stringify([
      ['get', 'before'],
      ['get', 'after'],
    ]);
    const values = await fabric.client({ member: 'tally' }).contract.evaluateTransaction('run', read);
    assert.equal(Buffer.from(values).toString(), '["value","value"]');
    await fabric.stop();
    fabric = undefined;
    rmSync(stateDir, { recursive: true, force: true });
  });
});

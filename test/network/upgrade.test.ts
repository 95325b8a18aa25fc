/** New contracts take the old ones' place at one member after another, while hospitals write. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningProcesses } from '@salus/network/commands/run-file';
import { chaincodePackage, type ChaincodePackage } from '@salus/network/config/archive';
import { readDefinition } from '@salus/network/config/channel-files';
import { builtCode } from '@salus/network/config/code';
import { memberPairs, type MemberPair, peerAdmins } from '@salus/network/fabric/establish';
import { approve, defineChaincode, installEverywhere } from '@salus/network/fabric/lifecycle';
import { installedPackages } from '@salus/network/fabric/packages';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import { layout } from '@salus/network/identity/layout';
import { chaincodeEnvironment, prepareState, readNetwork } from '@salus/network/prepare';
import { chainsOf } from '../faults/judge/chains.js';
import { HOSPITALS, Members } from '../faults/members.js';
import { treatmentByNorthside } from '../story/people.js';
import { changeRule, copyBuilt, describeCode, startCopy } from '../support/chaincode-copy.js';
import { salus } from '../support/command.js';
import { prepareTestState, TEST_COLLECTIONS } from '../support/embedded-network.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { PatientWriter } from '../support/patient-writer.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
const VERSION = '0.2.0';
/** The new process of a member listens so far from the old one. */
const PORT_STEP = 9;
/** How long every peer may take to hand out all of its blocks, milliseconds. */
const PATIENCE_MS = 60_000;
/** The new contracts take no consent on the word of a nurse, as the old ones do. */
const FROM = 'const signers = statement === undefined';
const WITHOUT_NURSES = { from: FROM, to: `if (role === 'nurse') return [];\n    ${FROM}` };

describe('new contracts on Fabric under load', function () {
  this.timeout(400_000);
  const home = scratchFolder();
  const release = scratchFolder();
  const stateDir = join(home.path, 'state');
  let topology: string;
  let pairs: readonly MemberPair[];
  let next: ChaincodePackage;
  let digest: string;
  let nurses: Readonly<Record<string, string>>;
  let writers: Readonly<Record<string, PatientWriter>>;
  const processes: ChildProcess[] = [];

  async function done(...args: string[]): Promise<string> {
    const { code, out, err } = await salus(stateDir, args, topology);
    assert.equal(code, 0, `salus ${args.join(' ')}\n${out}${err}`);
    return out.trim();
  }
  const tokens = async (role: string) => {
    const pairsOf = HOSPITALS.map(async (member) => [member, await done('token', '--member', member, '--role', role)]);
    return Object.fromEntries(await Promise.all(pairsOf)) as Record<string, string>;
  };
  const base = (member: string) => `${new Members(stateDir).urlsOf(member)[0]!}/fhir/R4`;

  before(async function () {
    await programsOrPending(this);
    topology = fewMembers(home.path, await freePortBase(), MEMBERS);
    copyBuilt(release.path);
    changeRule(release.path, 'consent/rules.js', WITHOUT_NURSES);
    ({ digest } = describeCode(release.path));
    next = chaincodePackage('salus', { version: VERSION, digest });
    await done('up', '--engine', 'fabric');
    pairs = memberPairs(readNetwork(stateDir));
    nurses = await tokens('nurse');
    const physicians = await tokens('physician');
    writers = Object.fromEntries(HOSPITALS.map((name) => [name, new PatientWriter(base(name), physicians[name]!)]));
  });
  after(async () => {
    await Promise.all(Object.values((writers as typeof writers | undefined) ?? {}).map((writer) => writer.stop()));
    await salus(stateDir, ['down'], topology);
    for (const each of processes) each.kill('SIGKILL');
    for (const folder of [home, release]) folder.remove();
  });

  const allGoOn = () => Promise.all(Object.values(writers).map((writer) => writer.goesOn()));

  /** What each hospital answers a nurse who brings a patient's consent. */
  async function askedByNurses(): Promise<Record<string, string>> {
    const asked = HOSPITALS.map(async (member) => {
      const headers = { authorization: `Bearer ${nurses[member]!}`, 'content-type': 'application/fhir+json' };
      const body = JSON.stringify(treatmentByNorthside(writers[member]!.acknowledged[0]!, {}));
      const answer = await fetch(`${base(member)}/Consent`, { method: 'POST', headers, body });
      const [, code = ''] = /"system":"urn:salus:refusal","code":"([\w-]+)"/.exec(await answer.text()) ?? [];
      return [member, `${answer.status} ${code}`.trim()];
    });
    return Object.fromEntries(await Promise.all(asked)) as Record<string, string>;
  }

  const codes = async () => [...new Set(Object.values((await installedPackages(stateDir)).codes))];
  const wanted = () => ({ ...readDefinition(stateDir), version: VERSION, packageId: next.packageId });

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
    const server = { address, tlsDir: own.chaincodeTlsDir };
    const environment = chaincodeEnvironment(readNetwork(stateDir).topology, wanted(), server);
    processes.push(await startCopy(release.path, environment));
  }

  it('stand beside the old ones at one member after another, which endorses by the old rule after its approval too', async () => {
    for (const pair of pairs) {
      await prepareMember(pair);
      const [admin] = peerAdmins(pair);
      await approve(runningChannel(stateDir), admin!, { ...wanted(), sequence: 2 });
      await allGoOn();
      assert.deepEqual(await askedByNurses(), { stmary: '201', northside: '201' });
      assert.deepEqual(await codes(), [builtCode().digest]);
    }
  });

  it('is in force once all have approved it and one has committed it', async () => {
    assert.equal(await defineChaincode(runningChannel(stateDir), wanted()), 2);
    assert.deepEqual(await askedByNurses(), { stmary: '403 not-authentic', northside: '403 not-authentic' });
    assert.deepEqual(await codes(), [digest]);
    await allGoOn();
  });

  it('need the old ones no more, at one member after another', async () => {
    for (const { member } of pairs) {
      const old = runningProcesses(stateDir).find(({ name }) => name === `chaincode.${member.name}`);
      process.kill(old!.pid, 'SIGSTOP');
      await allGoOn();
    }
    assert.deepEqual(await askedByNurses(), { stmary: '403 not-authentic', northside: '403 not-authentic' });
  });

  it('have lost, doubled and refused no write, and all peers have the same chain', async () => {
    for (const [member, writer] of Object.entries(writers)) {
      const acknowledged = await writer.stop();
      assert.ok(acknowledged > 20, `${member}: ${acknowledged}`);
      assert.deepEqual(writer.failed, []);
      await writer.readAll();
      assert.equal(await writer.count(), acknowledged);
    }
    const [first, ...others] = Object.values(await chainsOf(new Members(stateDir), PATIENCE_MS));
    assert.equal(others.length, MEMBERS.length - 1);
    for (const chain of others) assert.deepEqual(chain, first);
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

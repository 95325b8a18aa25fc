/** New contracts take the old ones' place at one member after another, while hospitals write. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runningProcesses } from '@salus/network/commands/run-file';
import { builtCode } from '@salus/network/config/code';
import { installedPackages } from '@salus/network/fabric/packages';
import { prepareState } from '@salus/network/prepare';
import { chainsOf } from '../faults/judge/chains.js';
import { HOSPITALS, Members } from '../faults/members.js';
import { treatmentByNorthside } from '../story/people.js';
import { changeRule, copyRelease, describeCode } from '../support/chaincode-copy.js';
import { type CommandResult, salus } from '../support/command.js';
import { prepareTestState, TEST_COLLECTIONS } from '../support/embedded-network.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending, startTestFabric, type TestFabric } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { PatientWriter } from '../support/patient-writer.js';
import { projectRoot } from '../support/shared.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
const VERSION = '0.2.0';
/** How long every peer may take to hand out all of its blocks, milliseconds. */
const PATIENCE_MS = 60_000;
/** The new contracts take no consent on the word of a nurse, as the old ones do. */
const FROM = 'const signers = statement === undefined';
const WITHOUT_NURSES = { from: FROM, to: `if (role === 'nurse') return [];\n    ${FROM}` };
const BY_THE_OLD = { stmary: '201', northside: '201' };
const BY_THE_NEW = { stmary: '403 not-authentic', northside: '403 not-authentic' };

describe('salus upgrade on Fabric under load', function () {
  this.timeout(600_000);
  const home = scratchFolder();
  const release = scratchFolder();
  const stateDir = join(home.path, 'state');
  let topology: string;
  let digest: string;
  let nurses: Readonly<Record<string, string>>;
  let writers: Readonly<Record<string, PatientWriter>>;

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
    const contracts = copyRelease(release.path);
    changeRule(contracts, 'consent/rules.js', WITHOUT_NURSES);
    ({ digest } = describeCode(contracts));
    await done('up', '--engine', 'fabric');
    nurses = await tokens('nurse');
    const physicians = await tokens('physician');
    writers = Object.fromEntries(HOSPITALS.map((name) => [name, new PatientWriter(base(name), physicians[name]!)]));
  });
  after(async () => {
    await Promise.all(Object.values((writers as typeof writers | undefined) ?? {}).map((writer) => writer.stop()));
    await salus(stateDir, ['down'], topology);
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
  const processes = () =>
    runningProcesses(stateDir)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('chaincode'))
      .sort();
  const named = (name: string) => MEMBERS.map((member) => `${name}.${member}`).sort();

  function setVersion(version: string): void {
    const text = readFileSync(topology, 'utf8');
    writeFileSync(topology, text.replace(/^( {2}version: ).*$/m, `$1${version}`));
  }

  /** Upgrades from a release's folder; `atEach` is done while the command stands still after a member's approval. */
  async function upgrade(
    version: string,
    from: string,
    atEach: (member: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<CommandResult> {
    const seen: Promise<void>[] = [];
    const started = (child: ChildProcess) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const [, member] = /^(\w+) has approved version/.exec(line) ?? [];
        if (member === undefined) return;
        child.kill('SIGSTOP');
        const look = atEach(member).finally(() => child.kill('SIGCONT'));
        // Reported below, once the command has ended.
        look.catch(() => undefined);
        seen.push(look);
      });
    };
    const result = await salus(stateDir, ['upgrade', '--chaincode', version], topology, { release: from, started });
    await Promise.all(seen);
    return result;
  }

  it('asks for the version in the topology file, which the next start goes by', async () => {
    const { code, err } = await upgrade(VERSION, projectRoot);
    assert.deepEqual([code, err.includes(`says version 0.1.0 of the chaincode`)], [2, true], err);
    setVersion(VERSION);
  });

  it('changes nothing where the new contracts do not start, and says where they say why', async () => {
    // They are not the code that their build says they are.
    const main = join(release.path, 'chaincode', 'dist', 'main.js');
    const whole = readFileSync(main, 'utf8');
    writeFileSync(main, `${whole}// more\n`);
    const { code, err } = await upgrade(VERSION, release.path);
    writeFileSync(main, whole);
    assert.equal(code, 1);
    assert.match(err, /chaincode-beside\.stmary did not start: log\/chaincode-beside\.stmary\.log says why/);
    await allGoOn();
    assert.deepEqual(processes(), named('chaincode'));
    assert.deepEqual(await codes(), [builtCode().digest]);
    assert.deepEqual(await askedByNurses(), BY_THE_OLD);
  });

  it('has them beside the old ones at one member after another, by whose rule all go until the commit', async () => {
    const approved: string[] = [];
    const { code, out, err } = await upgrade(VERSION, release.path, async (member) => {
      approved.push(member);
      await allGoOn();
      // The command may have gone on to the commit before it stood still after the last one.
      if (member === MEMBERS.at(-1)) return;
      assert.deepEqual(await askedByNurses(), BY_THE_OLD, member);
      assert.deepEqual(await codes(), [builtCode().digest]);
      for (const each of approved) assert.ok(processes().includes(`chaincode-beside.${each}`), each);
      for (const each of named('chaincode')) assert.ok(processes().includes(each), each);
    });
    assert.equal(code, 0, out + err);
    assert.deepEqual(approved, MEMBERS);
    assert.match(out, /definition is in force at sequence 2/);
    assert.deepEqual(await askedByNurses(), BY_THE_NEW);
    assert.deepEqual(await codes(), [digest]);
    assert.deepEqual(processes(), named('chaincode-beside'));
    await allGoOn();
  });

  it('has the new ones watched as the old ones were, and started again with all nodes', async () => {
    const pidOf = (name: string) => runningProcesses(stateDir).find((each) => each.name === name)?.pid;
    const before = pidOf('chaincode-beside.stmary')!;
    process.kill(before, 'SIGKILL');
    await eventually(() => {
      const now = pidOf('chaincode-beside.stmary');
      assert.ok(now !== undefined && now !== before);
      return Promise.resolve();
    });
    await allGoOn();
    const ledger = pidOf('ledger')!;
    process.kill(ledger, 'SIGKILL');
    await allGoOn();
    assert.notEqual(pidOf('ledger'), ledger);
    assert.deepEqual(processes(), named('chaincode'));
    assert.deepEqual(await askedByNurses(), BY_THE_NEW);
  });

  it('brings the old ones back from their own release’s folder, at the other place', async () => {
    setVersion('0.3.0');
    const { code, out, err } = await upgrade('0.3.0', projectRoot);
    assert.equal(code, 0, out + err);
    assert.deepEqual(await askedByNurses(), BY_THE_OLD);
    assert.deepEqual(await codes(), [builtCode().digest]);
    assert.deepEqual(processes(), named('chaincode-beside'));
    const again = await upgrade('0.3.0', projectRoot);
    assert.deepEqual([again.code, /in force at sequence 3/.test(again.out)], [0, true], again.out + again.err);
  });

  it('has lost, doubled and refused no write, and all peers have the same chain', async () => {
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

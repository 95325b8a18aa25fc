/** Whether members run the same code: the package says of which it is, its process refuses any other, `status` compares. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeRunFile } from '@salus/network/commands/run-file';
import { chaincodePackage } from '@salus/network/config/archive';
import { builtCode } from '@salus/network/config/code';
import { writeEndpoints } from '@salus/network/endpoints';
import { memberPairs, peerAdmins } from '@salus/network/fabric/establish';
import { approve, defineChaincode, installEverywhere } from '@salus/network/fabric/lifecycle';
import { type RunningFabric, startFabric } from '@salus/network/fabric/network';
import { runningChannel } from '@salus/network/fabric/reconfigure';
import { chaincodeEnvironment, type PreparedState, prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { codeIn, copyBuilt, copySources, describeCode } from '../support/chaincode-copy.js';
import { salus } from '../support/command.js';
import { programsOrPending } from '../support/fabric-network.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { scratchFolder } from '../support/scratch.js';

const build = (folder: string) => execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: 'pipe' });

describe('the digest of the code', function () {
  this.timeout(180_000);
  const folder = scratchFolder();
  after(() => {
    folder.remove();
  });

  it('is the same from a build elsewhere, and so is the package', () => {
    copySources(folder.path);
    build(folder.path);
    assert.deepEqual(codeIn(folder.path), builtCode());
    assert.equal(chaincodePackage('salus', codeIn(folder.path)).packageId, chaincodePackage('salus').packageId);
  });

  it('is not touched by what an earlier source left, and changes with any byte of code or lockfile', () => {
    writeFileSync(join(folder.path, 'dist', 'gone.js'), 'old();');
    describeCode(folder.path);
    assert.deepEqual(codeIn(folder.path), builtCode());
    const digests = new Set([builtCode().digest]);
    for (const file of ['dist/consent/decide.js', 'package-lock.json']) {
      appendFileSync(join(folder.path, file), '\n');
      describeCode(folder.path);
      digests.add(codeIn(folder.path).digest);
    }
    assert.equal(digests.size, 3);
  });
});

describe('members of one channel on Fabric', function () {
  this.timeout(240_000);
  const other = scratchFolder();
  const home = scratchFolder();
  let prepared: PreparedState;
  let network: RunningFabric | undefined;
  let stray: ChildProcess | undefined;

  before(async function () {
    const programs = await programsOrPending(this);
    const topology = loadTopology(undefined, { portBase: await freePortBase() });
    prepared = await prepareState(topology, home.path, { engine: 'fabric' });
    const { stateDir, material } = prepared;
    network = await startFabric({ stateDir, programs, path: process.env['PATH'] ?? '', onProgress: () => undefined });
    writeEndpoints(topology, material, 'fabric');
    writeRunFile(stateDir, { engine: 'fabric', ready: true, children: [] });
  });
  after(async () => {
    stray?.kill('SIGKILL');
    await network?.stop();
    other.remove();
    home.remove();
  });

  const status = async () => (await salus(home.path, ['status'])).out;

  it('are shown to run the same code, as the code of each says', async () => {
    await eventually(async () => {
      assert.match(await status(), new RegExp(`chaincode salus_0.1.0-${builtCode().digest}:`));
    });
    assert.match(await status(), /the same code at 7 of 7 peers$/m);
  });

  it('are told by name who runs other code, whose process serves its own package and no other', async () => {
    const { definition, topology, stateDir } = prepared;
    copyBuilt(other.path);
    appendFileSync(join(other.path, 'package-lock.json'), '\n');
    const pair = memberPairs(prepared).find(({ member }) => member.name === 'tally') ?? assert.fail();
    const address = `${pair.member.chaincodeHost}:${pair.member.chaincodePort}`;
    const environment = chaincodeEnvironment(topology, definition, { address, tlsDir: pair.own.chaincodeTlsDir });
    const start = (packageId: string) => {
      const env = { ...environment, SALUS_CHAINCODE_ID: packageId };
      return spawn(process.execPath, [join(other.path, 'dist', 'main.js')], { env, stdio: 'pipe' });
    };
    const refused = start(definition.packageId);
    const [line] = (await once(createInterface(refused.stderr), 'line')) as [string];
    assert.match(line, /is for other code; the code here is/);
    const theirs = chaincodePackage('salus', describeCode(other.path));
    const [admin] = peerAdmins(pair);
    await installEverywhere([admin!], theirs);
    await approve(runningChannel(stateDir), admin!, { ...definition, packageId: theirs.packageId, sequence: 1 });
    await network?.signal('chaincode.tally', 'SIGTERM');
    stray = start(theirs.packageId);
    await eventually(async () => {
      assert.match(await status(), /the same code at 6 of 7 peers, other code at peer0\.tally$/m);
    });
    const { code, out } = await salus(home.path, ['status', '--json']);
    assert.equal(code, 1);
    const { packages } = JSON.parse(out) as { packages: { codes: Record<string, string> } };
    assert.equal(packages.codes['peer0.tally'], codeIn(other.path).digest);
    assert.equal(packages.codes['peer0.acme'], builtCode().digest);
  });

  it('say anew which package they run when the next start finds other code under the same definition', async () => {
    stray?.kill('SIGKILL');
    assert.equal(await defineChaincode(runningChannel(home.path), prepared.definition), 1);
    await network?.restart('chaincode.tally');
    await eventually(async () => {
      assert.match(await status(), /the same code at 7 of 7 peers$/m);
    });
  });
});

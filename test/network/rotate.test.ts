/** Orderers get other TLS keys and certificates one by one, on Fabric, while a hospital writes. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { runningProcesses } from '@salus/network/commands/run-file';
import { isSameKey } from '@salus/network/config/update/consenters';
import { channelAt } from '@salus/network/fabric/clients';
import { administrationAddress, memberPairs, ordererPairs } from '@salus/network/fabric/establish';
import { until } from '@salus/network/fabric/lifecycle';
import { applyProposal, countersign } from '@salus/network/fabric/proposal';
import { nextTls, tlsFiles } from '@salus/network/identity/layout';
import { readNetwork } from '@salus/network/prepare';
import { salus } from '../support/command.js';
import { endingIn } from '../support/ending.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { PatientWriter } from '../support/patient-writer.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
/** Of four members three are a majority, and of three orderers two. */
const SIGNERS = ['stmary', 'acme', 'authority'];

describe('another TLS key for an orderer, on Fabric', function () {
  this.timeout(400_000);
  const home = scratchFolder();
  const stateDir = join(home.path, 'state');
  let topology: string;
  let writer: PatientWriter;

  async function done(...args: string[]): Promise<string> {
    const { code, out, err } = await salus(stateDir, args, topology);
    assert.equal(code, 0, `salus ${args.join(' ')}\n${out}${err}`);
    return out;
  }
  const up = () => done('up', '--engine', 'fabric');
  const orderer = (member: string) =>
    ordererPairs(memberPairs(readNetwork(stateDir))).find((pair) => pair.member.name === member)!;
  const filesOf = (member: string) => tlsFiles(orderer(member).own.tlsDir);
  const certificateOf = (member: string) => readFileSync(filesOf(member).cert, 'utf8');
  const relation = async (member: string) =>
    (await channelAt(administrationAddress(orderer(member)), 'health').catch(() => undefined))?.consensusRelation;
  const becomes = (member: string, wanted: string) =>
    until(`${member} as ${wanted}`, async () => (await relation(member)) === wanted);

  /** Kills an orderer; the supervisor starts it again. */
  async function killed(member: string): Promise<void> {
    const pid = () => runningProcesses(stateDir).find(({ name }) => name === `orderer.${member}`)?.pid;
    const before = pid() ?? assert.fail(`no orderer of ${member}`);
    process.kill(before, 'SIGKILL');
    await until(`another orderer of ${member}`, () => Promise.resolve(![before, undefined].includes(pid())));
  }

  async function signed(member: string): Promise<string> {
    const said = await done('rotate', '--member', member);
    assert.match(said, /^changes \/Channel\/Orderer\/ConsensusType$/m);
    const [, folder = ''] = /^proposed in (\S+);/m.exec(said) ?? [];
    for (const signer of SIGNERS) await countersign(stateDir, folder, signer);
    return folder;
  }

  before(async function () {
    await programsOrPending(this);
    const portBase = await freePortBase();
    topology = fewMembers(home.path, portBase, MEMBERS);
    await up();
    const token = (await done('token', '--member', 'stmary', '--role', 'physician')).trim();
    writer = new PatientWriter(`http://127.0.0.1:${portBase + 1}/fhir/R4`, token);
  });
  after(async () => {
    await (writer as PatientWriter | undefined)?.stop();
    await salus(stateDir, ['down'], topology);
    home.remove();
  });

  it('is served once a majority has signed; the channel goes on', async () => {
    const before = certificateOf('acme');
    cpSync(orderer('acme').own.tlsDir, join(home.path, 'old'), { recursive: true });
    const folder = await signed('acme');
    assert.equal(certificateOf('acme'), before, 'nothing is in force yet');
    assert.match(await done('apply', folder), /^orderer.acme runs with its new TLS key$/m);
    const { node } = orderer('acme');
    assert.ok(isSameKey(await served(node.host, node.port), certificateOf('acme')));
    assert.ok(!isSameKey(certificateOf('acme'), before));
    assert.equal(await relation('acme'), 'consenter');
    await writer.goesOn();
  });

  it('makes the old one nobody’s: an orderer that has it orders nothing, and the others go on', async () => {
    cpSync(orderer('acme').own.tlsDir, join(home.path, 'new'), { recursive: true });
    cpSync(join(home.path, 'old'), orderer('acme').own.tlsDir, { recursive: true });
    await killed('acme');
    await becomes('acme', 'follower');
    await writer.goesOn();
    cpSync(join(home.path, 'new'), orderer('acme').own.tlsDir, { recursive: true });
    await killed('acme');
    await becomes('acme', 'consenter');
  });

  it('is given at one orderer after another, and again at the first', async () => {
    for (const member of ['authority', 'acme']) {
      const before = certificateOf(member);
      assert.match(await done('apply', await signed(member)), new RegExp(`^orderer.${member} runs with its new`, 'm'));
      assert.ok(!isSameKey(certificateOf(member), before));
      await writer.goesOn();
    }
    for (const member of ['authority', 'stmary', 'acme']) assert.equal(await relation(member), 'consenter');
  });

  it('is finished by the same verb when it was interrupted behind the change of the channel', async () => {
    const folder = await signed('authority');
    const before = certificateOf('authority');
    await applyProposal(stateDir, folder);
    assert.equal(certificateOf('authority'), before);
    await writer.goesOn();
    assert.match(await done('rotate', '--member', 'authority'), /^orderer.authority runs with its new TLS key$/m);
    assert.ok(!isSameKey(certificateOf('authority'), before));
    assert.match(await done('apply', folder), /^in force at every peer/m);
    await writer.goesOn();
  });

  it('proposes the same key again when nothing of it was in force', async () => {
    const first = await signed('stmary');
    const next = readFileSync(tlsFiles(nextTls(orderer('stmary').own.tlsDir)).key, 'utf8');
    assert.equal(await signed('stmary'), first);
    assert.match(await done('apply', first), /^orderer.stmary runs/m);
    assert.equal(readFileSync(filesOf('stmary').key, 'utf8'), next);
  });

  it('is finished by the next start, wherever it was interrupted; one that ends soon is renewed for its key then', async () => {
    await applyProposal(stateDir, await signed('authority'));
    await writer.stop();
    await done('down');
    const ending = await endingIn(6.5);
    const key = readFileSync(filesOf('stmary').key, 'utf8');
    writeFileSync(filesOf('stmary').cert, ending);
    const next = readFileSync(tlsFiles(nextTls(orderer('authority').own.tlsDir)).cert, 'utf8');
    await up();
    assert.equal(certificateOf('authority'), next);
    assert.equal(readFileSync(filesOf('stmary').key, 'utf8'), key);
    assert.notEqual(certificateOf('stmary'), ending);
    for (const member of SIGNERS) await becomes(member, 'consenter');

    await applyProposal(stateDir, await signed('acme'));
    await done('down');
    const { tlsDir } = orderer('acme').own;
    renameSync(tlsFiles(nextTls(tlsDir)).key, tlsFiles(tlsDir).key);
    await up();
    for (const member of SIGNERS) await becomes(member, 'consenter');
    await writer.goesOn();
  });

  it('cost nobody a write that was acknowledged', async () => {
    const acknowledged = await writer.stop();
    assert.ok(acknowledged > 20 && writer.postponed < acknowledged / 20, `${acknowledged}, ${writer.postponed}`);
    assert.deepEqual(writer.failed, []);
    await writer.readAll();
  });

  it('is refused to whoever has no orderer', async () => {
    const { code, err } = await salus(stateDir, ['rotate', '--member', 'northside'], topology);
    assert.equal(code, 2);
    assert.match(err, /holds the keys of no orderer of northside/);
  });
});

/** The certificate (PEM) that a server shows. */
function served(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(`-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`);
    });
    socket.once('error', reject);
  });
}

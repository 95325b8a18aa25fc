/** A channel whose members share no folder: each command runs with one member's own, and files travel between them. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportMember } from '@salus/network/fabric/export';
import { prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { type CommandResult, salus } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';
import { patient } from '../story/people.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];

describe('members with a folder each, on Fabric', function () {
  this.timeout(600_000);
  const home = scratchFolder();
  const folderOf = (member: string) => join(home.path, member);
  /** What lies between the members: a proposed change is copied here by one and read by the next. */
  const post = join(home.path, 'post');
  let topology: string;

  const at = (member: string, ...args: string[]): Promise<CommandResult> => salus(folderOf(member), args, topology);
  async function done(member: string, ...args: string[]): Promise<string> {
    const { code, out, err } = await at(member, ...args);
    assert.equal(code, 0, `${member}: salus ${args.join(' ')}\n${out}${err}`);
    return out;
  }
  const up = (member: string) => done(member, 'up', '--engine', 'fabric');

  /** The folder that a command says it proposed in, brought to where the others find it. */
  function posted(said: string, name: string): string {
    const [, folder = ''] = /^proposed in (\S+);/m.exec(said) ?? [];
    cpSync(folder, join(post, name), { recursive: true });
    return join(post, name);
  }

  const clientAt = (member: string) => memberClient(folderOf(member), member, topology);
  const createdAt = async (member: string): Promise<number> => (await (await clientAt(member)).create(patient)).status;

  before(async function () {
    await programsOrPending(this);
    topology = fewMembers(home.path, await freePortBase(), MEMBERS);
    const whole = join(home.path, 'whole');
    await prepareState(loadTopology(topology), whole, { engine: 'fabric' });
    for (const member of MEMBERS) exportMember(whole, member, folderOf(member));
    rmSync(whole, { recursive: true });
    await Promise.all(MEMBERS.map(up));
  });
  after(async () => {
    for (const member of [...MEMBERS, 'hill']) if (existsSync(folderOf(member))) await at(member, 'down');
    home.remove();
  });

  it('brought the channel into force together, and serve', async () => {
    assert.equal(await createdAt('stmary'), 201);
    const { packages } = JSON.parse(await done('acme', 'status', '--json')) as {
      packages: { codes: Record<string, string>; otherCode: string[] };
    };
    assert.deepEqual(Object.keys(packages.codes).sort(), MEMBERS.map((member) => `peer0.${member}`).sort());
    assert.deepEqual(packages.otherCode, []);
  });

  it('bring a new version of the chaincode’s definition into force, each from its own folder', async () => {
    const upgrade = (member: string) => done(member, 'upgrade', '--chaincode', '0.2.0');
    const wrong = await at('stmary', 'upgrade', '--chaincode', 'next');
    assert.deepEqual([wrong.code, /next is no version such as 0\.2\.0/.test(wrong.err)], [2, true]);
    assert.match(await upgrade('stmary'), /definition of sequence 2 waits for the approval of: .*NorthsideMSP/);
    assert.match(await upgrade('acme'), /waits for the approval of: /);
    assert.equal(await createdAt('stmary'), 201, 'the one before is in force until a majority agrees');
    assert.match(await upgrade('northside'), /definition is in force at sequence 2/);
    assert.equal(await createdAt('northside'), 201);
    assert.match(await upgrade('authority'), /definition is in force at sequence 2/);
    assert.equal(await createdAt('stmary'), 201);
    assert.match(await upgrade('stmary'), /definition is in force at sequence 2/);
  });

  it('have a certificate refused that its member revoked from its own folder, and no other’s', async () => {
    const revoke = (at: string) => ['revoke', '--member', at, '--identity', 'gateway0'];
    const strange = await at('northside', ...revoke('acme'));
    assert.deepEqual([strange.code, /administrator of acme is not in/.test(strange.err)], [2, true]);
    assert.match(await done('northside', ...revoke('northside')), /gateway0.northside is revoked \(serial number/);
    assert.notEqual(await createdAt('northside'), 201);
    assert.equal(await createdAt('stmary'), 201);
    await done('northside', 'down');
    await up('northside');
    assert.equal(await createdAt('northside'), 201);
  });

  it('have an administrator refused that its member revoked, whose successor signs from then on', async () => {
    const { code, err } = await at('acme', 'revoke', '--member', 'acme', '--identity', 'admin7');
    assert.deepEqual([code, /it has peer0, gateway0, admin, orderer, orderer-admin/.test(err)], [2, true]);
    const said = await done('acme', 'revoke', '--member', 'acme', '--identity', 'admin');
    assert.match(said, /^admin\.acme is revoked \(serial number \w+\); it has a new certificate$/m);
    assert.match(await done('acme', 'upgrade', '--chaincode', '0.2.0'), /definition is in force at sequence 2/);
  });

  it('give an orderer another TLS key once a majority has signed, each in its own folder', async () => {
    const said = await done('acme', 'rotate', '--member', 'acme');
    assert.match(said, /^changes \/Channel\/Orderer\/ConsensusType$/m);
    assert.match(said, /^the orderer of acme has another TLS key, in SHA-256: [0-9a-f]{64}; before: [0-9a-f]{64}$/m);
    const change = posted(said, 'rotate');
    for (const member of ['acme', 'stmary', 'northside']) {
      assert.match(
        await done(member, 'countersign', change, '--member', member),
        /orderer of acme has another TLS key/,
      );
    }
    assert.match(await done('stmary', 'apply', change), /the configuration is in force/);
    // While the orderer of acme is yet to take its key, two order; at first they may have to choose a leader.
    await eventually(async () => {
      assert.equal(await createdAt('stmary'), 201);
    });
    assert.match(await done('acme', 'apply', change), /^orderer.acme runs with its new TLS key$/m);
    for (const member of ['northside', 'authority']) await done(member, 'apply', change);
    await eventually(async () => {
      assert.equal(await createdAt('stmary'), 201);
    });
    const strange = await at('northside', 'rotate', '--member', 'acme');
    assert.deepEqual([strange.code, /holds the keys of no orderer of acme/.test(strange.err)], [2, true]);
  });

  it('take in another that made its keys itself, once a majority has signed and approved, each in its own folder', async () => {
    writeFileSync(
      topology,
      `${readFileSync(topology, 'utf8')}  - name: hill\n    mspId: HillMSP\n    roles: [hospital]\n`,
    );
    await done('hill', 'request', join(post, 'request'), '--member', 'hill');
    const keys = readdirSync(join(post, 'request'), { recursive: true, encoding: 'utf8' })
      .map((file) => join(post, 'request', file))
      .filter((file) => /\.json$|\.pem$|\.crt$/.test(file) && /PRIVATE|"d":/.test(readFileSync(file, 'utf8')));
    assert.deepEqual(keys, []);
    const said = await done('northside', 'join', '--member', 'hill', '--request', join(post, 'request'));
    assert.match(said, /^adds \/Channel\/Application\/HillMSP$/m);
    const change = posted(said, 'join');
    assert.doesNotMatch(readFileSync(join(change, 'network.json'), 'utf8'), new RegExp(home.path));
    await done('northside', 'countersign', change, '--member', 'northside');
    const strange = await at('northside', 'countersign', change, '--member', 'acme');
    assert.deepEqual([strange.code, /administrator of acme is not in/.test(strange.err)], [2, true]);
    await done('stmary', 'countersign', change, '--member', 'stmary');
    const early = await at('stmary', 'apply', change);
    assert.equal(early.code, 1);
    assert.match(early.err, /Admins|not satisfied/);
    await done('acme', 'countersign', change, '--member', 'acme');
    assert.match(await done('stmary', 'apply', change), /waits for the approval of: .*AcmeMSP/);
    assert.match(await done('acme', 'apply', change), /waits for the approval of/);
    assert.match(await done('northside', 'apply', change), /definition is in force at sequence 3/);
    assert.match(await done('hill', 'apply', change), /this folder is ready/);
    await up('hill');
    assert.match(await done('authority', 'apply', change), /definition is in force at sequence 3/);
  });

  it('serve the newcomer’s people once a majority has started its gateways again', async () => {
    assert.equal(await createdAt('hill'), 403);
    for (const member of ['stmary', 'northside', 'acme']) {
      await done(member, 'down');
      await up(member);
    }
    const hill = await clientAt('hill');
    let id = '';
    await eventually(async () => {
      const created = await hill.create(patient);
      assert.equal(created.status, 201, created.text);
      id = String(created.body.id);
    });
    const read = await hill.read(`Patient/${id}`);
    assert.equal(read.status, 200, read.text);
  });

  it('propose nothing that would undo what they have not heard of', async () => {
    const said = await done('stmary', 'leave', '--member', 'hill');
    assert.match(said, /HillMSP|who belongs to \/Channel\/Application/);
    const change = posted(said, 'leave');
    for (const member of ['stmary', 'acme', 'northside']) await done(member, 'countersign', change, '--member', member);
    await done('stmary', 'apply', change);
    const late = await at('northside', 'leave', '--member', 'authority');
    assert.equal(late.code, 1);
    assert.match(late.err, /the channel has changed since this folder last took part .*apply that change first/);
    await done('northside', 'apply', change);
    assert.match(await done('acme', 'apply', change), /definition is in force at sequence 4/);
  });
});

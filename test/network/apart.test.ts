/** A channel whose members share no folder: each command runs with one member's own, and files travel between them. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RegistryView } from '@salus/chaincode/registry/api';
import { exportMember } from '@salus/network/fabric/export';
import { gatewayFiles, layout, tlsFiles } from '@salus/network/identity/layout';
import { exportedState, type NetworkFile, prepareState } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { type CommandResult, salus } from '../support/command.js';
import { connectClient } from '../support/embedded-network.js';
import { eventually } from '../support/eventually.js';
import { forgedUpdate, withConsenter, withRoots, withWeakAdministrators } from '../support/forged-update.js';
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

  /** Ids of the keys with which a member's gateways sign, as the registry in force has them at another member's peer. */
  async function registeredKeys(member: string): Promise<string[]> {
    const client = connectClient(exportedState(folderOf('stmary')), { member: 'stmary' });
    const view = await client.contract.evaluateTransaction('registry:read');
    client.close();
    const { members } = JSON.parse(Buffer.from(view).toString()) as RegistryView;
    return members.find(({ entry }) => entry.name === member)!.entry.keys.map(({ kid }) => kid);
  }
  async function refused(member: string, change: string, why: RegExp): Promise<void> {
    const { code, out, err } = await at(member, 'countersign', change, '--member', member);
    assert.equal(code, 1, out + err);
    assert.match(err, why);
    assert.deepEqual(readdirSync(join(change, 'signatures')), []);
  }
  /** A proposed change whose unsigned part says something else of a member. */
  function withRoles(change: string, to: string, member: string, roles: string[]): string {
    cpSync(change, to, { recursive: true });
    const file = join(to, 'network.json');
    const { topology: told, material } = JSON.parse(readFileSync(file, 'utf8')) as NetworkFile;
    const members = told.members.map((each) => (each.name === member ? { ...each, roles } : each));
    writeFileSync(file, JSON.stringify({ topology: { ...told, members }, material }));
    return to;
  }

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
    const files = gatewayFiles(layout.gateway(layout.member(folderOf('northside'), 'northside'), 'gateway0'));
    const keyOfDoor = readFileSync(files.key, 'utf8');
    const before = await registeredKeys('northside');
    assert.match(await done('northside', ...revoke('northside')), /gateway0.northside is revoked \(serial number/);
    assert.equal(existsSync(files.key), false);
    assert.notEqual(await createdAt('northside'), 201);
    assert.equal(await createdAt('stmary'), 201);
    await done('northside', 'down');
    await up('northside');
    assert.equal(await createdAt('northside'), 201);
    assert.notEqual(readFileSync(files.key, 'utf8'), keyOfDoor);
    const { kid } = JSON.parse(readFileSync(files.jwk, 'utf8')) as { kid: string };
    // By what is in force there the others' doors know who asks: what the key before signs proves nothing from then on.
    await eventually(async () => {
      assert.deepEqual(await registeredKeys('northside'), [kid]);
    });
    assert.ok(before.length === 1 && !before.includes(kid));
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
    assert.match(said, /^the orderer of acme has another TLS key, in SHA-256: ([0-9a-f]{64}); before: [0-9a-f]{64}$/m);
    assert.equal(said.match(/^orders from then on: .*:\d+, TLS key in SHA-256: [0-9a-f]{64}$/gm)?.length, 3);
    const change = posted(said, 'rotate');
    const other = readFileSync(
      tlsFiles(layout.peer(layout.member(folderOf('acme'), 'acme'), 'peer0/tls')).cert,
      'utf8',
    );
    await refused(
      'stmary',
      forgedUpdate(change, join(post, 'consenter'), (root) => {
        withConsenter(root, other);
      }),
      /it differs: orders from then on: /,
    );
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
    const asked = await done('hill', 'request', join(post, 'request'), '--member', 'hill');
    const keys = readdirSync(join(post, 'request'), { recursive: true, encoding: 'utf8' })
      .map((file) => join(post, 'request', file))
      .filter((file) => /\.json$|\.pem$|\.crt$/.test(file) && /PRIVATE|"d":/.test(readFileSync(file, 'utf8')));
    assert.deepEqual(keys, []);
    const said = await done('northside', 'join', '--member', 'hill', '--request', join(post, 'request'));
    assert.match(said, /^adds \/Channel\/Application\/HillMSP$/m);
    const change = posted(said, 'join');
    const { cert } = layout.authority(layout.member(folderOf('hill'), 'hill'));
    const root = `HillMSP: root of identities, in SHA-256: ${new X509Certificate(readFileSync(cert)).fingerprint256}`;
    assert.ok(asked.includes(root), 'who asks reads out what who signs compares');
    const own = readFileSync(layout.authority(layout.member(folderOf('northside'), 'northside')).cert, 'utf8');
    await refused(
      'stmary',
      forgedUpdate(change, join(post, 'roots'), (root) => {
        withRoots(root, 'HillMSP', own);
      }),
      /it differs: HillMSP: root of identities, in SHA-256: /,
    );
    await refused(
      'stmary',
      forgedUpdate(change, join(post, 'policy'), (root) => {
        withWeakAdministrators(root, 'HillMSP');
      }),
      /it differs: in an element named above, such as a policy/,
    );
    assert.doesNotMatch(readFileSync(join(change, 'network.json'), 'utf8'), new RegExp(home.path));
    assert.ok((await done('northside', 'countersign', change, '--member', 'northside')).includes(root));
    const strange = await at('northside', 'countersign', change, '--member', 'acme');
    assert.deepEqual([strange.code, /administrator of acme is not in/.test(strange.err)], [2, true]);
    await done('stmary', 'countersign', change, '--member', 'stmary');
    const early = await at('stmary', 'apply', change);
    assert.equal(early.code, 1);
    assert.match(early.err, /Admins|not satisfied/);
    await done('acme', 'countersign', change, '--member', 'acme');
    const edited = withRoles(change, join(post, 'edited'), 'hill', ['regulator']);
    const late = await at('stmary', 'apply', edited);
    assert.deepEqual([late.code, /is not what was countersigned here/.test(late.err)], [1, true], late.err);
    const applied = await done('stmary', 'apply', change);
    assert.match(applied, /^hill has the roles: hospital;[^]*waits for the approval of: .*AcmeMSP/m);
    assert.match(await done('acme', 'apply', change), /waits for the approval of/);
    assert.match(await done('northside', 'apply', change), /definition is in force at sequence 3/);
    assert.match(await done('hill', 'apply', change), /this folder is ready/);
    await up('hill');
    assert.match(await done('authority', 'apply', change), /definition is in force at sequence 3/);
    const afterwards = await at(
      'authority',
      'apply',
      withRoles(change, join(post, 'afterwards'), 'hill', ['regulator']),
    );
    assert.equal(afterwards.code, 1);
    assert.match(afterwards.err, /tells something else of hill, and no change of the channel says so/);
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

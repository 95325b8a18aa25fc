/** A member whose machine is lost comes back without its orderer's log: that orderer votes again only as another one. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backUp, restore } from '@salus/network/backup';
import { runningProcesses } from '@salus/network/commands/run-file';
import { channelAt } from '@salus/network/fabric/clients';
import { administrationAddress, memberPairs, ordererPairs } from '@salus/network/fabric/establish';
import { exportMember } from '@salus/network/fabric/export';
import { startFabric } from '@salus/network/fabric/network';
import { isConsenter } from '@salus/network/fabric/restart';
import { layout } from '@salus/network/identity/layout';
import { startable } from '@salus/network/lost-log';
import { adoptState, prepareState, readNetwork, writeNetwork } from '@salus/network/prepare';
import { loadTopology } from '@salus/network/topology';
import { salus } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { type MemberClient, memberClient } from '../support/member-client.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';
import { patient } from '../story/people.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
const MIGHT_VOTE_TWICE = /the orderer of stmary is not started, its log is lost: .*it might vote twice.*salus propose/;
const orderersOf = (stateDir: string) => ordererPairs(memberPairs(readNetwork(stateDir)));

describe('the orderer of a folder that was restored', () => {
  const home = scratchFolder();
  const at = (name: string) => join(home.path, name);
  const stateDir = at('state');
  const log = (folder: string) => layout.ordererLog(layout.orderer(folder, 'stmary'));
  let topology: string;

  function started(folder: string) {
    const told: string[] = [];
    const names = startable(orderersOf(folder), folder, (line) => told.push(line)).map(({ member }) => member.name);
    return { names, told };
  }
  function isLost(folder: string): void {
    const { names, told } = started(folder);
    assert.ok(!names.includes('stmary'), names.join());
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0]!, MIGHT_VOTE_TWICE);
    assert.equal(existsSync(log(folder)), false);
  }
  const prepare = () => prepareState(loadTopology(topology), stateDir, { engine: 'fabric' });

  before(async () => {
    topology = fewMembers(home.path, await freePortBase(), MEMBERS);
    await prepare();
    exportMember(stateDir, 'stmary', at('before'));
    for (const member of ['stmary', 'acme', 'authority']) {
      mkdirSync(join(layout.ordererLog(layout.orderer(stateDir, member)), 'etcdraft'), { recursive: true });
    }
  });
  after(() => {
    home.remove();
  });

  it('is not started, at the next start neither, and the others are', async () => {
    assert.deepEqual(started(stateDir), { names: ['stmary', 'acme', 'authority'], told: [] });
    backUp(stateDir, at('copy'), 'stmary');
    for (const place of ['members', 'orderers']) rmSync(join(stateDir, place, 'stmary'), { recursive: true });
    restore(stateDir, at('copy'));
    isLost(stateDir);
    await prepare();
    isLost(stateDir);
    assert.deepEqual(started(stateDir).names, ['acme', 'authority']);
  });

  it('is started once the channel has let it go and taken it in again', async () => {
    const { topology: had, material, definition } = await prepare();
    const members = had.members.map((each) => {
      const { orderer, ...rest } = each;
      return each.name === 'stmary' ? rest : { ...rest, ...(orderer && { orderer }) };
    });
    adoptState(stateDir, { topology: { ...had, members }, material }, definition);
    assert.deepEqual(started(stateDir), { names: ['acme', 'authority'], told: [] });
    adoptState(stateDir, { topology: had, material }, definition);
    assert.deepEqual(started(stateDir), { names: ['stmary', 'acme', 'authority'], told: [] });
  });

  it('is not started from a folder of its own either, of which all was backed up', () => {
    const own = at('before');
    assert.deepEqual(started(own).told, [], 'before the first start it has no log to lose');
    mkdirSync(join(log(own), 'etcdraft'), { recursive: true });
    backUp(own, at('own-copy'));
    rmSync(own, { recursive: true });
    restore(own, at('own-copy'));
    isLost(own);
    // Of a backup that was taken before backups left it out.
    mkdirSync(join(log(at('own-copy')), 'etcdraft'), { recursive: true });
    restore(at('elsewhere'), at('own-copy'));
    isLost(at('elsewhere'));
  });

  it('is not started from a folder that was made while it had a log', () => {
    mkdirSync(join(log(stateDir), 'etcdraft'), { recursive: true });
    exportMember(stateDir, 'stmary', at('late'));
    isLost(at('late'));
  });

  it('is started where all that ordered on one machine comes back as of one moment', () => {
    backUp(stateDir, at('all'));
    rmSync(stateDir, { recursive: true });
    restore(stateDir, at('all'));
    assert.ok(existsSync(log(stateDir)));
    assert.deepEqual(started(stateDir), { names: ['stmary', 'acme', 'authority'], told: [] });
  });
});

describe('the orderer whose log alone is deleted', function () {
  this.timeout(60_000);
  const home = scratchFolder();
  const stateDir = join(home.path, 'state');
  const log = layout.ordererLog(layout.orderer(stateDir, 'stmary'));

  /** What a start says and has running before its first node, which no program is there for, has ended. */
  async function notices(): Promise<string[]> {
    const told: string[] = [];
    const none = join(home.path, 'none');
    const start = startFabric({
      ...{ stateDir, programs: { orderer: none, peer: none }, path: '', chaincodeArguments: () => ['-e', '0'] },
      onProgress: () => undefined,
      onNotice: (line) => told.push(line),
    });
    await assert.rejects(start, /ENOENT|ended/);
    return told;
  }

  before(async () => {
    await prepareState(loadTopology(fewMembers(home.path, await freePortBase(), MEMBERS)), stateDir, {
      engine: 'fabric',
    });
  });
  after(() => {
    home.remove();
  });

  it('is not started, and each start says so', async () => {
    assert.deepEqual(await notices(), [], 'before the first start it has no log to lose');
    begin();
    assert.deepEqual(await notices(), []);
    rmSync(log, { recursive: true });
    for (const start of ['the first', 'the next']) {
      const told = await notices();
      assert.equal(told.length, 1, start);
      assert.match(told[0]!, MIGHT_VOTE_TWICE);
      assert.ok(told[0]!.includes(`${log} is gone, or not whole`), told[0]);
    }
    assert.equal(existsSync(log), false);
  });

  it('is named by status', async () => {
    const { out } = await salus(stateDir, ['status']);
    assert.match(out, MIGHT_VOTE_TWICE);
    const { orderers } = JSON.parse((await salus(stateDir, ['status', '--json'])).out) as { orderers: string[] };
    assert.deepEqual(
      orderers.map((line) => MIGHT_VOTE_TWICE.test(line)),
      [true],
    );
  });

  for (const part of ['etcdraft/wal', 'chains']) {
    it(`is not started either where of its log only ${part} is gone`, async () => {
      takeInAgain();
      begin();
      assert.deepEqual(await notices(), []);
      rmSync(join(log, part), { recursive: true });
      assert.match((await notices()).join(), MIGHT_VOTE_TWICE);
    });
  }

  it('is started once the channel has let it go and taken it in again', async () => {
    takeInAgain();
    assert.deepEqual(await notices(), []);
    assert.deepEqual((JSON.parse((await salus(stateDir, ['status', '--json'])).out) as { orderers: [] }).orderers, []);
  });

  /** The log as an orderer leaves it, as far as it is looked at. */
  function begin(): void {
    for (const part of ['etcdraft/wal/health', 'chains/health']) mkdirSync(join(log, part), { recursive: true });
  }
  function takeInAgain(): void {
    const { topology, material } = readNetwork(stateDir);
    const members = topology.members.map((each) => {
      const { orderer, ...rest } = each;
      return each.name === 'stmary' ? rest : { ...rest, ...(orderer && { orderer }) };
    });
    writeNetwork(stateDir, { topology: { ...topology, members }, material });
    writeNetwork(stateDir, { topology, material });
  }
});

describe('a lost machine of a member that orders, on Fabric', function () {
  this.timeout(600_000);
  const home = scratchFolder();
  const stateDir = join(home.path, 'state');
  const copy = join(home.path, 'copy');
  const ids: string[] = [];
  let topology: string;

  async function done(...args: string[]): Promise<string> {
    const { code, out, err } = await salus(stateDir, args, topology);
    assert.equal(code, 0, `salus ${args.join(' ')}\n${out}${err}`);
    return out + err;
  }
  const up = () => done('up', '--engine', 'fabric');
  const client = (member: string): Promise<MemberClient> => memberClient(stateDir, member, topology);
  async function create(member: string): Promise<string> {
    const created = await (await client(member)).create(patient);
    assert.equal(created.status, 201, created.text);
    return created.body.id ?? '';
  }
  const pair = () => orderersOf(stateDir).find(({ member }) => member.name === 'stmary')!;
  const running = (name: string) => runningProcesses(stateDir).find((each) => each.name === name);
  /** Has a majority sign what the topology file says, and the orderers take it. */
  async function changed(from: string, to: string): Promise<string> {
    const text = readFileSync(topology, 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(topology, text.replace(from, to));
    const folder = /^proposed in (\S+);/m.exec(await done('propose'))?.[1] ?? '';
    for (const member of ['northside', 'acme', 'authority']) await done('countersign', folder, '--member', member);
    return done('apply', folder);
  }

  before(async function () {
    await programsOrPending(this);
    topology = fewMembers(home.path, await freePortBase(), MEMBERS);
    await up();
    ids.push(await create('stmary'));
  });
  after(async () => {
    await salus(stateDir, ['down'], topology);
    home.remove();
  });

  it('comes back from a backup with its peer and its gateway, complete, and without its orderer', async () => {
    await done('backup', '--member', 'stmary', copy);
    await create('northside');
    await done('down');
    for (const place of ['members', 'orderers']) rmSync(join(stateDir, place, 'stmary'), { recursive: true });
    assert.match(await done('restore', copy), MIGHT_VOTE_TWICE);
    assert.match(await up(), MIGHT_VOTE_TWICE);
    assert.deepEqual([running('orderer.stmary'), running('peer0.stmary') === undefined], [undefined, false]);
    ids.push(await create('stmary'));
    for (const id of ids) assert.equal((await (await client('stmary')).read(`Patient/${id}`)).status, 200, id);
    await done('rebuild', '--member', 'stmary');
    await done('verify', '--member', 'stmary');
  });

  it('is let go by an update that a majority signed', async () => {
    assert.match(await changed('orderer: true', 'orderer: replaced'), /in force at every peer/);
    ids.push(await create('stmary'));
    assert.deepEqual(
      orderersOf(stateDir).map(({ member }) => member.name),
      ['acme', 'authority'],
    );
  });

  it('is taken in again, has all blocks of the others, and orders with them', async () => {
    assert.match(await changed('orderer: replaced', 'orderer: true'), /in force at every peer/);
    await done('down');
    assert.doesNotMatch(await up(), /not started/);
    await eventually(async () => {
      assert.ok(await isConsenter(pair(), 'health'));
      const heights = await Promise.all(
        orderersOf(stateDir).map(async (each) => (await channelAt(administrationAddress(each), 'health'))?.height),
      );
      assert.equal(new Set(heights).size, 1, heights.join());
    });
    // Of three orderers two are a majority: without the one that came back nothing would be ordered now.
    const other = running('orderer.acme')!;
    process.kill(other.pid, 'SIGSTOP');
    try {
      await eventually(async () => {
        ids.push(await create('northside'));
      });
      ids.push(await create('stmary'));
    } finally {
      process.kill(other.pid, 'SIGCONT');
    }
    await done('verify', '--member', 'stmary');
  });

  it('does not order once its log alone is deleted, which the start says', async () => {
    await done('down');
    rmSync(layout.ordererLog(layout.orderer(stateDir, 'stmary')), { recursive: true });
    assert.match(await up(), MIGHT_VOTE_TWICE);
    assert.deepEqual([running('orderer.stmary'), running('peer0.stmary') === undefined], [undefined, false]);
    ids.push(await create('stmary'));
  });
});

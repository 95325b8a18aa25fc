import assert from 'node:assert/strict';
import type { CodeView, RegistryView } from '@salus/chaincode/registry/api';
import { setOwnCode } from '@salus/chaincode/dist/lib/code.js';
import {
  approval,
  consortiumEntry,
  ContractWorld,
  gatewayCertificate,
  memberEntry,
  physician,
  random,
} from '../support/contract-world.js';

const view = async (world: ContractWorld) =>
  JSON.parse((await world.evaluate('acme', 'registry:read')).payload) as RegistryView;

describe('registry on the ledger', () => {
  it('tells of which code it is', async () => {
    setOwnCode('c0de');
    const world = await ContractWorld.empty();
    const view = JSON.parse((await world.evaluate('acme', 'registry:code')).payload) as CodeView;
    assert.equal(view.code, 'c0de');
  });

  it('puts the founding consortium in force with the third of four approvals, not before', async () => {
    const world = await ContractWorld.empty();
    await world.submit('stmary', 'registry:approve', approval(consortiumEntry()));
    await world.submit('acme', 'registry:approve', approval(consortiumEntry()));
    assert.equal((await view(world)).consortium, undefined);
    const third = await world.submit('northside', 'registry:approve', approval(consortiumEntry()));
    assert.equal(third.rwset.event?.name, 'registry:changed');
    const { consortium, approvals } = await view(world);
    assert.deepEqual(consortium?.entry, consortiumEntry());
    assert.equal(approvals.length, 3);
  });

  it('puts the entries that come with the founding consortium in force with it', async () => {
    const world = await ContractWorld.empty();
    const founding = { ...consortiumEntry(), entries: ['stmary', 'acme'].map((name) => memberEntry(name)) };
    const stranger = { ...founding, entries: [memberEntry('mallory')] };
    await world.refused('unknown-subject', 'stmary', 'registry:approve', approval(stranger));
    const replacing = { ...founding, entries: [{ ...memberEntry('stmary'), replaces: random() }] };
    await world.refused('stale-entry', 'stmary', 'registry:approve', approval(replacing));
    for (const voter of ['stmary', 'acme', 'authority'])
      await world.submit(voter, 'registry:approve', approval(founding));
    const { consortium, members: found } = await view(world);
    assert.deepEqual(
      found.map(({ entry }) => entry.name),
      ['acme', 'stmary'],
    );
    await world.submit('northside', 'registry:approve', approval(founding));
    const again = { ...founding, replaces: consortium?.hash };
    await world.refused('stale-entry', 'stmary', 'registry:approve', approval(again));
    const moved = { ...memberEntry('acme'), gatewayUrl: 'https://new.example', replaces: found[0]?.hash };
    assert.equal(
      (await world.submit('acme', 'registry:approve', approval(moved))).rwset.event?.name,
      'registry:changed',
    );
  });

  it('refuses members before the consortium, strangers, names that do not fit, and a second approval', async () => {
    const world = await ContractWorld.empty();
    await world.refused('no-consortium', 'stmary', 'registry:approve', approval(memberEntry('stmary')));
    const lonely = { kind: 'consortium', members: [{ name: 'acme', mspId: 'AcmeMSP' }] };
    await world.refused('not-in-consortium', 'stmary', 'registry:approve', approval(lonely));
    const misnamed = {
      kind: 'consortium',
      members: [
        { name: 'acme', mspId: 'StmaryMSP' },
        { name: 'stmary', mspId: 'StmaryMSP' },
      ],
    };
    await world.refused('name-mismatch', 'stmary', 'registry:approve', approval(misnamed));
    await world.submit('stmary', 'registry:approve', approval(consortiumEntry()));
    await world.refused('already-approved', 'stmary', 'registry:approve', approval(consortiumEntry()));
  });

  it('lets a member change its own keys and addresses alone, and nobody anything else', async () => {
    const world = await ContractWorld.founded();
    const before = (await view(world)).members.find(({ entry }) => entry.name === 'stmary');
    const moved = { ...memberEntry('stmary'), gatewayUrl: 'https://new.example', replaces: before?.hash };
    await world.submit('acme', 'registry:approve', approval(moved));
    assert.equal((await view(world)).members.find(({ entry }) => entry.name === 'stmary')?.hash, before?.hash);
    await world.submit('stmary', 'registry:approve', approval(moved));
    const after = (await view(world)).members.find(({ entry }) => entry.name === 'stmary');
    assert.equal(after?.entry.gatewayUrl, 'https://new.example');
    const promoted = { ...moved, roles: ['hospital', 'regulator'], replaces: after.hash };
    await world.submit('stmary', 'registry:approve', approval(promoted));
    assert.deepEqual((await view(world)).members.find(({ entry }) => entry.name === 'stmary')?.entry.roles, [
      'hospital',
    ]);
  });

  it('lets nobody take what another member is known by: its key, its kid, its root', async () => {
    const world = await ContractWorld.founded();
    const [own, others] = ['stmary', 'northside'].map((name) => memberEntry(name));
    const hashOf = async (name: string) => (await view(world)).members.find(({ entry }) => entry.name === name)?.hash;
    const rooted = { ...others, doorRoots: [random()], replaces: await hashOf('northside') };
    await world.submit('northside', 'registry:approve', approval(rooted));
    const [key] = own!.keys as [Record<string, string>];
    const [theirs] = others!.keys as [Record<string, string>];
    const replaces = await hashOf('stmary');
    for (const taken of [
      { keys: [{ ...key, kid: theirs.kid }] },
      { keys: [{ ...theirs, kid: key.kid }] },
      { keys: [key, theirs] },
      { doorRoots: rooted.doorRoots },
    ]) {
      await world.refused('key-taken', 'stmary', 'registry:approve', approval({ ...own!, ...taken, replaces }));
    }
    await world.submit('stmary', 'registry:approve', approval({ ...own!, doorRoots: [random()], replaces }));
    const empty = await ContractWorld.empty();
    const entries = [memberEntry('stmary'), memberEntry('acme', theirs), memberEntry('northside', theirs)];
    const founding = approval({ ...consortiumEntry(), entries });
    await empty.refused('key-taken', 'stmary', 'registry:approve', founding);
  });

  it('never goes back: an old entry is stale once another is in force', async () => {
    const world = await ContractWorld.founded();
    const before = (await view(world)).members.find(({ entry }) => entry.name === 'stmary');
    const moved = { ...memberEntry('stmary'), gatewayUrl: 'https://new.example', replaces: before?.hash };
    await world.submit('stmary', 'registry:approve', approval(moved));
    await world.refused('stale-entry', 'authority', 'registry:approve', approval(memberEntry('stmary')));
    await world.refused('unknown-subject', 'stmary', 'registry:approve', approval(memberEntry('mallory')));
  });
});

describe('a member that leaves', () => {
  it('has no role and no vote any more', async () => {
    const world = await ContractWorld.founded();
    const before = await view(world);
    const smaller = { ...consortiumEntry(), replaces: before.consortium?.hash };
    const without = { ...smaller, members: smaller.members.filter(({ name }) => name !== 'northside') };
    for (const voter of ['stmary', 'acme', 'authority'])
      await world.submit(voter, 'registry:approve', approval(without));
    assert.equal((await view(world)).consortium?.entry.members.length, 3);
    const request = { pid: random(), patientId: 'p', salt: random() };
    await world.refused('not-a-hospital', 'northside', 'patient:register', { request, actor: physician });
    await world.refused('not-in-consortium', 'northside', 'registry:approve', approval(without));
    await world.refused('not-in-consortium', 'northside', 'clock:tick');
  });
});

describe('every transaction', () => {
  it('is refused to anybody but a gateway of a member, in its time', async () => {
    const world = await ContractWorld.founded();
    const admin = await gatewayCertificate('stmary', []);
    await world.refused('not-a-gateway', 'stmary', 'registry:read', { certificate: admin });
    await world.refused('not-a-member', 'stmary', 'registry:read', { mspId: 'StmaryOrdererMSP' });
    await world.refused('timestamp-too-far', 'stmary', 'registry:read', { shiftMs: -300_001 });
    await world.refused('timestamp-too-far', 'stmary', 'registry:read', { shiftMs: 300_001 });
    world.clockMs += 400 * 86_400_000;
    await world.refused('certificate-not-valid', 'stmary', 'registry:read');
    world.clockMs -= 400 * 86_400_000;
    await world.refused('unknown-transaction', 'stmary', 'registry:forget');
    await world.refused('invalid-request', 'stmary', 'registry:approve', { args: ['{not json'] });
  });
});

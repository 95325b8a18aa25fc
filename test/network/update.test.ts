/** Updates of the channel's configuration: pure functions, checked on the configuration the topology gives. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { common } from '@hyperledger/fabric-protos';
import { channelConfig } from '@salus/network/config/channel-config';
import { changesOf, configUpdate } from '@salus/network/config/update/delta';
import { saysTheSame } from '@salus/network/config/update/same';
import { keepRevocations, revocationsOf, withRevocations } from '@salus/network/config/update/revocations';
import { keepStanding } from '@salus/network/config/update/standing';
import { signUpdate, updateEnvelope } from '@salus/network/config/update/signed';
import { ConfiguredChannel } from '@salus/network/embedded/channel/channel';
import { Authority } from '@salus/network/identity/authority';
import { layout } from '@salus/network/identity/layout';
import { ensureMaterial } from '@salus/network/identity/material';
import { writeLists } from '@salus/network/identity/revoked';
import { createSigner, serializedIdentity } from '@salus/network/identity/signer';
import type { PreparedState } from '@salus/network/prepare';
import type { Topology } from '@salus/network/topology';
import { prepareTestState } from '../support/embedded-network.js';

/** The fields of a message as they stand on the wire; all of ours are of one byte's tag, a number or bytes with their length. */
function wireFields(message: Uint8Array): Buffer[] {
  const bytes = Buffer.from(message);
  const fields: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const isLong = (bytes[at++]! & 7) === 2;
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      length |= (bytes[at]! & 0x7f) << shift;
      more = (bytes[at++]! & 0x80) !== 0;
    }
    if (isLong) at += length;
    fields.push(bytes.subarray(start, at));
  }
  return fields;
}

/** A field of a message with its content made another of the same length. */
function inField(field: Buffer, remake: (content: Buffer) => Buffer): Buffer {
  let start = 1;
  while ((field[start++]! & 0x80) !== 0);
  return Buffer.concat([field.subarray(0, start), remake(field.subarray(start))]);
}

/** Remakes those fields of a message that have this number, and turns the order of all of them around. */
function turned(message: Uint8Array, number: number, remake: (content: Buffer) => Buffer): Buffer {
  const fields = wireFields(message).map((field) => (field[0]! >> 3 === number ? inField(field, remake) : field));
  return Buffer.concat(fields.reverse());
}

/** A common.ConfigGroup with its fields, and the entries of its maps, in the opposite order; the values themselves stay. */
const reorderedGroup = (group: Buffer): Buffer => turned(group, 2, (entry) => turned(entry, 2, reorderedGroup));

/** The same of a common.ConfigUpdate and the groups that it writes. */
const reordered = (update: Uint8Array): Buffer => turned(update, 3, reorderedGroup);

describe('an update of the channel’s configuration', () => {
  let prepared: PreparedState;
  let present: common.ConfigGroup;
  before(async () => {
    prepared = await prepareTestState();
    present = channelConfig(prepared.topology, prepared.material);
  });
  after(() => {
    rmSync(prepared.stateDir, { recursive: true });
  });

  /** The consortium as it was before its last member joined. */
  const without = (count: number): common.ConfigGroup => {
    const { topology, material } = prepared;
    const topologyBefore: Topology = { ...topology, members: topology.members.slice(0, -count) };
    return channelConfig(topologyBefore, { ...material, members: material.members.slice(0, -count) });
  };
  const changes = (before: common.ConfigGroup, after: common.ConfigGroup) =>
    changesOf(configUpdate('health', before, after)!);

  it('says the same in whatever order it was written, and something else with anything more or less in it', () => {
    const update = configUpdate('health', without(1), present)!;
    const bytes = update.serializeBinary();
    assert.ok(saysTheSame(bytes, update));
    const other = reordered(bytes);
    assert.ok(!Buffer.from(bytes).equals(other));
    assert.ok(saysTheSame(other, update));
    assert.deepEqual(changesOf(common.ConfigUpdate.deserializeBinary(other)), changesOf(update));
    // Field 15, which nobody knows; a field given twice, of which the last one counts; less, and nothing of the kind.
    const unknown = Buffer.from([0x7a, 1, 0]);
    const first = wireFields(bytes)[0]!;
    for (const more of [
      Buffer.concat([bytes, unknown]),
      Buffer.concat([first, bytes]),
      other.subarray(0, -1),
      unknown,
    ]) {
      assert.ok(!saysTheSame(more, update));
    }
    const bent = common.ConfigUpdate.deserializeBinary(bytes);
    bent.getWriteSet()!.getGroupsMap().get('Application')!.setModPolicy('Readers');
    assert.ok(!saysTheSame(reordered(bent.serializeBinary()), update));
    bent.getWriteSet()!.getGroupsMap().get('Application')!.setModPolicy('Admins');
    assert.ok(saysTheSame(bent.serializeBinary(), update));
    bent.getIsolatedDataMap().set('type', Buffer.from('other'));
    assert.ok(!saysTheSame(bent.serializeBinary(), update));
  });

  it('is none where nothing changes', () => {
    assert.equal(configUpdate('health', present, present), undefined);
  });

  it('that adds a member names what comes, what changes and nothing else', () => {
    const member = prepared.topology.members.at(-1)!.mspId;
    assert.deepEqual(changes(without(1), present), [
      `adds /Channel/Application/${member}`,
      'changes /Channel/Application/BlockReaders',
      'changes who belongs to /Channel/Application',
    ]);
  });

  it('that removes a member keeps all others by their versions', () => {
    const update = configUpdate('health', present, without(1))!;
    const written = update.getWriteSet()!.getGroupsMap().get('Application')!;
    assert.equal(written.getVersion(), 1);
    assert.equal(written.getModPolicy(), 'Admins');
    const kept: string[] = [];
    written.getGroupsMap().forEach((group, name) => kept.push(`${name} ${group.getVersion()}`));
    const staying = prepared.topology.members.slice(0, -1);
    assert.deepEqual(kept.sort(), staying.map(({ mspId }) => `${mspId} 0`).sort());
    assert.equal(written.getPoliciesMap().get('BlockReaders')!.getVersion(), 1);
    assert.equal(written.getPoliciesMap().get('Admins')!.getVersion(), 0);
    assert.equal(update.getReadSet()!.getGroupsMap().get('Application')!.getVersion(), 0);
  });

  it('counts on from the versions it finds', () => {
    const later = common.ConfigGroup.deserializeBinary(without(1).serializeBinary());
    const application = later.getGroupsMap().get('Application')!;
    application.setVersion(4);
    application.getPoliciesMap().get('BlockReaders')!.setVersion(7);
    const update = configUpdate('health', later, present)!;
    const written = update.getWriteSet()!.getGroupsMap().get('Application')!;
    assert.equal(written.getVersion(), 5);
    assert.equal(written.getPoliciesMap().get('BlockReaders')!.getVersion(), 8);
  });

  it('that revokes changes the MSP of that member alone, which its own administrator may', async () => {
    const { authority, mspId } = stmary();
    const list = Buffer.from(await authority.revocationList(['0a0b']));
    assert.deepEqual(changes(present, withRevocations(present, mspId, [list])), [
      `changes /Channel/Application/${mspId}/MSP`,
    ]);
  });

  it('that revokes has the identity refused and no other', async () => {
    const { authority, mspId } = stmary();
    const issue = async (name: string) => {
      const issued = await authority.identity({ organisation: 'stmary', name }, 'client');
      return { ...issued, identity: serializedIdentity(mspId, issued.certificate) };
    };
    const [lost, kept] = [await issue('lost'), await issue('kept')];
    const serial = new X509Certificate(lost.certificate).serialNumber;
    const list = Buffer.from(await authority.revocationList([serial]));
    const before = new ConfiguredChannel({ channelId: 'health', block: 0, root: present });
    const root = withRevocations(present, mspId, [list]);
    const after = new ConfiguredChannel({ channelId: 'health', block: 1, root });
    assert.equal(before.identity(lost.identity).mspId, mspId);
    assert.throws(() => after.identity(lost.identity), /access denied: channel \[health\] creator org \[StmaryMSP\]/);
    assert.equal(after.identity(kept.identity).mspId, mspId);
  });

  it('of another kind leaves revoked what was', async () => {
    const { authority, mspId } = stmary();
    const list = Buffer.from(await authority.revocationList(['0a0b']));
    const revoked = withRevocations(present, mspId, [list]);
    const kept = keepRevocations(revoked, without(1));
    assert.deepEqual(
      revocationsOf(kept, mspId).map((each) => Buffer.from(each)),
      [list],
    );
    assert.throws(() => revocationsOf(kept, 'NobodyMSP'), /the channel knows no NobodyMSP; it has AcmeMSP, /);
  });

  it('that brings an organisation back brings what it has revoked, the member’s own and its orderer’s', async () => {
    const { topology, material, stateDir } = await prepareTestState();
    const lists = new Map<string, string>();
    const own = material.members.find(({ name }) => name === 'authority')!;
    for (const { dir, mspId } of [own, own.orderer!]) {
      const files = layout.authority(dir);
      const [certificate, key] = [readFileSync(files.cert, 'utf8'), readFileSync(files.key, 'utf8')];
      lists.set(mspId, await Authority.load({ certificate, key }).revocationList(['0a0b']));
      writeLists(layout.revocationLists(dir), [lists.get(mspId)!]);
    }
    const others = <T extends { readonly name: string }>(all: readonly T[]) =>
      all.filter(({ name }) => name !== 'authority');
    const gone = channelConfig(
      { ...topology, members: others(topology.members) },
      { ...material, members: others(material.members) },
    );
    const back = keepStanding(gone, channelConfig(topology, await ensureMaterial(topology, stateDir)));
    for (const [mspId, list] of lists) {
      assert.deepEqual(
        revocationsOf(back, mspId).map((each) => Buffer.from(each).toString()),
        [list],
        mspId,
      );
    }
    rmSync(stateDir, { recursive: true });
  });

  it('carries signatures over its own bytes, each by who gave it', async () => {
    const { authority, mspId } = stmary();
    const { certificate, key } = await authority.identity({ organisation: 'stmary', name: 'admin' }, 'admin');
    const signer = createSigner(mspId, certificate, key);
    const update = configUpdate('health', without(1), present)!.serializeBinary();
    const signature = signUpdate(update, signer);
    const channel = new ConfiguredChannel({ channelId: 'health', block: 0, root: present });
    const header = Buffer.from(signature.getSignatureHeader_asU8());
    const signed = {
      identity: signer.identity,
      data: Buffer.concat([header, update]),
      signature: Buffer.from(signature.getSignature_asU8()),
    };
    channel.check(`/Channel/Application/${mspId}/Admins`, [signed]);
    assert.throws(() => {
      channel.check(`/Channel/Application/${mspId}/Admins`, [{ ...signed, data: Buffer.from(update) }]);
    });
    const envelope = common.Envelope.deserializeBinary(updateEnvelope('health', update, [signature], signer));
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    const content = common.ConfigUpdateEnvelope.deserializeBinary(payload.getData_asU8());
    assert.deepEqual(Buffer.from(content.getConfigUpdate_asU8()), Buffer.from(update));
  });

  function stmary() {
    const files = layout.authority(layout.member(prepared.stateDir, 'stmary'));
    const certificate = readFileSync(files.cert, 'utf8');
    return { mspId: 'StmaryMSP', authority: Authority.load({ certificate, key: readFileSync(files.key, 'utf8') }) };
  }
});

import assert from 'node:assert/strict';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { MemberEntry } from '@salus/chaincode/registry/api';
import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';
import { Directory } from '@salus/gateway/registry/directory';
import { consortiumEntry, memberEntry } from '@salus/gateway/registry/entries';
import { REGISTRY_SPACE } from '@salus/gateway/registry/project';

import { type Hospital, newJwk, SharingWorld } from '../support/sharing-world.js';
import { composeConsent, sendConsent } from './consents.js';

const scopes = ['user/*.cruds'];
const adams: Actor = { member: 'stmary', user: 'adams', role: 'physician', purpose: 'TREAT', scopes };
const baker: Actor = { ...adams, member: 'northside', user: 'baker' };

describe('members know each other by the registry in force', () => {
  let world: SharingWorld;
  let second: Server | undefined;

  beforeEach(async () => {
    world = await SharingWorld.open();
    for (const [type, id] of [
      ['Patient', 'ann'],
      ['Observation', 'o1'],
    ] as const) {
      const text = JSON.stringify({ resourceType: type, id, subject: { reference: 'Patient/ann' } });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient: 'ann' }]);
    }
    await sendConsent(world.stmary, composeConsent('northside'));
    assert.deepEqual(await read(), ['Observation'], 'by the settings, before there is a registry');
    for (const hospital of world.hospitals.values()) {
      put(hospital, 'consortium', consortiumEntry(hospital.settings));
      for (const member of hospital.settings.members) put(hospital, `member/${member.name}`, memberEntry(member));
    }
    assert.deepEqual(await read(), ['Observation'], 'by the registry, which says the same');
  });

  afterEach(async () => {
    second?.closeAllConnections();
    second?.close();
    second = undefined;
    await world.close();
  });

  /** Puts an entry in force as one hospital sees it. */
  function put(at: Hospital, key: string, entry: object | undefined): void {
    const value = entry === undefined ? {} : { value: JSON.stringify({ hash: '', entry }) };
    at.projected.apply([{ kind: 'fact', space: REGISTRY_SPACE, key, ...value }], '');
  }

  const entryOf = (member: string): MemberEntry =>
    memberEntry(world.stmary.settings.members.find(({ name }) => name === member)!);

  /** Types that northside is shown of ann. */
  async function read(): Promise<string[]> {
    const query = new URLSearchParams({ patient: 'ann' });
    const request = { method: 'GET', path: 'Observation', query, headers: {}, actor: baker };
    const answer = await world.northside.sharing.remote.search(request, ['Observation'], 'ann');
    const entries = (answer?.resource as JsonObject).entry as { resource: { resourceType: string } }[];
    return entries.map(({ resource }) => resource.resourceType).filter((type) => type !== 'OperationOutcome');
  }

  it('a member that the registry does not have is a stranger, whatever the settings say', async () => {
    put(world.stmary, 'consortium', { kind: 'consortium', members: [{ name: 'stmary', mspId: 'StmaryMSP' }] });
    put(world.stmary, 'member/northside', undefined);
    assert.deepEqual(await read(), []);
  });

  it('a key that was replaced there proves nothing any more', async () => {
    put(world.stmary, 'member/northside', { ...entryOf('northside'), keys: [newJwk('other').public] });
    assert.deepEqual(await read(), []);
    put(world.stmary, 'member/northside', entryOf('northside'));
    assert.deepEqual(await read(), ['Observation']);
  });

  it('a gateway under a root that is not its member’s there is let in by no door', async () => {
    put(world.stmary, 'member/northside', { ...entryOf('northside'), doorRoots: ['0'.repeat(64)] });
    assert.deepEqual(await read(), []);
  });

  it('a door under a root that is not its member’s there is not asked', async () => {
    let asked = 0;
    world.stmary.server?.prependListener('request', () => (asked += 1));
    put(world.northside, 'member/stmary', { ...entryOf('stmary'), doorRoots: entryOf('northside').doorRoots });
    assert.deepEqual(await read(), []);
    assert.equal(asked, 0);
    put(world.northside, 'member/stmary', entryOf('stmary'));
    assert.deepEqual(await read(), ['Observation']);
  });

  it('a door that moved is found at its new address', async () => {
    second = await world.stmary.sharing.open(world.stmary.fhir);
    let asked = 0;
    second.prependListener('request', () => (asked += 1));
    const { port } = second.address() as AddressInfo;
    put(world.northside, 'member/stmary', { ...entryOf('stmary'), doorUrl: `https://127.0.0.1:${port}/` });
    assert.deepEqual(await read(), ['Observation']);
    assert.equal(asked, 1);
  });

  it('the clock ticks in the order that is in force there', () => {
    const { projected, settings } = world.stmary;
    const members = ['northside', 'stmary'].map((name) => ({ name, mspId: '' }));
    put(world.stmary, 'consortium', { kind: 'consortium', members });
    assert.deepEqual(new Directory(projected, settings).names, ['northside', 'stmary']);
  });
});

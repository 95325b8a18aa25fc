import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { REPLACED_BY } from '@salus/gateway/consent/rest';
import { ConsentShelf } from '@salus/gateway/consent/shelf';
import { TrustedConsents } from '@salus/gateway/consent/trusted';
import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { SharingWorld } from '../support/sharing-world.js';

const baker: Actor = { ...adams, member: 'northside', user: 'u-baker' };
const identifier = [{ system: 'urn:stmary:consents', value: 'treatment' }];
const permit: JsonObject = { ...composeConsent('northside'), identifier };
const denial: JsonObject = { ...permit, provision: { type: 'deny' } };

describe('a consent that replaces another one, at the gateways', () => {
  let world: SharingWorld;
  let pid: string;
  let old: string;
  let alarms: string[];

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
    alarms = [];
    old = await sendConsent(world.stmary, permit);
  });
  afterEach(() => world.close());

  /** Whether northside's physician is shown the patient. */
  async function isOpen(): Promise<boolean> {
    const request = { method: 'GET', path: 'Patient/ann', query: new URLSearchParams(), headers: {}, actor: baker };
    return (
      (await world.northside.sharing.remote.read(request, { type: 'Patient', id: 'ann', patient: 'ann' })) !== undefined
    );
  }

  const ids = (reading: readonly { readonly id: string }[]): readonly string[] => reading.map(({ id }) => id);

  /** What stmary's door knows of consents. */
  function trusted(): TrustedConsents {
    const { sharing, memory, projected } = world.stmary;
    return new TrustedConsents({
      ...{ member: 'stmary', mspId: 'StmaryMSP', channel: 'health', memory, facts: projected, applied: projected },
      patientKeys: sharing.patientKeys,
      shelf: new ConsentShelf(projected),
      alarm: (what) => alarms.push(what),
      now: () => new Date(world.contracts.clockMs).toISOString(),
    });
  }

  /** The readings that stmary's door decides on, each by the consents' ids; undefined = closed. */
  const atDoor = (): readonly (readonly string[])[] | undefined => trusted().toOthers(pid)?.map(ids);

  /** What two colluding members of `care` commit: what the ledger holds already, written again, or anything else. */
  function write(consentId: string, creator: string, record: object): void {
    const key = `\u0000consent\u0000${consentId}\u00001\u0000`;
    world.project(randomBytes(8).toString('hex'), creator, 'care', key, Buffer.from(JSON.stringify(record)));
  }

  const read = async (id: string): Promise<JsonObject> => {
    const stored = world.stmary.projected.current('Consent', id)!;
    const request = { path: `Consent/${id}`, query: new URLSearchParams(), headers: {}, method: 'GET', actor: adams };
    const proceed = () => Promise.resolve({ status: 200, headers: {}, resource: stored.text });
    const { resource } = await world.stmary.sharing.handlers.Consent!(request, 'read', proceed);
    return resource as JsonObject;
  };

  it('is what the door decides on; what it replaced never comes back, and says so where it is read', async () => {
    assert.equal(await isOpen(), true);
    assert.deepEqual(((await read(old)).meta as JsonObject).tag, undefined);
    const next = await sendConsent(world.stmary, denial);
    assert.equal(await isOpen(), false);
    assert.deepEqual(((await read(old)).meta as JsonObject).tag, [{ system: REPLACED_BY, code: next }]);
    assert.equal((await read(old)).status, 'active');
    await sendConsent(world.stmary, { ...denial, status: 'inactive' }, next);
    assert.equal(await isOpen(), false);
    assert.deepEqual(world.stmary.alarms, []);
    await sendConsent(world.stmary, composeConsent('northside'));
    assert.equal(await isOpen(), true);
  });

  it('closes the door at once, though the ledger does not have it yet', async () => {
    assert.equal(await isOpen(), true);
    const { memory } = world.stmary;
    world.isAway = true;
    await assert.rejects(sendConsent(world.stmary, denial), { code: 'ledger-unreachable' });
    world.isAway = false;
    assert.equal(memory.refusalOf(`consent/${old}`), '2');
    const [heard] = atDoor()?.[1] ?? [];
    assert.deepEqual(atDoor(), [[old], [heard]]);
    assert.equal(await isOpen(), false);
    const next = await sendConsent(world.stmary, denial);
    assert.deepEqual(atDoor(), [[next], [next, heard]]);
  });

  it('is not undone when somebody writes again what it replaced', async () => {
    const [first] = world.stmary.projected.facts('consent', `${pid}/${old}/`);
    const { record } = JSON.parse(first?.value ?? '') as { record: object };
    const next = await sendConsent(world.stmary, denial);
    assert.deepEqual(atDoor(), [[next]]);
    write(old, 'StmaryMSP', record);
    assert.deepEqual(atDoor(), [[next]]);
  });

  it('is not believed of two colluding members: the denial that they would have replaced stays', async () => {
    const next = await sendConsent(world.stmary, denial);
    assert.deepEqual(atDoor(), [[next]]);
    const submitter = { member: 'stmary', user: 'u-adams', role: 'physician' };
    const forged = { ...{ pid, consentId: 'forged', version: 1, status: 'active', countsAt: ['stmary'] }, submitter };
    write('forged', 'NorthsideMSP', { ...forged, consent: { ...permit, id: 'forged' }, recorded: '' });
    assert.equal(atDoor(), undefined);
    assert.deepEqual(alarms, ['foreign-consent']);
    assert.deepEqual(trusted().within(pid).map(ids), [[next]]);
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { DoorCaller } from '@salus/gateway/door/caller';
import { Directory } from '@salus/gateway/registry/directory';
import { TrustedConsents } from '@salus/gateway/consent/trusted';
import { ConsentShelf } from '@salus/gateway/consent/shelf';
import { PatientLookup } from '@salus/gateway/patient/lookup';
import type { Actor } from '@salus/gateway/ports';

import { SharingWorld } from '../support/sharing-world.js';
import { composeConsent, sendConsent } from './consents.js';

const SCOPES = ['user/*.cruds'];
const adams: Actor = { member: 'stmary', user: 'u-adams', role: 'physician', purpose: 'TREAT', scopes: SCOPES };
const ben: Actor = {
  member: 'stmary',
  user: 'p-ben',
  role: 'patient',
  purpose: 'PATRQT',
  patient: 'ben',
  scopes: ['patient/*.cruds'],
};

describe('what members and patients cannot bring about', () => {
  let world: SharingWorld;
  let permitId: string;
  let pid: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    for (const id of ['ann', 'ben']) {
      const text = JSON.stringify({ resourceType: 'Patient', id });
      await world.stmary.sharing.writer.write(adams, [{ type: 'Patient', id, expect: 0, text, patient: id }]);
    }
    permitId = await sendConsent(world.stmary, composeConsent('northside'));
    pid = world.stmary.sharing.lookup.byId('ann')!.pid;
  });
  afterEach(() => world.close());

  /** What two colluding members of `care` can commit: any value under any key. */
  function collude(key: readonly string[], value: object): void {
    const ledgerKey = `\u0000${key.join('\u0000')}\u0000`;
    world.project(
      randomBytes(8).toString('hex'),
      'NorthsideMSP',
      'care',
      ledgerKey,
      Buffer.from(JSON.stringify(value)),
    );
  }

  /** The consents stmary's door decides on, by id; undefined = closed. */
  function decidedOn(): (readonly string[])[] | undefined {
    const { sharing, memory, projected } = world.stmary;
    const ports = { member: 'stmary', mspId: 'StmaryMSP', channel: 'health', memory, patientKeys: sharing.patientKeys };
    const rest = {
      shelf: new ConsentShelf(projected),
      alarm: () => undefined,
      now: () => '2026-01-01T00:00:00Z',
    };
    const trusted = new TrustedConsents({ ...ports, ...rest, facts: projected, applied: projected });
    return trusted.toOthers(pid)?.map((reading) => reading.map(({ id }) => id));
  }

  it('a withdrawal is obeyed although an older one was told before', async () => {
    await sendConsent(world.stmary, { ...composeConsent('northside'), dateTime: '2026-01-01' }, permitId);
    const { settings, signing } = world.northside;
    const directory = new Directory(world.northside.projected, settings);
    const caller = new DoorCaller({ settings, directory, signingKey: signing, clock: () => world.contracts.clockMs });
    await caller.tell(['stmary'], { consentId: permitId, version: 2 });
    await caller.tell(['stmary'], { consentId: permitId, version: 3 });
    await caller.close();
    assert.deepEqual(decidedOn(), [[permitId], []]);
  });

  it('another hospital cannot say which patient is whose', async () => {
    const lookup = new PatientLookup(world.stmary.projected, world.stmary.keys, 'stmary');
    const request = { pid: randomBytes(32).toString('hex'), patientId: 'ann', salt: randomBytes(32).toString('hex') };
    const actor = { user: 'u-mallory', role: 'admin', purpose: 'HSYSADMIN' };
    await world.submit('northside', 'patient:register', { request, actor });
    assert.equal(lookup.byId('ann')?.pid, pid);
    const elsewhere = new PatientLookup(world.stmary.projected, world.stmary.keys, 'mercy');
    assert.equal(elsewhere.byId('ann')?.pid, pid, 'a third hospital believes the first who said it');
    collude(['patient', pid], { pid, custodians: { stmary: { patientId: 'ben' } } });
    assert.deepEqual(lookup.byPid(pid)?.custodians, { stmary: { patientId: 'ann' } });
    assert.notEqual(lookup.byId('ben')?.pid, pid);
  });

  it('another hospital cannot take a FHIR id before its patient comes', async () => {
    const { lookup, writer } = world.stmary.sharing;
    const request = { pid: randomBytes(32).toString('hex'), patientId: 'cid', salt: randomBytes(32).toString('hex') };
    const actor = { user: 'u-mallory', role: 'admin', purpose: 'HSYSADMIN' };
    await world.submit('northside', 'patient:register', { request, actor });
    assert.equal(lookup.byId('cid')?.pid, request.pid);
    const text = JSON.stringify({ resourceType: 'Patient', id: 'cid' });
    await writer.write(adams, [{ type: 'Patient', id: 'cid', expect: 0, text, patient: 'cid' }]);
    assert.deepEqual(lookup.byId('cid')?.custodians, { stmary: { patientId: 'cid' } });
    assert.notEqual(lookup.pidOf('cid'), request.pid);
  });

  it('a patient does not see the record of another who permits it to all', async () => {
    const open = { ...composeConsent('northside'), provision: { type: 'permit' } };
    await sendConsent(world.stmary, open);
    const stored = world.stmary.projected.current('Patient', 'ann')!;
    const { decision } = world.stmary.sharing;
    assert.equal(decision.permit(ben, stored), undefined);
    assert.equal(decision.permit({ ...ben, scopes: SCOPES }, stored), undefined);
    assert.ok(decision.permit({ ...ben, patient: 'ann' }, stored));
    const { remote } = world.northside.sharing;
    const request = { method: 'GET', path: 'Patient/ann', query: new URLSearchParams(), headers: {} };
    const visitor = { ...ben, member: 'northside', scopes: SCOPES };
    assert.equal(
      await remote.read({ ...request, actor: visitor }, { type: 'Patient', id: 'ann', patient: 'ann' }),
      undefined,
    );
    const doctor = { ...adams, member: 'northside' };
    assert.equal(
      (await remote.read({ ...request, actor: doctor }, { type: 'Patient', id: 'ann', patient: 'ann' }))?.status,
      200,
    );
  });

  it('nothing comes along that the access was not for', async () => {
    const { decision } = world.stmary.sharing;
    const stored = world.stmary.projected.current('Patient', 'ann')!;
    const care = composeConsent('northside') as never;
    const readings = [[{ id: permitId, version: 1, care }]];
    const shown = (types: readonly string[]) =>
      decision.disclosing({ patient: 'ann', types, readings }, () =>
        Promise.resolve(decision.permit({ ...adams, member: 'northside' }, stored)),
      );
    assert.equal(await shown(['Observation']), undefined);
    assert.ok(await shown(['Patient']));
    assert.ok(await shown([]));
  });
});

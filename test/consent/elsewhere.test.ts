import assert from 'node:assert/strict';

import type { ConsentRecord } from '@salus/chaincode/consent/api';
import { ANNOUNCED_LIFETIME_MS } from '@salus/gateway/consent/announced';
import { DoorCaller } from '@salus/gateway/door/caller';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';
import { Directory } from '@salus/gateway/registry/directory';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

const baker: Actor = { ...adams, member: 'northside', user: 'u-baker' };
const ann: Actor = {
  ...{ member: 'northside', user: 'p-ann', role: 'patient', purpose: 'PATRQT', patient: 'ann' },
  scopes: ['patient/*.cruds'],
};

describe('the end of a consent, asked for at a hospital that does not keep the record', () => {
  let world: SharingWorld;
  let pid: string;
  let consentId: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
    consentId = await sendConsent(world.stmary, composeConsent('northside'));
  });
  afterEach(() => world.close());

  async function end(
    actor = ann,
    id = consentId,
    more: object = {},
    headers: Record<string, string> = {},
  ): Promise<FhirResponse> {
    const patient = { reference: 'Patient/ann' };
    const body = JSON.stringify({ resourceType: 'Consent', id, status: 'inactive', patient, ...more });
    const request = { method: 'PUT', path: `Consent/${id}`, query: new URLSearchParams(), headers, body, actor };
    return await world.northside.sharing.handlers.Consent!(request, 'update', () => assert.fail());
  }

  async function recorded(version: number, id = consentId): Promise<ConsentRecord> {
    const call = { request: { consentId: id, version } };
    const { payload } = await world.contracts.evaluate('stmary', 'consent:read', call);
    return JSON.parse(payload) as ConsentRecord;
  }

  /** Whether northside's physician is shown the patient. */
  async function isOpen(): Promise<boolean> {
    const request = { method: 'GET', path: 'Patient/ann', query: new URLSearchParams(), headers: {}, actor: baker };
    return (
      (await world.northside.sharing.remote.read(request, { type: 'Patient', id: 'ann', patient: 'ann' })) !== undefined
    );
  }

  it("is recorded by the custodian with its wallet's signature, and names who asked", async () => {
    assert.equal(await isOpen(), true);
    const answer = await end();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.ETag, 'W/"2"');
    const record = await recorded(2);
    assert.deepEqual(record.askedBy, { member: 'northside', user: 'p-ann', role: 'patient' });
    assert.deepEqual([record.status, record.submitter.member], ['inactive', 'stmary']);
    assert.ok(record.statement);
    assert.equal(await isOpen(), false);
    assert.deepEqual(world.stmary.alarms, []);
    await assert.rejects(end(), { code: 'illegal-transition' });
  });

  it('is on the list that the patient sees at the custodian', async () => {
    await end();
    const query = new URLSearchParams({ patient: 'ann' });
    const request = { method: 'GET', path: 'AuditEvent', query, headers: {}, actor: { ...ann, member: 'stmary' } };
    const { resource } = await world.stmary.sharing.handlers.AuditEvent!(request, 'search', () => assert.fail());
    const events = (resource as { entry: { resource: JsonObject }[] }).entry.map((each) =>
      JSON.stringify(each.resource),
    );
    const found = events.filter((event) => event.includes('northside/p-ann'));
    assert.equal(found.length, 1);
    assert.match(found[0]!, new RegExp(`"action":"U".*Consent/${consentId}/_history/2`));
  });

  it("is the custodian's word where the patient has a key of the own", async () => {
    await world.stmary.sharing.patientKeys.register(adams, pid, newJwk('phone').public as never, { holder: 'patient' });
    assert.equal((await end()).status, 200);
    assert.equal((await recorded(2)).statement, undefined);
    const again = await sendConsent(world.stmary, composeConsent('northside'));
    assert.ok(again);
    assert.equal(await isOpen(), true);
    assert.deepEqual(world.stmary.alarms, []);
  });

  it('is not asked for by staff, for another patient, against If-Match, or to change the consent', async () => {
    await assert.rejects(end(baker), { code: 'unprocessable' });
    await assert.rejects(end({ ...ann, patient: 'ben' }), { code: 'scope-missing' });
    await assert.rejects(end(ann, 'unknown'), { code: 'unprocessable' });
    await assert.rejects(end(ann, consentId, { ...composeConsent('northside') }), { code: 'unprocessable' });
    await assert.rejects(end(ann, consentId, {}, { 'if-match': 'W/"7"' }), { code: 'precondition-failed' });
    assert.equal(await isOpen(), true);
  });

  it('cannot open what a consent denies: neither the patient there nor the hospital ends it', async () => {
    const denial = { ...composeConsent('northside'), provision: { type: 'deny' } };
    const denialId = await sendConsent(world.stmary, denial);
    await assert.rejects(end(ann, denialId), { code: 'unprocessable' });
    const { settings, signing, projected } = world.northside;
    const directory = new Directory(projected, settings);
    const caller = new DoorCaller({ settings, directory, signingKey: signing, clock: () => world.contracts.clockMs });
    const asker = { user: 'p-ann', role: 'patient' };
    assert.equal(
      await caller.askEnd('stmary', { consentId: denialId, version: 2, status: 'inactive', asker }),
      undefined,
    );
    await caller.close();
    assert.equal((await recorded(1, denialId)).status, 'active');
    assert.equal(await isOpen(), false);
  });

  it('is refused in force at once where the ledger does not answer, and that refusal has an end', async () => {
    const submit = world.submit.bind(world);
    world.submit = () => Promise.reject(new Error('the ledger is away'));
    assert.equal((await end()).status, 202);
    world.submit = submit;
    assert.deepEqual(world.stmary.alarms, ['withdrawal-not-recorded']);
    assert.equal(await isOpen(), false);
    await world.pass(ANNOUNCED_LIFETIME_MS, 'stmary');
    assert.equal(await isOpen(), false);
    world.contracts.clockMs += 1;
    assert.equal(await isOpen(), true);
    assert.deepEqual(world.stmary.alarms, ['withdrawal-not-recorded', 'withdrawal-overdue']);
  });

  it('is said to be unknown to a custodian that cannot be reached', async () => {
    const { server } = world.stmary;
    server!.closeAllConnections();
    await new Promise((resolve) => server!.close(resolve));
    await assert.rejects(end(), { code: 'custodian-unreachable' });
  });
});

import assert from 'node:assert/strict';
import { mock } from 'node:test';

import { MAX_REOPENING_REASON } from '@salus/gateway/consent/closure';
import type { JsonObject } from '@salus/gateway/fhir/json';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { random } from '../support/contract-world.js';
import { adams, annAt } from '../support/ann.js';
import { SharingWorld } from '../support/sharing-world.js';

const officer: Actor = { ...adams, user: 'u-olsen', role: 'privacy-officer', purpose: 'HCOMPL' };
const ann: Actor = { ...adams, user: 'p-ann', role: 'patient', purpose: 'PATRQT', patient: 'ann' };

describe('a patient closed by an alarm', () => {
  let world: SharingWorld;
  let permitId: string;
  let pid: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
    permitId = await sendConsent(world.stmary, composeConsent('northside'));
  });
  afterEach(() => world.close());

  /** What two colluding members of `care` can commit. */
  function collude(consentId: string, version = 1, more: object = {}): void {
    const about = {
      pid,
      consentId,
      version,
      status: 'active',
      countsAt: ['stmary'],
      consent: composeConsent('northside'),
    };
    const submitter = { member: 'northside', user: 'u-mallory', role: 'admin' };
    const record = { ...about, submitter, recorded: '2026-01-01T00:00:00Z', ...more };
    const key = `\u0000consent\u0000${consentId}\u0000${version}\u0000`;
    world.project(random(), 'NorthsideMSP', 'care', key, Buffer.from(JSON.stringify(record)));
  }

  async function ask(method: string, path: string, actor: Actor, values: Record<string, string> = {}) {
    const parameter = Object.entries(values).map(([name, valueString]) => ({ name, valueString }));
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const fhir = world.stmary.sharing.logged(() => assert.fail('the operation answers itself'));
    const query = new URLSearchParams();
    const response = await fhir({ method, path, query, headers: {}, actor, ...(method === 'POST' && { body }) });
    return { status: response.status, said: saidBy(response) };
  }

  function saidBy({ resource }: FhirResponse): Record<string, string> {
    const list = ((resource as JsonObject | undefined)?.parameter ?? []) as { name: string; valueString: string }[];
    return Object.fromEntries(list.map(({ name, valueString }) => [name, valueString]));
  }

  const closure = async (by = officer) => (await ask('GET', 'Patient/ann/$closure', by)).said;
  const reopen = async (findings: string, by = officer) =>
    (await ask('POST', 'Patient/ann/$reopen', by, { findings, reason: 'looked at with the auditor' })).status;

  /** Whether northside sees Ann. */
  async function isOpen(): Promise<boolean> {
    const { remote } = world.northside.sharing;
    const actor = { ...adams, member: 'northside' };
    const request = { method: 'GET', path: 'Patient/ann', query: new URLSearchParams(), headers: {}, actor };
    return (await remote.read(request, { type: 'Patient', id: 'ann', patient: 'ann' })) !== undefined;
  }

  it('is opened again by a privacy officer who looked at what was found, and the forgery counts for nothing', async () => {
    assert.deepEqual([await isOpen(), await closure()], [true, { state: 'open' }]);
    collude('forged');
    assert.equal(await isOpen(), false);
    const { findings = '', 'finding-1': first, ...rest } = await closure();
    assert.deepEqual({ ...rest, since: '' }, { state: 'closed', problem: 'foreign-consent', since: '' });
    assert.match(first ?? '', /^foreign-consent: Consent\/forged\/_history\/1, sent by NorthsideMSP$/);
    assert.equal(await reopen(findings), 200);
    assert.equal(await isOpen(), true);
    assert.deepEqual(await closure(), { state: 'open' });
    await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, permitId);
    assert.equal(await isOpen(), false);
    assert.deepEqual(world.stmary.alarms, ['foreign-consent']);
  });

  it('is opened by nobody else, and not for what came to light since', async () => {
    collude('forged');
    await isOpen();
    const { findings = '' } = await closure();
    for (const by of [adams, ann, { ...officer, role: 'auditor' }, { ...officer, role: 'admin' }]) {
      assert.equal(await reopen(findings, by), 403, by.role);
    }
    assert.equal((await ask('GET', 'Patient/ann/$closure', adams)).status, 403);
    assert.equal((await ask('GET', 'Patient/eve/$closure', officer)).status, 404);
    collude('forged-too');
    assert.equal(await reopen(findings), 409);
    for (const reason of ['', 'x'.repeat(MAX_REOPENING_REASON + 1)]) {
      assert.equal((await ask('POST', 'Patient/ann/$reopen', officer, { findings, reason })).status, 422);
    }
    assert.equal(await isOpen(), false);
    assert.equal(await reopen((await closure()).findings ?? ''), 200);
    assert.equal(await reopen(findings), 409);
    collude('forged-again');
    assert.equal(await isOpen(), false);
  });

  it('stays closed while a version that was seen is not there: a withdrawal may be among what was lost', async () => {
    const { memory, projected } = world.stmary;
    await isOpen();
    memory.sawVersion(permitId, 2, random(), 0);
    collude('forged');
    assert.equal(await isOpen(), false);
    assert.ok(projected.current('Consent', permitId));
    assert.equal(await reopen((await closure()).findings ?? ''), 409);
    assert.equal(await isOpen(), false);
  });

  it("is on the patient's list when it is opened again: by whom, when, and what was set aside", async () => {
    collude('forged');
    await isOpen();
    await reopen((await closure()).findings ?? '');
    const query = new URLSearchParams({ patient: 'ann' });
    const request = { method: 'GET', path: 'AuditEvent', query, headers: {}, actor: ann };
    const listed = await world.stmary.sharing.handlers.AuditEvent!(request, 'search', () => assert.fail());
    const text = JSON.stringify(listed.resource);
    assert.match(text, /open to other members again/);
    assert.match(text, /stmary\/u-olsen/);
    assert.match(text, /Consent\/forged\/_history\/1/);
    assert.doesNotMatch(text, /looked at with the auditor/);
    const stored = world.stmary.projected.current('Reopening', 'ann')!;
    assert.equal(world.stmary.sharing.decision.permit(officer, stored), undefined);
    assert.match(stored.text, /looked at with the auditor/);
  });

  it('is checked once while nothing changes, however much of the record is asked for', () => {
    for (let index = 0; index < 3; index += 1) collude(`forged-${index}`);
    const { sharing, projected, memory } = world.stmary;
    const stored = projected.current('Patient', 'ann')!;
    sharing.decision.permit(adams, stored);
    const looked = mock.method(memory, 'highestSeen');
    for (let index = 0; index < 100; index += 1) sharing.decision.permit(adams, stored);
    assert.equal(looked.mock.callCount(), 0);
    memory.keepWord('a word');
    sharing.decision.permit(adams, stored);
    assert.notEqual(looked.mock.callCount(), 0);
    looked.mock.restore();
  });
});

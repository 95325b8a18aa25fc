import assert from 'node:assert/strict';

import type { JsonObject } from '@salus/gateway/fhir/json';
import { ASKED_BEAT_MS } from '@salus/gateway/fhir/pace';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { SharingWorld } from '../support/sharing-world.js';

const adams: Actor = {
  member: 'stmary',
  user: 'u-adams',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
};
const baker: Actor = { ...adams, member: 'northside', user: 'u-baker' };
const ann: Actor = {
  ...adams,
  user: 'p-ann',
  role: 'patient',
  purpose: 'PATRQT',
  patient: 'ann',
  scopes: ['patient/*.rs'],
};
const officer: Actor = { ...adams, user: 'u-olsen', role: 'privacy-officer', purpose: 'HCOMPL' };

describe('the consent decision, looked at', () => {
  let world: SharingWorld;
  let consentId: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    for (const [type, id] of [
      ['Patient', 'ann'],
      ['Observation', 'hiv'],
      ['Patient', 'ben'],
    ] as const) {
      const patient = id === 'ben' ? 'ben' : 'ann';
      const text = JSON.stringify({ resourceType: type, id });
      await world.stmary.sharing.writer.write(adams, [{ type, id, expect: 0, text, patient }]);
    }
    consentId = await sendConsent(world.stmary, composeConsent('northside'));
  });
  afterEach(() => world.close());

  async function evaluate(actor: Actor, values: Record<string, string>) {
    const codes = ['role', 'purpose'];
    const parameter = Object.entries(values).map(([name, value]) => ({
      name,
      [codes.includes(name) ? 'valueCode' : 'valueString']: value,
    }));
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const fhir = world.stmary.sharing.logged(() => assert.fail('the operation answers itself'));
    const asked = { method: 'POST', path: 'Consent/$evaluate', query: new URLSearchParams(), headers: {}, body, actor };
    const response = await fhir(asked);
    return { status: response.status, said: saidBy(response) };
  }

  function saidBy({ resource }: FhirResponse): Record<string, string> {
    const list = ((resource as JsonObject).parameter ?? []) as { name: string; valueString: string }[];
    return Object.fromEntries(list.map(({ name, valueString }) => [name, valueString]));
  }

  const askNorth = async (): Promise<unknown> => {
    const query = new URLSearchParams({ patient: 'ann' });
    const asked = { method: 'GET', path: 'Observation', query, headers: {}, actor: baker };
    return await world.northside.sharing.remote.search(asked, ['Observation'], 'ann');
  };

  /** Ids of what is on Ann's list of accesses from elsewhere, newest first. */
  async function receipts(): Promise<string[]> {
    const query = new URLSearchParams({ patient: 'ann' });
    const asked = { method: 'GET', path: 'AuditEvent', query, headers: {}, actor: ann };
    const listed = await world.stmary.sharing.handlers.AuditEvent!(asked, 'search', () => assert.fail());
    const entries = (listed.resource as { entry: { resource: { id: string } }[] }).entry;
    return entries.map(({ resource }) => resource.id).filter((id) => /^[0-9a-f]{64}$/.test(id));
  }

  it('is the same when the patient has an access decided again, also after the withdrawal', async () => {
    await askNorth();
    const [permitted = ''] = await receipts();
    const replayed = async (receipt: string) => (await evaluate(ann, { receipt })).said;
    const first = await replayed(permitted);
    assert.deepEqual([first.outcome, first.recorded, first.inputs, first.result], ['permit', 'permit', ...SAME]);
    assert.equal(first.consent, `Consent/${consentId}/_history/1`);
    assert.equal(first.rule, 'provision');
    await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, consentId);
    assert.deepEqual(await replayed(permitted), first);
    world.contracts.clockMs += 1;
    await askNorth();
    const denied = (await receipts()).find((id) => id !== permitted) ?? '';
    const second = await replayed(denied);
    assert.deepEqual([second.outcome, second.recorded, second.rule], ['deny', 'deny', 'implicit/between']);
    assert.deepEqual([second.inputs, second.result], SAME);
  });

  it('tells when the ledger shows another consent than the one it was decided on', async () => {
    await askNorth();
    const [receipt = ''] = await receipts();
    const { projected } = world.stmary;
    const row = projected.facts('access')[0]!;
    const changed = JSON.parse(row.value) as { record: { consents: unknown[] } };
    changed.record.consents = [];
    projected.apply([{ kind: 'fact', space: 'access', key: row.key, value: JSON.stringify(changed) }], '');
    const { inputs, result } = (await evaluate(ann, { receipt })).said;
    assert.deepEqual([inputs, result], ['not what it was decided on', 'another']);
  });

  it('is told of a request that nobody made yet', async () => {
    const north = { member: 'northside', role: 'physician', purpose: 'TREAT' };
    const asked = async (more: object, by = ann) => (await evaluate(by, { patient: 'ann', ...north, ...more })).said;
    assert.deepEqual(await asked({}), {
      outcome: 'permit',
      rule: 'provision',
      consent: `Consent/${consentId}/_history/1`,
    });
    assert.equal((await asked({ resource: 'Observation/hiv' }, officer)).outcome, 'permit');
    assert.deepEqual(await asked({ role: 'biller', purpose: 'HPAYMT' }), { outcome: 'deny', rule: 'implicit/between' });
    assert.equal((await asked({ member: 'stmary' })).rule, 'implicit/within/physician/TREAT');
    world.stmary.memory.refuse(`patient/${world.stmary.sharing.lookup.pidOf('ann')!}`, 'foreign-consent', 'today');
    assert.deepEqual(await asked({}), { outcome: 'deny', rule: 'closed' });
  });

  it('is shown to the patient and to officers alone, and each look is on the list', async () => {
    const north = { member: 'northside', role: 'physician', purpose: 'TREAT' };
    const status = async (by: Actor, values: object) => (await evaluate(by, { ...north, ...values })).status;
    assert.equal(await status(adams, { patient: 'ann' }), 403);
    assert.equal(await status({ ...ann, patient: 'ben' }, { patient: 'ann' }), 403);
    assert.equal(await status({ ...ann, scopes: ['patient/Observation.rs'] }, { patient: 'ann' }), 403);
    assert.equal(await status(officer, { patient: 'nobody' }), 404);
    assert.equal(await status(officer, { patient: 'ann', resource: 'Patient/ben' }), 404);
    assert.equal(await status(ann, { receipt: '0'.repeat(64) }), 404);
    assert.equal(await status(ann, { role: 'biller', purpose: 'TREAT' }), 422);
    assert.equal(await status(ann, { resource: 'Observation' }), 422);
    assert.equal(await status(officer, { patient: 'ann' }), 200);
    const query = new URLSearchParams({ patient: 'ann' });
    const asked = { method: 'GET', path: 'AuditEvent', query, headers: {}, actor: ann };
    const listed = await world.stmary.sharing.handlers.AuditEvent!(asked, 'search', () => assert.fail());
    assert.match(JSON.stringify(listed.resource), /stmary\/u-olsen.*POST Consent\/\$evaluate/);
  });

  describe('by the CDS Hooks service patient-consent-consult', () => {
    const consult = async (context: object, actor: Actor = adams) => {
      const body = JSON.stringify({ hook: 'patient-consent-consult', hookInstance: 'x', context });
      const path = 'patient-consent-consult';
      const asked = { method: 'POST', path, query: new URLSearchParams(), headers: {}, body, actor };
      const { status, resource } = await world.stmary.sharing.hooks(asked);
      return { status, card: (resource as { cards?: JsonObject[] }).cards?.[0] as Card | undefined };
    };
    interface Card {
      readonly summary: string;
      readonly extension: Record<string, unknown>;
    }
    const context = {
      patientId: [{ system: 'http://stmary.example/fhir/R4/Patient', value: 'ann' }],
      actor: [{ system: 'urn:salus:member', value: 'northside' }],
      purposeOfUse: 'TREAT',
    };

    it('is permit with the consent it is based on, or deny, or that no consent speaks', async () => {
      const permitted = await consult(context);
      assert.equal(permitted.card?.summary, 'CONSENT_PERMIT');
      assert.deepEqual(permitted.card.extension.basedOn, [{ reference: `Consent/${consentId}/_history/1` }]);
      assert.equal((await consult({ ...context, purposeOfUse: 'HRESCH' })).card?.summary, 'NO_CONSENT');
      const denial = { ...composeConsent('northside'), provision: { type: 'deny' } };
      await sendConsent(world.stmary, denial);
      assert.equal((await consult({ ...context, patientId: 'ann' })).card?.summary, 'CONSENT_DENY');
    });

    it('is the same for a patient whom the asker may not see as for one who is not there', async () => {
      const hides = { resourceType: 'Consent', type: 'deny', actor: [{ reference: { identifier: ADAMS } }] };
      await sendConsent(world.stmary, { ...composeConsent('stmary'), provision: hides });
      const [hidden, absent] = [await consult(context), await consult({ ...context, patientId: 'nobody' })];
      assert.deepEqual(hidden, absent);
      assert.equal((await consult(context, officer)).card?.summary, 'CONSENT_PERMIT');
    });

    it('leaves on the beat where no consent speaks, be the patient hidden, absent or without consent', async () => {
      for (const asked of [
        { ...context, purposeOfUse: 'HRESCH' },
        { ...context, patientId: 'nobody' },
      ]) {
        const start = performance.now();
        assert.equal((await consult(asked)).card?.summary, 'NO_CONSENT');
        // Timers may fire a millisecond early.
        assert.ok(performance.now() - start > ASKED_BEAT_MS - 2);
      }
    });

    it('is found by discovery, and refuses what it cannot understand', async () => {
      const found = await world.stmary.sharing.hooks({
        ...{ method: 'GET', path: '', query: new URLSearchParams(), headers: {} },
        actor: { member: '', user: '', role: '', purpose: '', scopes: [] },
      });
      assert.match(JSON.stringify(found.resource), /"id":"patient-consent-consult"/);
      assert.equal((await consult({ ...context, actor: [] })).status, 422);
      assert.equal((await consult({ ...context, patientId: [{ system: 'urn:x', value: 'ann' }] })).status, 422);
      assert.equal((await consult(context, { ...adams, scopes: [] })).status, 403);
    });
  });
});

const SAME = ['the same', 'the same'];
const ADAMS = { system: 'urn:salus:user', value: 'u-adams' };

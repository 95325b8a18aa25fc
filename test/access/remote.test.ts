import assert from 'node:assert/strict';

import type { JsonObject } from '@salus/gateway/fhir/json';
import { Pace } from '@salus/gateway/fhir/pace';
import type { FhirRequest, FhirResponse, Interaction } from '@salus/gateway/fhir/request';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor } from '@salus/gateway/ports';

import { eventually } from '../support/eventually.js';
import { SharingWorld, type Hospital } from '../support/sharing-world.js';

const SCOPES = ['user/*.cruds'];
const adams: Actor = { member: 'stmary', user: 'u-adams', role: 'physician', purpose: 'TREAT', scopes: SCOPES };
const baker: Actor = { member: 'northside', user: 'u-baker', role: 'physician', purpose: 'TREAT', scopes: SCOPES };
const ann: Actor = {
  member: 'stmary',
  user: 'p-ann',
  role: 'patient',
  purpose: 'PATRQT',
  patient: 'ann',
  scopes: SCOPES,
};

const lab = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] };
const record: Record<string, JsonObject> = {
  'Patient/ann': { name: [{ family: 'Example' }] },
  'Observation/glucose': { category: [lab], valueQuantity: { value: 5.4 }, subject: { reference: 'Patient/ann' } },
  'Observation/pulse': { code: { text: 'pulse' }, subject: { reference: 'Patient/ann' } },
  'Condition/asthma': { subject: { reference: 'Patient/ann' } },
};

function get(actor: Actor, path: string, query = ''): FhirRequest {
  return { method: 'GET', path, query: new URLSearchParams(query), headers: {}, actor };
}

async function handled(
  hospital: Hospital,
  type: 'Consent' | 'AuditEvent',
  interaction: Interaction,
  request: FhirRequest,
): Promise<FhirResponse> {
  const proceed = (): never => assert.fail('the domain answers itself');
  return await hospital.sharing.handlers[type]!(request, interaction, proceed);
}

async function put(hospital: Hospital, actor: Actor, consent: JsonObject, id?: string): Promise<FhirResponse> {
  const body = JSON.stringify(id === undefined ? consent : { ...consent, id });
  const path = id === undefined ? 'Consent' : `Consent/${id}`;
  const request = { ...get(actor, path), method: id === undefined ? 'POST' : 'PUT', body };
  return await handled(hospital, 'Consent', id === undefined ? 'create' : 'update', request);
}

const consent = {
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Consent' }] }],
  patient: { reference: 'Patient/ann', display: 'Ann Example' },
  policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
  provision: {
    type: 'deny',
    provision: [
      {
        type: 'permit',
        actor: [
          {
            role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
            reference: { identifier: { system: 'urn:salus:member', value: 'northside' } },
          },
        ],
        purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }],
        code: [lab],
      },
    ],
  },
};

const careOf = (resource: JsonObject): JsonObject =>
  JSON.parse(
    JSON.stringify(resource, (name, value: unknown) => (name === 'display' ? undefined : value)),
  ) as JsonObject;

const resources = (response: FhirResponse | undefined): JsonObject[] =>
  ((response?.resource as JsonObject).entry as { resource: JsonObject }[]).map(({ resource }) => resource);
const names = (response: FhirResponse | undefined): string[] =>
  resources(response).map(({ resourceType, id }) => `${resourceType as string}/${(id as string | undefined) ?? ''}`);
const NOTE = 'OperationOutcome/';

describe('reading across hospitals', () => {
  let world: SharingWorld;
  const search = (query = 'patient=ann', patient = 'ann') =>
    world.northside.sharing.remote.search(get(baker, 'Observation', query), ['Observation'], patient);
  const read = (request: FhirRequest, id = 'ann') =>
    world.northside.sharing.remote.read(request, { type: 'Patient', id, patient: id });

  beforeEach(async () => {
    world = await SharingWorld.open();
    for (const [name, fields] of Object.entries(record)) {
      const [resourceType = '', id = ''] = name.split('/');
      const text = JSON.stringify({ resourceType, id, ...fields });
      await world.stmary.sharing.writer.write(adams, [{ type: resourceType, id, expect: 0, text, patient: 'ann' }]);
    }
  });
  afterEach(() => world.close());

  it('registers a patient in care before the first record, once', () => {
    assert.deepEqual(world.submitted.slice(0, 2), ['patient:register', 'ehr:write']);
    assert.equal(world.submitted.filter((each) => each === 'patient:register').length, 1);
    assert.ok(world.northside.sharing.lookup.byId('ann'));
    assert.ok(!JSON.stringify(world.northside.projected.versions).includes('Example'));
  });

  it('shows nothing without consent, and the same for a patient nobody has', async () => {
    const denied = await search();
    const before = world.submitted.length;
    const unknown = await search('patient=ann', 'nobody');
    assert.deepEqual(world.submitted.slice(before), ['access:request']);
    assert.deepEqual(denied, unknown);
    assert.deepEqual(names(denied), [NOTE]);
    assert.equal((denied?.resource as JsonObject).total, undefined);
    for (const id of ['ann', 'nobody']) {
      assert.equal(await read(get(baker, `Patient/${id}`), id), undefined);
      assert.equal(await world.northside.sharing.remote.everything(get(baker, ''), id), undefined);
    }
  });

  it('shows what the patient permitted and nothing around it', async () => {
    const granted = await put(world.stmary, ann, consent);
    assert.equal(granted.status, 201);
    assert.match(granted.headers.Location ?? '', /\/Consent\/[^/]+\/_history\/1$/);
    const found = await search();
    assert.deepEqual(names(found), ['Observation/glucose', NOTE]);
    const [glucose] = resources(found);
    assert.equal((glucose?.meta as JsonObject).source, 'urn:salus:member:stmary');
    assert.equal((found?.resource as JsonObject).total, undefined);
    assert.equal(await read(get(baker, 'Patient/ann')), undefined);
    const everything = await world.northside.sharing.remote.everything(get(baker, 'Patient/ann/$everything'), 'ann');
    assert.deepEqual(names(everything), ['Observation/glucose', NOTE]);
    await eventually(() => {
      assert.ok(world.submitted.includes('access:disclose'));
      return Promise.resolve();
    });
    assert.ok(!world.northside.projected.versions.some(({ type }) => type === 'Observation'));
  });

  it('answers on the beat of a denial where access is permitted and the door has nothing to show', async () => {
    class Heard extends Pace {
      isOnBeat = false;
      override askedInVain(): void {
        this.isOnBeat = true;
        super.askedInVain();
      }
    }
    const asked = async (type: string): Promise<[string[], boolean]> => {
      const pace = new Heard();
      const request = { ...get(baker, type, 'patient=ann'), pace };
      return [names(await world.northside.sharing.remote.search(request, [type], 'ann')), pace.isOnBeat];
    };
    assert.deepEqual(await asked('Condition'), [[NOTE], true], 'denied');
    await put(world.stmary, ann, consent);
    const before = world.submitted.length;
    assert.deepEqual(await asked('Condition'), [[NOTE], true], 'permitted, and empty');
    assert.equal(world.submitted[before], 'access:request');
    const aid = world.northside.projected.facts('access').at(-1)!.value;
    assert.match(aid, /"decision":"permit"/);
    const pace = new Heard();
    assert.equal(await read({ ...get(baker, 'Patient/ann'), pace }), undefined);
    assert.equal(pace.isOnBeat, true);
    assert.deepEqual(await asked('Observation'), [['Observation/glucose', NOTE], false]);
  });

  it('refuses from the withdrawal on', async () => {
    const granted = await put(world.stmary, ann, consent);
    const { id } = JSON.parse(granted.resource as string) as { id: string };
    assert.deepEqual(names(await search()), ['Observation/glucose', NOTE]);
    const withdrawn = await put(world.stmary, ann, { ...consent, status: 'inactive' }, id);
    assert.equal(withdrawn.headers.ETag, 'W/"2"');
    assert.deepEqual(names(await search()), [NOTE]);
  });

  it('tells every door of a version that replaces another, which permits nothing until the door has it', async () => {
    const granted = await put(world.stmary, ann, consent);
    const { id } = JSON.parse(granted.resource as string) as { id: string };
    const narrower = { ...consent, provision: { type: 'deny' } };
    const submit = world.submit.bind(world);
    let refusal: string | undefined;
    world.submit = (...call) => {
      if (call[1] === 'consent:record') refusal = world.stmary.memory.refusalOf(`consent/${id}`);
      return submit(...call);
    };
    await put(world.stmary, ann, narrower, id);
    world.submit = submit;
    assert.equal(refusal, '2');
    assert.deepEqual(names(await search()), [NOTE]);
    await put(world.stmary, ann, consent, id);
    assert.deepEqual(names(await search()), ['Observation/glucose', NOTE]);
  });

  it('takes the same consent again without a new version', async () => {
    const granted = await put(world.stmary, ann, consent);
    const { id } = JSON.parse(granted.resource as string) as { id: string };
    assert.equal((await put(world.stmary, ann, consent, id)).headers.ETag, 'W/"1"');
  });

  it('tells no door of a withdrawal that the ledger would not take', async () => {
    const granted = await put(world.stmary, ann, consent);
    const { id } = JSON.parse(granted.resource as string) as { id: string };
    const body = JSON.stringify({ ...careOf(consent), id, status: 'inactive' });
    const headers = { 'x-statement': 'e30.e30.' + 'A'.repeat(86) };
    const request = { ...get(baker, `Consent/${id}`), method: 'PUT', body, headers };
    await assert.rejects(handled(world.northside, 'Consent', 'update', request), Refusal);
    assert.equal(world.stmary.memory.refusalOf(`consent/${id}`), undefined);
    assert.deepEqual(names(await search()), ['Observation/glucose', NOTE]);
  });

  it('lists for the patient who asked, when, why, and what was decided', async () => {
    await search();
    await put(world.stmary, ann, consent);
    await search();
    const list = await handled(world.stmary, 'AuditEvent', 'search', get(ann, 'AuditEvent', 'patient=ann'));
    const events = resources(list) as unknown as {
      outcomeDesc: string;
      agent: { who: { identifier: { value: string } } }[];
      purposeOfEvent: { coding: { code: string }[] }[];
      recorded: string;
    }[];
    assert.deepEqual(events.map(({ outcomeDesc }) => outcomeDesc).sort(), ['deny', 'permit']);
    for (const { agent, purposeOfEvent, recorded } of events) {
      assert.deepEqual(
        agent.map(({ who }) => who.identifier.value),
        ['northside/u-baker', 'northside', 'stmary'],
      );
      assert.equal(purposeOfEvent[0]?.coding[0]?.code, 'TREAT');
      assert.match(recorded, /^\d{4}-/);
    }
  });

  it('shows the list to the patient and the privacy officer alone', async () => {
    await search();
    const ask = (actor: Actor) =>
      handled(world.stmary, 'AuditEvent', 'search', get(actor, 'AuditEvent', 'patient=ann'));
    const officer = { ...adams, role: 'privacy-officer', purpose: 'HOPERAT' };
    assert.equal(resources(await ask(officer)).length, 1);
    assert.equal(resources(await ask({ ...ann, patient: 'ben' })).length, 0);
    await assert.rejects(ask(adams), (error) => error instanceof Refusal && error.code === 'not-your-list');
  });

  it('keeps the words of a consent at the custodian and gives them back', async () => {
    const granted = await put(world.stmary, ann, {
      ...consent,
      text: { status: 'generated', div: '<div>canary</div>' },
    });
    const { id } = JSON.parse(granted.resource as string) as { id: string };
    const stored = world.stmary.projected.current('Consent', id);
    assert.ok(stored && !stored.text.includes('canary'));
    const proceed = () => Promise.resolve({ status: 200, headers: {}, resource: stored.text });
    const read = await world.stmary.sharing.handlers.Consent!(get(ann, `Consent/${id}`), 'read', proceed);
    assert.match(JSON.stringify(read.resource), /canary/);
    assert.equal(((read.resource as JsonObject).patient as JsonObject).display, 'Ann Example');
    assert.ok(![...world.northside.projected.facts('consent')].some(({ value }) => /canary|Ann/.test(value)));
  });

  it('takes no consent without a statement where the patient has no record', async () => {
    const refused = put(world.northside, { ...baker }, consent);
    await assert.rejects(refused, (error) => error instanceof Refusal && error.code === 'unprocessable');
    await assert.rejects(put(world.northside, baker, consent), /give the consent at a hospital that does/);
  });

  it('says what is wrong with a consent that cannot be decided on', async () => {
    const wrong = { ...consent, provision: { provision: [{ actor: [{}] }] } };
    await assert.rejects(put(world.stmary, ann, wrong), (error) => {
      const { issues } = error as { issues: { expression: string[] }[] };
      assert.deepEqual(
        issues.map(({ expression }) => expression[0]),
        ['Consent.provision.provision[0].type', 'Consent.provision.provision[0].actor[0]'],
      );
      return true;
    });
  });

  it('leaves out what does not agree with the ledger, and says so', async () => {
    await put(world.stmary, ann, consent);
    for (const [index, each] of world.stmary.projected.versions.entries()) {
      if (each.id !== 'glucose') continue;
      world.stmary.projected.versions[index] = { ...each, text: each.text.replace('"value":5.4', '"value":9.9') };
    }
    const found = await search();
    assert.deepEqual(names(found), [NOTE, NOTE]);
    assert.match(JSON.stringify(found?.resource), /did not agree with the ledger/);
    assert.deepEqual(world.northside.alarms, ['custodian-missing']);
  });

  it('says which custodian does not answer', async () => {
    await put(world.stmary, ann, consent);
    world.stmary.server?.closeAllConnections();
    await new Promise((resolve) => world.stmary.server?.close(resolve));
    assert.match(JSON.stringify((await search())?.resource), /stmary did not answer/);
  });
});

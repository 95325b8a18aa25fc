import { strict as assert } from 'node:assert';

import { idsOf, type Json, serverOfSuite } from '../support/fhir-server.js';

const to = (reference: string): Json => ({ reference });
const coded = (code: string): Json => ({ coding: [{ system: 'urn:c', code }] });
const of = { subject: to('Patient/p') };

/** One resource of each type that US Core 6.1 has a profile of, of patient p. */
const OF_PATIENT: Readonly<Record<string, Json>> = {
  AllergyIntolerance: {
    patient: to('Patient/p'),
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
    },
  },
  CarePlan: { ...of, status: 'active', intent: 'plan', category: [coded('assess-plan')] },
  CareTeam: { ...of, status: 'active' },
  Condition: { ...of, category: [coded('problem-list-item')] },
  Coverage: { status: 'active', beneficiary: to('Patient/p'), payor: [to('Organization/org')] },
  Device: { patient: to('Patient/p') },
  DiagnosticReport: {
    ...of,
    status: 'final',
    code: coded('a'),
    category: [coded('LAB')],
    effectiveDateTime: '2021-05-06',
  },
  DocumentReference: {
    ...{ ...of, status: 'current', type: coded('t'), category: [coded('clinical-note')], date: '2021-05-06T00:00:00Z' },
    content: [{ attachment: { contentType: 'text/plain' } }],
  },
  Encounter: { ...of, status: 'finished', class: { code: 'AMB' }, period: { start: '2021-05-06', end: '2021-05-07' } },
  Goal: { ...of, lifecycleStatus: 'active', description: { text: 'walk' } },
  Immunization: { status: 'completed', vaccineCode: coded('v'), patient: to('Patient/p'), occurrenceDateTime: '2021' },
  MedicationDispense: { ...of, status: 'completed', medicationCodeableConcept: coded('m') },
  MedicationRequest: { ...of, status: 'active', intent: 'order', medicationReference: to('Medication/med') },
  Observation: {
    ...of,
    status: 'final',
    code: coded('a'),
    category: [coded('laboratory')],
    effectiveDateTime: '2021-05-06',
  },
  Procedure: { ...of, status: 'completed', performedDateTime: '2021-05-06' },
  QuestionnaireResponse: { ...of, status: 'completed' },
  RelatedPerson: { patient: to('Patient/p') },
  ServiceRequest: {
    ...{ ...of, status: 'active', intent: 'order', code: coded('a'), category: [coded('imaging')] },
    authoredOn: '2021-05-06',
  },
  Specimen: { ...of, type: coded('blood') },
};

const ABOUT_NOBODY: readonly Json[] = [
  { resourceType: 'Patient', id: 'other', name: [{ family: 'Other' }] },
  { resourceType: 'Organization', id: 'org', name: 'Clinic', address: [{ city: 'Boston' }] },
  { resourceType: 'Location', id: 'loc', name: 'Ward', address: { city: 'Boston' } },
  { resourceType: 'Medication', id: 'med', code: coded('m') },
  { resourceType: 'Practitioner', id: 'doc', name: [{ family: 'House' }], identifier: [{ system: 'npi', value: '9' }] },
  {
    resourceType: 'Endpoint',
    id: 'end',
    status: 'active',
    connectionType: { code: 'x' },
    payloadType: [{ text: 'x' }],
    address: 'http://x',
  },
  {
    ...{
      resourceType: 'PractitionerRole',
      id: 'role',
      practitioner: to('Practitioner/doc'),
      specialty: [coded('cardio')],
    },
    endpoint: [to('Endpoint/end')],
  },
  {
    ...{ resourceType: 'Patient', id: 'p', gender: 'male', birthDate: '1970-03-30' },
    ...{ identifier: [{ system: 'mrn', value: '1' }], name: [{ family: 'Chalmers' }] },
  },
];

describe('US Core 6.1 server requirements', () => {
  const server = serverOfSuite();
  before(async () => {
    const own = Object.entries(OF_PATIENT).map(([resourceType, more]) =>
      JSON.stringify({ resourceType, id: 'x', ...(more as object) }),
    );
    const others = own.map((each) => each.replace('"id":"x"', '"id":"y"').replaceAll('Patient/p', 'Patient/other'));
    for (const resource of [
      ...(ABOUT_NOBODY as readonly object[]),
      ...[...own, ...others].map((each) => JSON.parse(each) as object),
    ]) {
      const { resourceType, id } = resource as { resourceType: string; id: string };
      const { status, json } = await server.ask(`PUT ${resourceType}/${id}`, { body: resource });
      assert.equal(status, 201, JSON.stringify(json));
    }
  });

  /** Each query finds these and nothing else. */
  const find = async (ids: readonly string[], ...queries: readonly string[]): Promise<void> => {
    for (const query of queries) {
      const { status, json } = await server.ask(`GET ${query}`);
      assert.deepEqual([status, idsOf(json)], [200, ids], query);
    }
  };

  it('Patient by _id, identifier, name, birthdate and name, gender and name', () =>
    find(
      ['p'],
      ...['Patient?_id=p', 'Patient?identifier=mrn|1', 'Patient?name=chalmers'],
      ...['Patient?birthdate=1970-03-30&name=chalmers', 'Patient?gender=male&name=chalmers'],
    ));

  it('every clinical type by patient', () =>
    find(['x'], ...Object.keys(OF_PATIENT).map((type) => `${type}?patient=Patient/p`)));

  it('by patient and category', () =>
    find(
      ['x'],
      ...['CarePlan?patient=p&category=assess-plan', 'Condition?patient=p&category=problem-list-item'],
      ...['DiagnosticReport?patient=p&category=LAB', 'DocumentReference?patient=p&category=clinical-note'],
      ...['Observation?patient=p&category=laboratory', 'ServiceRequest?patient=p&category=imaging'],
    ));

  it('by patient, category and date', () =>
    find(
      ['x'],
      ...[
        'DiagnosticReport?patient=p&category=LAB&date=ge2021',
        'Observation?patient=p&category=laboratory&date=ge2021',
      ],
      ...['DocumentReference?patient=p&category=clinical-note&date=2021-05-06'],
      ...['ServiceRequest?patient=p&category=imaging&authored=le2022'],
    ));

  it('by patient and code, type, date or status', () =>
    find(
      ['x'],
      ...[
        'DiagnosticReport?patient=p&code=a',
        'Observation?patient=p&code=a,b',
        'ServiceRequest?patient=p&code=urn:c|a',
      ],
      ...[
        'DocumentReference?patient=p&type=t',
        'Procedure?patient=p&date=gt2020',
        'Encounter?patient=p&date=ge2021-05-01',
      ],
      ...['CareTeam?patient=p&status=active', 'MedicationRequest?patient=p&intent=order,plan'],
      ...['MedicationRequest?patient=p&intent=order&status=active'],
    ));

  it('by _id where a client has only a reference', () =>
    find(
      ['x'],
      'DocumentReference?_id=x',
      'Encounter?_id=x',
      'RelatedPerson?_id=x',
      'ServiceRequest?_id=x',
      'Specimen?_id=x',
    ));

  it('Organization, Location, Practitioner, PractitionerRole by name, address, identifier, specialty', async () => {
    await find(['org'], 'Organization?name=clin', 'Organization?address=boston');
    await find(['loc'], 'Location?name=ward', 'Location?address=boston');
    await find(['doc'], 'Practitioner?name=house', 'Practitioner?identifier=npi|9', 'Practitioner?_id=doc');
    await find(['role'], 'PractitionerRole?specialty=cardio', 'PractitionerRole?practitioner=Practitioner/doc');
  });

  it('_include of medications, practitioners and endpoints, _revinclude of Provenance', async () => {
    const included = async (query: string): Promise<string[]> =>
      idsOf((await server.ask(`GET ${query}`)).json, 'include');
    assert.deepEqual(await included('MedicationRequest?patient=p&_include=MedicationRequest:medication'), ['med']);
    const role = 'PractitionerRole?specialty=cardio';
    assert.deepEqual(await included(`${role}&_include=PractitionerRole:practitioner`), ['doc']);
    assert.deepEqual(await included(`${role}&_include=PractitionerRole:endpoint`), ['end']);
    const agent = [{ who: to('Practitioner/doc') }];
    const provenance = {
      resourceType: 'Provenance',
      id: 'prov',
      target: [to('Encounter/x')],
      recorded: '2021-05-06T00:00:00Z',
      agent,
    };
    assert.equal((await server.ask('PUT Provenance/prov', { body: provenance })).status, 201);
    assert.deepEqual(await included('Encounter?patient=p&_revinclude=Provenance:target'), ['prov']);
  });

  it('$docref: documents of a time of care, or those that are current, newest first', async () => {
    const document = (id: string, more: Json): Json => ({
      ...{ resourceType: 'DocumentReference', id, status: 'current', subject: to('Patient/q') },
      ...{ type: { coding: [{ system: 'http://loinc.org', code: '34133-9' }] } },
      ...more,
    });
    const documents = [
      document('d1', { date: '2020-02-01T00:00:00Z', context: { period: { start: '2020-01-01', end: '2020-01-31' } } }),
      document('d2', { date: '2021-02-01T00:00:00Z', context: { period: { start: '2021-01-01' } } }),
      document('d3', { status: 'superseded', date: '2022-02-01T00:00:00Z', type: { text: 'note' } }),
    ].map((each): Json => ({ ...each, content: [{ attachment: { title: 'x' } }] }));
    await server.ask('PUT Patient/q', { body: { resourceType: 'Patient', id: 'q' } });
    for (const body of documents) {
      const { status, json } = await server.ask(`PUT DocumentReference/${body.id as string}`, { body });
      assert.equal(status, 201, JSON.stringify(json));
    }
    const found = async (query: string): Promise<string[]> => {
      const { json } = await server.ask(`GET DocumentReference/$docref?${query}`);
      return ((json.entry ?? []) as Json[]).map(({ resource }) => resource.id as string);
    };
    assert.deepEqual(await found('patient=q'), ['d2', 'd1']);
    assert.deepEqual(await found('patient=q&type=http://loinc.org|34133-9&end=2020-06-01'), ['d1']);
    assert.deepEqual(await found('patient=q&start=2020-01-15T00:00:00Z&end=2020-06-01'), ['d1']);
    assert.deepEqual(await found('patient=q&start=2020-06-01'), ['d2']);
    assert.deepEqual(await found('patient=q&start=2020-01-10'), ['d2', 'd1']);
    assert.deepEqual(await found('patient=q&type=http://loinc.org|other'), []);
    const { json: first } = await server.ask('GET DocumentReference/$docref?patient=q&_count=1');
    const next = (first.link as { relation: string; url: string }[]).find(({ relation }) => relation === 'next');
    const second = await server.ask(`GET ${next?.url.slice(next.url.indexOf('DocumentReference')) ?? ''}`);
    assert.deepEqual([idsOf(first), idsOf(second.json)], [['d2'], ['d1']]);
    const type = { coding: [{ system: 'http://loinc.org', code: '34133-9' }] };
    const parameter = [
      { name: 'patient', valueId: 'q' },
      { name: 'type', valueCodeableConcept: type },
    ];
    const body = { resourceType: 'Parameters', parameter };
    const { json } = await server.ask('POST DocumentReference/$docref', { body });
    assert.deepEqual([json.type, json.total, idsOf(json)], ['searchset', 2, ['d2', 'd1']]);
    for (const query of ['type=x', 'patient=q&on-demand=true', 'patient=q&start=x', 'patient=q&nonsense=1']) {
      assert.equal((await server.ask(`GET DocumentReference/$docref?${query}`)).status, 400, query);
    }
  });

  it('by GET and by POST', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { json } = await server.ask('POST Observation/_search', { body: 'patient=p&category=laboratory', headers });
    assert.deepEqual(idsOf(json), ['x']);
  });
});

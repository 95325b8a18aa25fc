import { strict as assert } from 'node:assert';

import { COMPARTMENTS } from '@salus/gateway/fhir/compartments';
import { generatedSearch } from '@salus/gateway/projection/generated';

import { FhirServer, idsOf, type Json } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIR search', () => {
  let server: FhirServer;
  before(async () => {
    server = new FhirServer();
    const put = (resource: Json): Promise<unknown> =>
      server.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, { body: resource });
    await put({ resourceType: 'Organization', id: 'org', name: 'Klinik' });
    await put(
      patient({
        id: 'p1',
        active: true,
        identifier: [{ system: 'urn:mrn', value: '123', type: { coding: [{ system: 'urn:t', code: 'MR' }] } }],
        managingOrganization: { reference: 'Organization/org' },
        telecom: [{ system: 'phone', value: '555' }],
      }),
    );
    await put(patient({ id: 'p2', name: [{ family: 'Muller' }], gender: 'male', birthDate: '1980' }));
    await put(patient({ id: 'p3', name: [{ text: 'Smith' }], deceasedDateTime: '2020-01-01' }));
    await put(observation('Patient/p1', { id: 'o1' }));
    await put(observation('Patient/p1', { id: 'o2', effectiveDateTime: '2021-01-02', valueQuantity: { value: 7 } }));
    await put(
      observation('Patient/p2', {
        id: 'o3',
        code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
        effectiveDateTime: undefined,
        effectivePeriod: { start: '2019-01-01', end: '2019-12-31' },
        valueQuantity: { value: 13.2, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
      }),
    );
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  const cases: [string, string[]][] = [
    ['Patient', ['p1', 'p2', 'p3']],
    ['Patient?_id=p1,p3', ['p1', 'p3']],
    ['Patient?name=mull', ['p1', 'p2']],
    ['Patient?name=müll', ['p1', 'p2']],
    ['Patient?name:exact=Müller', ['p1']],
    ['Patient?name:contains=LLE', ['p1', 'p2']],
    ['Patient?name=mull&name=zoe', ['p1']],
    ['Patient?family=muller,smith', ['p1', 'p2']],
    ['Patient?gender=male', ['p2']],
    ['Patient?gender:not=male', ['p1', 'p3']],
    ['Patient?identifier=123', ['p1']],
    ['Patient?identifier=urn:mrn|123', ['p1']],
    ['Patient?identifier=urn:mrn|', ['p1']],
    ['Patient?identifier=|123', []],
    ['Patient?identifier=urn:other|123', []],
    ['Patient?identifier:of-type=urn:t|MR|123', ['p1']],
    ['Patient?identifier:missing=true', ['p2', 'p3']],
    ['Patient?identifier:missing=false', ['p1']],
    ['Patient?active=true', ['p1']],
    ['Patient?deceased=true', ['p3']],
    ['Patient?deceased=false', ['p1', 'p2']],
    ['Patient?phone=555', ['p1']],
    ['Patient?birthdate=1970-03-30', ['p1', 'p3']],
    ['Patient?birthdate=1970', ['p1', 'p3']],
    ['Patient?birthdate=gt1970', ['p2']],
    ['Patient?birthdate=ge1970', ['p1', 'p2', 'p3']],
    ['Patient?birthdate=lt1980', ['p1', 'p3']],
    ['Patient?birthdate=ne1980', ['p1', 'p3']],
    ['Patient?birthdate=sa1979', ['p2']],
    ['Patient?birthdate=eb1980', ['p1', 'p3']],
    ['Patient?organization=Organization/org', ['p1']],
    ['Patient?organization=org', ['p1']],
    ['Patient?organization=http://fhir.test/fhir/R4/Organization/org', ['p1']],
    ['Patient?organization.name=klinik', ['p1']],
    ['Patient?_has:Observation:patient:code=718-7', ['p2']],
    ['Patient?_has:Observation:subject:code=2339-0', ['p1']],
    ['Observation?patient=p1', ['o1', 'o2']],
    ['Observation?subject=Patient/p1', ['o1', 'o2']],
    ['Observation?subject:Patient=p1', ['o1', 'o2']],
    ['Observation?code=2339-0', ['o1', 'o2']],
    ['Observation?code=http://loinc.org|2339-0&patient=p1', ['o1', 'o2']],
    ['Observation?code:text=gluc', ['o1', 'o2']],
    ['Observation?category=laboratory', ['o1', 'o2', 'o3']],
    ['Observation?date=2020-05', ['o1']],
    ['Observation?date=2020-05-17T10:30:00Z', ['o1']],
    ['Observation?date=2020-05-17T12:30:00%2B02:00', ['o1']],
    ['Observation?date=ge2020-01-01&date=lt2021', ['o1']],
    ['Observation?date=2019', ['o3']],
    ['Observation?date=2019-06', []],
    ['Observation?date=ap2019-06-15', ['o3']],
    ['Observation?value-quantity=5.4', ['o1']],
    ['Observation?value-quantity=5.4|http://unitsofmeasure.org|mg/dL', ['o1']],
    ['Observation?value-quantity=5.4||mg/dL', ['o1']],
    ['Observation?value-quantity=5', ['o1']],
    ['Observation?value-quantity=5.0', []],
    ['Observation?value-quantity=gt6', ['o2', 'o3']],
    ['Observation?value-quantity=13', ['o3']],
    ['Observation?code-value-quantity=718-7$gt10', ['o3']],
    ['Observation?code-value-quantity=2339-0$gt10', []],
    ['Observation?patient.name=muller', ['o1', 'o2', 'o3']],
    ['Observation?subject:Patient.gender=male', ['o3']],
    ['Observation?patient.organization.name=klinik', ['o1', 'o2']],
  ];
  for (const [query, expected] of cases) {
    it(`finds ${expected.join(' ') || 'nothing'} by ${query}`, async () => {
      const { json, status } = await server.ask(`GET ${query}`);
      assert.equal(status, 200, JSON.stringify(json));
      assert.deepEqual(idsOf(json), expected);
      assert.equal(json.total, expected.length);
    });
  }

  it('searches a compartment', async () => {
    assert.deepEqual(idsOf((await server.ask('GET Patient/p1/Observation?date=2020')).json), ['o1']);
    assert.deepEqual(idsOf((await server.ask('GET Patient/p2/Observation')).json), ['o3']);
    assert.equal((await server.ask('GET Patient/p1/Organization')).status, 404);
  });

  it('searches compartments of encounters and practitioners', async () => {
    await server.ask('PUT Encounter/e1', {
      body: { resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' } },
    });
    const more = { encounter: { reference: 'Encounter/e1' }, performer: [{ reference: 'Practitioner/d1' }] };
    await server.ask('PUT Observation/in', { body: observation('Patient/none', { id: 'in', ...more }) });
    assert.deepEqual(idsOf((await server.ask('GET Encounter/e1/Observation?status=final')).json), ['in']);
    assert.deepEqual(idsOf((await server.ask('GET Encounter/e1/Encounter')).json), ['e1']);
    assert.deepEqual(idsOf((await server.ask('POST Practitioner/d1/Observation/_search')).json), ['in']);
    assert.deepEqual(idsOf((await server.ask('GET Encounter/e2/Observation')).json), []);
    assert.equal((await server.ask('GET Encounter/e1/Library')).status, 404);
    await server.ask('DELETE Observation/in');
    await server.ask('DELETE Encounter/e1');
  });

  it('names in each compartment parameters that refer to what it is of', () => {
    const { parameters } = generatedSearch();
    for (const [compartment, types] of Object.entries(COMPARTMENTS)) {
      for (const [type, codes] of Object.entries(types)) {
        for (const code of codes) {
          const { kind, targets } = parameters[type]?.[code] ?? assert.fail(`${type} ${code}`);
          assert.ok(kind === 'reference' && targets?.includes(compartment) !== false, `${type} ${code} ${compartment}`);
        }
      }
    }
  });

  it('searches across types, page by page', async () => {
    const all = await server.ask('GET ?_type=Patient,Observation');
    assert.equal(all.json.total, 6);
    const found: string[] = [];
    let next: string | undefined = '?_count=2';
    while (next !== undefined) {
      const { json } = await server.ask(`GET ${next}`);
      found.push(...idsOf(json));
      const link = (json.link as { relation: string; url: string }[]).find((each) => each.relation === 'next');
      next = link?.url.replace('http://fhir.test/fhir/R4/', '');
    }
    assert.deepEqual(found.toSorted(), ['o1', 'o2', 'o3', 'org', 'p1', 'p2', 'p3']);
    assert.equal((await server.ask('GET ?_type=Patient&_id=p1')).json.total, 1);
    assert.equal((await server.ask('GET ?_type=Patient,Observation&gender=male')).status, 400);
    assert.equal((await server.ask('GET ?_type=Nothing')).status, 400);
  });

  it('keeps on every page what any of the types was filtered by, and names what any left out', async () => {
    const headers = { prefer: 'handling=lenient' };
    const asked = '?_type=Observation,Patient&gender=male&code=2339-0&_count=1';
    const found: string[] = [];
    let next: string | undefined = asked;
    while (next !== undefined) {
      const { json } = await server.ask(`GET ${next}`, { headers });
      const links = json.link as { relation: string; url: string }[];
      for (const { relation, url } of links)
        assert.match(url, /gender=male.*code=2339|code=2339.*gender=male/, relation);
      assert.equal(links[0]?.url.split('gender').length, 2);
      const outcome = (json.entry as Json[]).find(({ search }) => search.mode === 'outcome');
      assert.match(JSON.stringify(outcome), /'gender'.*'code'/);
      found.push(...idsOf({ ...json, entry: (json.entry as Json[]).filter(({ search }) => search.mode === 'match') }));
      next = links.find((each) => each.relation === 'next')?.url.replace('http://fhir.test/fhir/R4/', '');
    }
    assert.deepEqual(found.toSorted(), ['o1', 'o2', 'p2']);
  });

  it('finds the same by POST', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { json } = await server.ask('POST Observation/_search', { body: 'patient=p1&code=2339-0', headers });
    assert.deepEqual(idsOf(json), ['o1', 'o2']);
  });

  it('sorts by several keys, both ways', async () => {
    assert.deepEqual(idsOf((await server.ask('GET Observation?_sort=-date')).json), ['o2', 'o1', 'o3']);
    assert.deepEqual(idsOf((await server.ask('GET Observation?_sort=code,-date')).json), ['o2', 'o1', 'o3']);
    assert.deepEqual(idsOf((await server.ask('GET Patient?_sort=identifier')).json), ['p1', 'p2', 'p3']);
    assert.deepEqual(idsOf((await server.ask('GET Patient?_sort=-_id')).json), ['p3', 'p2', 'p1']);
  });

  it('pages in order without loss while others write', async () => {
    for (const sort of ['', '&_sort=-date', '&_sort=code']) {
      const found: string[] = [];
      let next: string | undefined = `Observation?_count=1${sort}`;
      while (next !== undefined) {
        const { json } = await server.ask(`GET ${next}`);
        found.push(...idsOf(json));
        const link = (json.link as { relation: string; url: string }[]).find((each) => each.relation === 'next');
        next = link?.url.replace('http://fhir.test/fhir/R4/', '');
        await server.ask('PUT Observation/o1', {
          body: observation('Patient/p1', { id: 'o1', note: [{ text: `${found.length}${sort}` }] }),
        });
      }
      assert.deepEqual(found.toSorted(), ['o1', 'o2', 'o3'], sort);
    }
  });

  it('counts without resources', async () => {
    const { json } = await server.ask('GET Observation?_summary=count');
    assert.equal(json.total, 3);
    assert.equal(json.entry, undefined);
    assert.equal((await server.ask('GET Observation?_count=0')).json.total, 3);
  });

  it('includes what is referred to, and what refers', async () => {
    const forward = await server.ask('GET Observation?_id=o1&_include=Observation:patient');
    assert.deepEqual(idsOf(forward.json, 'include'), ['p1']);
    const iterated = await server.ask(
      'GET Observation?_id=o1&_include=Observation:patient&_include:iterate=Patient:organization',
    );
    assert.deepEqual(idsOf(iterated.json, 'include'), ['p1', 'org']);
    const reverse = await server.ask('GET Patient?_id=p1&_revinclude=Observation:subject');
    assert.deepEqual(idsOf(reverse.json, 'include'), ['o1', 'o2']);
    assert.equal(reverse.json.total, 1);
  });

  it('shows nothing around what is hidden: no total, include, chain or reverse chain', async () => {
    server.hidden.add('Patient/p2');
    assert.equal((await server.ask('GET Patient')).json.total, 2);
    assert.equal((await server.ask('GET Patient?_summary=count')).json.total, 2);
    assert.deepEqual(
      idsOf((await server.ask('GET Observation?_id=o3&_include=Observation:patient')).json, 'include'),
      [],
    );
    assert.deepEqual(idsOf((await server.ask('GET Observation?subject:Patient.gender=male')).json), []);
    server.hidden.add('Observation/o1').add('Observation/o2');
    assert.deepEqual(idsOf((await server.ask('GET Patient?_has:Observation:patient:code=2339-0')).json), []);
    server.hidden.clear();
  });

  it('gives parts of resources, marked as such', async () => {
    const { json } = await server.ask('GET Patient?_id=p1&_elements=gender');
    const resource = json.entry[0].resource;
    assert.deepEqual(Object.keys(resource), ['resourceType', 'id', 'meta', 'gender']);
    assert.equal(resource.meta.tag[0].code, 'SUBSETTED');
    const summary = await server.ask('GET Patient/p1?_summary=true');
    assert.equal(summary.json.birthDate, '1970-03-30');
  });

  it('refuses what it does not know, and leaves it out when asked to be lenient', async () => {
    const refusals: [string, number, string][] = [
      ['Patient?nonsense=1', 400, 'unknown-parameter'],
      ['Patient?gender:exact=male', 400, 'not-supported'],
      ['Patient?birthdate=yesterday', 400, 'bad-value'],
      ['Patient?birthdate=2020-13', 400, 'bad-value'],
      ['Observation?value-quantity=x', 400, 'bad-value'],
      ['Patient?_sort=nonsense', 400, 'unknown-parameter'],
      ['Patient?_include=Patient:nonsense', 400, 'unknown-parameter'],
      ['Patient?_count=x', 400, 'bad-value'],
      ['Patient?_cursor=x', 400, 'bad-cursor'],
      ['Patient?_total=x', 400, 'bad-value'],
    ];
    for (const [query, status, code] of refusals) {
      const answer = await server.ask(`GET ${query}`);
      assert.equal(answer.status, status, query);
      assert.equal(answer.json.issue[0].details.coding[0].code, code, query);
    }
    const lenient = await server.ask('GET Patient?nonsense=1&gender=male', { headers: { prefer: 'handling=lenient' } });
    assert.deepEqual(idsOf(lenient.json), ['p2']);
    const self = lenient.json.link[0].url as string;
    assert.equal(self, 'http://fhir.test/fhir/R4/Patient?gender=male');
    assert.equal(lenient.json.entry[1].search.mode, 'outcome');
  });

  it('returns the whole record with $everything', async () => {
    const { json } = await server.ask('GET Patient/p1/$everything');
    assert.deepEqual(idsOf(json), ['p1', 'o1', 'o2']);
    assert.deepEqual(idsOf(json, 'include'), ['org']);
  });
});

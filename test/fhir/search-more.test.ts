import { strict as assert } from 'node:assert';

import { FILTER_LIMIT } from '@salus/gateway/fhir/filter-expression';

import { FhirServer, idsOf, type Json } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

const UCUM = 'http://unitsofmeasure.org';
const quantity = (value: number, code: string): Json => ({ valueQuantity: { value, unit: code, system: UCUM, code } });

describe('FHIR search by units, places, lists, value sets and filters', () => {
  let server: FhirServer;
  before(async () => {
    server = new FhirServer();
    const put = async (resource: Json): Promise<void> => {
      const { status, resource: told } = await server.ask(
        `PUT ${resource.resourceType as string}/${resource.id as string}`,
        { body: resource },
      );
      assert.equal(status, 201, JSON.stringify(told));
    };
    await put(patient({ id: 'p1', active: true }));
    await put(patient({ id: 'p2', name: [{ family: 'Muller' }], gender: 'male', birthDate: '1980-02-03' }));
    await put(patient({ id: 'p3', name: [{ family: 'O "Dea' }], gender: 'other', birthDate: '2001' }));
    await put(observation('Patient/p1', { id: 'o1', ...quantity(5.4, 'mg/dL') }));
    await put(observation('Patient/p2', { id: 'o2', ...quantity(98.6, '[degF]') }));
    const code = { coding: [{ system: 'urn:animals', code: 'dog' }] };
    const other = { coding: [{ system: 'urn:animals', code: 'pug' }] };
    const component = [{ code: other, valueQuantity: { value: 2, system: UCUM, code: 'kg' } }];
    await put(observation('Patient/p2', { id: 'o3', code, component, ...quantity(2, 'kg') }));
    const place = (id: string, latitude: number, longitude: number): Json => ({
      ...{ resourceType: 'Location', id, position: { latitude, longitude } },
    });
    await put(place('vienna', 48.2082, 16.3738));
    await put(place('bratislava', 48.1486, 17.1077));
    await put(place('fiji-east', -17, -179.9));
    const items = ['Patient/p1', 'http://fhir.test/fhir/R4/Patient/p3', 'Observation/o1'];
    const entry = items.map((reference) => ({ item: { reference } }));
    await put({
      ...{ resourceType: 'List', id: 'mine', status: 'current', mode: 'changes' },
      entry: [...entry, { deleted: true, item: { reference: 'Patient/p2' } }],
    });
    const dog = { code: 'dog', concept: [{ code: 'pug' }, { code: 'beagle' }] };
    const animals = { resourceType: 'CodeSystem', status: 'active', content: 'complete', url: 'urn:animals' };
    await put({ ...animals, id: 'animals', concept: [{ code: 'animal', concept: [dog, { code: 'cat' }] }] });
    const set = (id: string, compose: Json): Json => ({
      ...{ resourceType: 'ValueSet', id, status: 'active', url: `urn:${id}`, compose },
    });
    const loinc = { system: 'http://loinc.org', concept: [{ code: '2339-0' }] };
    await put(set('glucose', { include: [loinc] }));
    await put(set('both', { include: [{ valueSet: ['urn:glucose'] }, { system: 'urn:animals' }] }));
    await put(
      set('but', {
        include: [{ system: 'urn:animals' }],
        exclude: [{ system: 'urn:animals', concept: [{ code: 'dog' }] }],
      }),
    );
    await put(set('each', { include: [{ valueSet: ['urn:both', 'urn:glucose'] }] }));
    await put(set('round', { include: [{ valueSet: ['urn:round'] }] }));
    const ruled = (op: string): Json => ({
      include: [{ system: 'urn:animals', filter: [{ property: 'a', op, value: 'b' }] }],
    });
    await put(set('rules', ruled('regex')));
    await put(set('none', ruled('=')));
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  const cases: readonly (readonly [string, readonly string[]])[] = [
    [`Observation?value-quantity=5.4|${UCUM}|mg/dL`, ['o1']],
    [`Observation?value-quantity=0.054|${UCUM}|g/L`, ['o1']],
    [`Observation?value-quantity=gt0.055|${UCUM}|g/L`, []],
    [`Observation?value-quantity=37.0|${UCUM}|Cel`, ['o2']],
    [`Observation?value-quantity=2000.0|${UCUM}|g`, ['o3']],
    [`Observation?value-quantity=2000.0||g`, []],
    [`Observation?code-value-quantity=urn:animals|dog$2000.0|${UCUM}|g`, ['o3']],
    [`Observation?component-code-value-quantity=pug$lt2100|${UCUM}|g`, ['o3']],
    ['Location?near=48.2|16.4|10|km', ['vienna']],
    ['Location?near=48.2|16.4|60|km', ['vienna', 'bratislava']],
    ['Location?near=48.2|16.4|10', ['vienna']],
    ['Location?near=48.2|16.4', ['vienna']],
    ['Location?near=48.2|16.4|40|[mi_i]', ['vienna', 'bratislava']],
    ['Location?near=-17|179.9|30|km', ['fiji-east']],
    ['Patient?_list=mine', ['p1', 'p3']],
    ['Observation?_list=List/mine', ['o1']],
    ['Patient?_list=none', []],
    ['Observation?code:in=urn:glucose', ['o1', 'o2']],
    ['Observation?code:in=urn:both', ['o1', 'o2', 'o3']],
    ['Observation?code:in=ValueSet/glucose', ['o1', 'o2']],
    ['Observation?code:not-in=ValueSet/glucose', ['o3']],
    ['Observation?code:in=urn:each', ['o1', 'o2']],
    ['Observation?code:in=urn:but', []],
    ['Observation?code:in=urn:none', []],
    ['Observation?code:not-in=urn:none', ['o1', 'o2', 'o3']],
    ['Observation?code:not-in=urn:glucose', ['o3']],
    ['Observation?code:below=urn:animals|animal', ['o3']],
    ['Observation?code:below=urn:animals|pug', []],
    ['Observation?code:above=urn:animals|beagle', ['o3']],
    ['Patient?_filter=name eq "MULLER"', ['p1', 'p2']],
    ['Patient?_filter=name sw mull and gender eq male', ['p2']],
    ['Patient?_filter=name co "ull" and not (gender eq male)', ['p1']],
    ['Patient?_filter=name ew "ler"', ['p1', 'p2']],
    ['Patient?_filter=name eq "O \\"Dea"', ['p3']],
    ['Patient?_filter=gender eq male or gender eq other and active pr true', ['p2']],
    ['Patient?_filter=(gender eq male or gender eq other) and active pr false', ['p2', 'p3']],
    ['Patient?_filter=birthdate ge 1980-02-03', ['p2', 'p3']],
    ['Patient?_filter=gender ne male', ['p1', 'p3']],
    ['Observation?_filter=patient re Patient/p1', ['o1']],
    ['Observation?_filter=patient.gender eq male and code ne 2339-0', ['o3']],
    ['Observation?_filter=code in urn:glucose', ['o1', 'o2']],
    [`Observation?_filter=value-quantity gt 1999|${UCUM}|g`, ['o3']],
  ];
  for (const [query, expected] of cases) {
    it(`finds ${expected.join(' ') || 'nothing'} by ${query}`, async () => {
      const [type = '', text = ''] = query.split(/\?(.*)/s);
      const [name = '', value = ''] = text.split(/=(.*)/s);
      const answer = await server.ask(`GET ${type}?${name}=${encodeURIComponent(value)}`);
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      assert.deepEqual(idsOf(answer.json), expected);
    });
  }

  it('finds nothing by a list or a value set that is hidden', async () => {
    server.hidden.add('List/mine').add('ValueSet/glucose');
    assert.deepEqual(idsOf((await server.ask('GET Patient?_list=mine')).json), []);
    assert.equal((await server.ask('GET Observation?code:in=urn:glucose')).status, 400);
    assert.equal((await server.ask('GET Observation?code:in=ValueSet/glucose')).status, 400);
    server.hidden.clear();
  });

  it('refuses what it cannot apply', async () => {
    for (const [query, status] of [
      ['Location?near=91|0', 400],
      ['Location?near=1|2|3|mg', 400],
      ['Location?near=here', 400],
      ['Patient?_list=$current-allergies', 400],
      ['Patient?_contained=true', 400],
      ['Patient?_contained=both', 400],
      ['Patient?_contained=false', 200],
      ['Patient?_containedType=contained', 400],
      ['Patient?_contained=true&_containedType=container', 400],
      ['Observation?code:in=urn:unknown', 400],
      ['Observation?code:in=urn:round', 400],
      ['Observation?code:in=urn:rules', 400],
      ['Observation?code:below=urn:unknown|x', 400],
      ['Patient?_filter=name eq', 400],
      ['Patient?_filter=(name eq x', 400],
      ['Patient?_filter=name eq x y', 400],
      ['Patient?_filter=nothing eq x', 400],
      ['Patient?_filter=name gt x', 400],
      ['Patient?_filter=name eq "\\x"', 400],
      [`Patient?_filter=name eq ${'x'.repeat(FILTER_LIMIT - 8)}`, 200],
      [`Patient?_filter=name eq ${'x'.repeat(FILTER_LIMIT - 7)}`, 413],
    ] as const) {
      assert.equal((await server.ask(`GET ${query}`)).status, status, query.slice(0, 60));
    }
  });

  it('finds sampled data by the bounds of its values', async () => {
    const sampled = (data: string): Json => ({
      ...{ origin: { value: 10, unit: 'mg', system: UCUM, code: 'mg' }, period: 20, factor: 0.5, dimensions: 1 },
      data,
    });
    const observed = (more: Json): Json => ({
      ...{ resourceType: 'Observation', status: 'final', code: { text: 'sampled' } },
      ...more,
    });
    for (const [id, more] of [
      ['between', { valueSampledData: sampled('4 2 E  3') }],
      ['below', { valueSampledData: sampled('2 L') }],
      ['errors', { valueSampledData: sampled('E E') }],
      ['part', { component: [{ code: { text: 'x' }, valueSampledData: sampled('40') }] }],
    ] as const) {
      assert.equal((await server.ask(`PUT Observation/${id}`, { body: { ...observed(more), id } })).status, 201);
    }
    const found = async (search: string): Promise<string[]> =>
      idsOf((await server.ask(`GET Observation?${search}|${UCUM}|mg&_id=between,below,errors,part`)).json);
    assert.deepEqual(await found('value-quantity=gt11.5'), ['between']);
    assert.deepEqual(await found('value-quantity=gt12'), []);
    assert.deepEqual(await found('value-quantity=lt11'), ['below']);
    assert.deepEqual(await found('value-quantity=ap11.5'), ['between', 'below']);
    assert.deepEqual(await found('component-value-quantity=30'), ['part']);
    assert.deepEqual(await found('combo-value-quantity=ge11'), ['between', 'below', 'part']);
    assert.deepEqual(await found('value-quantity=ge0.0115|http://unitsofmeasure.org|g&value-quantity=lt100'), [
      'between',
    ]);
  });
});

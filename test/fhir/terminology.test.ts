import { strict as assert } from 'node:assert';

import { serverOfSuite, type Answer, type Json } from '../support/fhir-server.js';
import { ANIMALS, animals, filter, map, set } from './animals.js';

const GENDER = 'http://hl7.org/fhir/administrative-gender';

describe('FHIR terminology operations', () => {
  const server = serverOfSuite();
  before(async () => {
    const sets = [
      set('all', { include: [{ system: ANIMALS }] }),
      set('below', filter('concept', 'is-a', 'mammal')),
      set('under', filter('concept', 'descendent-of', 'mammal')),
      set('pets', filter('kind', '=', 'pet')),
      set('rule', filter('code', 'regex', '(a+)+$')),
      set('both', { include: [{ valueSet: ['http://example.org/under', 'http://example.org/pets'] }] }),
      set('but', { include: [{ system: ANIMALS }], exclude: [{ system: ANIMALS, concept: [{ code: 'fish' }] }] }),
      set('far', { include: [{ system: 'http://example.org/unknown' }] }),
      set('named', {
        include: [{ system: ANIMALS, concept: [{ code: 'dog', display: 'Good dog' }, { code: 'cat' }] }],
      }),
      set('round', { include: [{ valueSet: ['http://example.org/round'] }] }),
    ];
    for (const resource of [animals, map, ...sets] as Json[]) {
      const { status, json } = await server.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, {
        body: resource,
      });
      assert.equal(status, 201, JSON.stringify(json));
    }
  });

  async function codes(line: string): Promise<string[]> {
    const { status, json } = await server.ask(line);
    assert.equal(status, 200, `${line}: ${JSON.stringify(json)}`);
    return ((json.expansion.contains ?? []) as Json[]).map(({ code }) => code as string);
  }
  const named = ({ json }: Answer, name: string): Json => {
    const found = (json.parameter as Json[]).find((each) => each.name === name);
    return Object.entries(found ?? {}).find(([key]) => key.startsWith('value'))?.[1];
  };
  const url = (id: string): string => `url=http://example.org/${id}`;

  it('expands what a value set is composed of', async () => {
    const expected: Readonly<Record<string, readonly string[]>> = {
      all: ['mammal', 'dog', 'cat', 'mammoth', 'fish'],
      below: ['mammal', 'dog', 'cat', 'mammoth'],
      under: ['dog', 'cat', 'mammoth'],
      pets: ['dog', 'cat'],
      both: ['dog', 'cat'],
      but: ['mammal', 'dog', 'cat', 'mammoth'],
      named: ['dog', 'cat'],
    };
    for (const [id, found] of Object.entries(expected)) {
      assert.deepEqual(await codes(`GET ValueSet/$expand?${url(id)}`), found, id);
      assert.deepEqual(await codes(`GET ValueSet/${id}/$expand`), found, id);
    }
    const { json } = await server.ask('GET ValueSet/named/$expand');
    assert.deepEqual(json.expansion.contains, [
      { system: ANIMALS, code: 'dog', display: 'Good dog' },
      { system: ANIMALS, code: 'cat', display: 'Cat' },
    ]);
    const { listed } = {
      listed: await codes('GET ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender'),
    };
    assert.deepEqual(listed, ['male', 'female', 'other', 'unknown']);
  });

  it('expands by filter and by pages, and says by what', async () => {
    assert.deepEqual(await codes(`GET ValueSet/$expand?${url('all')}&filter=MAMM`), ['mammal', 'mammoth']);
    assert.deepEqual(await codes(`GET ValueSet/$expand?${url('all')}&activeOnly=true&filter=mamm`), ['mammal']);
    assert.deepEqual(await codes(`GET ValueSet/$expand?${url('all')}&offset=1&count=2`), ['dog', 'cat']);
    assert.deepEqual(await codes(`GET ValueSet/$expand?${url('all')}&offset=9`), []);
    const { json } = await server.ask(`GET ValueSet/$expand?${url('all')}&offset=1&count=0&filter=m`);
    const { total, offset, parameter, contains, identifier, timestamp } = json.expansion;
    assert.deepEqual([total, offset, contains], [2, 1, undefined]);
    assert.match(`${identifier as string} ${timestamp as string}`, /^urn:uuid:\S+ 20\d\d-.*Z$/);
    assert.deepEqual(parameter, [
      { name: 'filter', valueString: 'm' },
      { name: 'offset', valueInteger: 1 },
      { name: 'count', valueInteger: 0 },
      { name: 'activeOnly', valueBoolean: false },
    ]);
    const given = {
      resourceType: 'Parameters',
      parameter: [{ name: 'valueSet', resource: set('x', filter('kind', '=', 'pet')) }],
    };
    const posted = await server.ask('POST ValueSet/$expand', { body: given });
    assert.equal(posted.json.expansion.total, 2);
    const valid = await server.ask('POST ValueSet/$validate', { body: posted.json });
    assert.deepEqual([valid.status, valid.json.issue[0].severity], [200, 'information'], JSON.stringify(valid.json));
  });

  it('says whether a value set has a code', async () => {
    const asked = (query: string): Promise<Answer> => server.ask(`GET ValueSet/$validate-code?${query}`);
    const yes = await asked(`${url('pets')}&system=${ANIMALS}&code=dog`);
    assert.deepEqual([named(yes, 'result'), named(yes, 'display'), named(yes, 'message')], [true, 'Dog', undefined]);
    for (const [query, result] of [
      [`${url('pets')}&system=${ANIMALS}&code=fish`, false],
      [`${url('pets')}&system=urn:other&code=dog`, false],
      [`${url('pets')}&system=${ANIMALS}&code=dog&display=dOG`, true],
      [`${url('pets')}&system=${ANIMALS}&code=dog&display=Cat`, false],
      [`${url('far')}&system=http://example.org/unknown&code=x`, false],
      [`url=http://hl7.org/fhir/ValueSet/administrative-gender&system=${GENDER}&code=male`, true],
    ] as const) {
      const answer = await asked(query);
      assert.equal(named(answer, 'result'), result, query);
      assert.equal(named(answer, 'message') === undefined, result, query);
    }
    const coding = [
      { system: 'urn:other', code: 'x' },
      { system: ANIMALS, code: 'cat' },
    ];
    const body = {
      resourceType: 'Parameters',
      parameter: [{ name: 'codeableConcept', valueCodeableConcept: { coding } }],
    };
    assert.equal(named(await server.ask('POST ValueSet/pets/$validate-code', { body }), 'result'), true);
  });

  it('says whether a code system has a code', async () => {
    for (const [query, result] of [
      [`CodeSystem/$validate-code?url=${ANIMALS}&code=mammoth`, true],
      [`CodeSystem/$validate-code?url=${ANIMALS}&code=unicorn`, false],
      [`CodeSystem/animals/$validate-code?code=dog&display=Dog`, true],
      [`CodeSystem/$validate-code?url=${GENDER}&code=male&version=4.0.1`, true],
    ] as const) {
      assert.equal(named(await server.ask(`GET ${query}`), 'result'), result, query);
    }
    const valueCoding = { system: ANIMALS, code: 'cat' };
    const body = { resourceType: 'Parameters', parameter: [{ name: 'coding', valueCoding }] };
    assert.equal(named(await server.ask('POST CodeSystem/$validate-code', { body }), 'result'), true);
  });

  it('says how two codes stand to each other', async () => {
    const asked = async (query: string): Promise<Json> => named(await server.ask(`GET ${query}`), 'outcome');
    for (const [a, b, outcome] of [
      ['mammal', 'dog', 'subsumes'],
      ['dog', 'mammal', 'subsumed-by'],
      ['dog', 'dog', 'equivalent'],
      ['dog', 'cat', 'not-subsumed'],
    ] as const) {
      assert.equal(await asked(`CodeSystem/$subsumes?system=${ANIMALS}&codeA=${a}&codeB=${b}`), outcome);
      assert.equal(await asked(`CodeSystem/animals/$subsumes?codeA=${a}&codeB=${b}`), outcome);
    }
    const coding = (name: string, code: string): Json => ({ name, valueCoding: { system: ANIMALS, code } });
    const body = { resourceType: 'Parameters', parameter: [coding('codingA', 'mammal'), coding('codingB', 'cat')] };
    assert.equal(named(await server.ask('POST CodeSystem/$subsumes', { body }), 'outcome'), 'subsumes');
    const parts = { ...animals, id: 'parts', url: 'http://example.org/parts', hierarchyMeaning: 'part-of' };
    await server.ask('PUT CodeSystem/parts', { body: parts });
    for (const [query, status] of [
      [`system=${ANIMALS}&codeA=dog`, 400],
      ['codeA=dog&codeB=cat', 400],
      [`system=${ANIMALS}&codeA=dog&codeB=unicorn`, 404],
      [`system=${ANIMALS}&codeA=unicorn&codeB=dog`, 404],
      ['system=urn:none&codeA=dog&codeB=cat', 404],
      ['system=http://example.org/parts&codeA=mammal&codeB=dog', 400],
      [`system=${ANIMALS}&codeA=dog&codeB=cat&nonsense=1`, 400],
    ] as const) {
      assert.equal((await server.ask(`GET CodeSystem/$subsumes?${query}`)).status, status, query);
    }
    const other = { resourceType: 'Parameters', parameter: [coding('codingA', 'dog'), coding('codingB', 'cat')] };
    other.parameter[1].valueCoding.system = GENDER;
    assert.equal((await server.ask('POST CodeSystem/$subsumes', { body: other })).status, 400);
  });

  it('looks a code up', async () => {
    const answer = await server.ask(`GET CodeSystem/$lookup?system=${ANIMALS}&code=dog`);
    assert.deepEqual(
      ['name', 'version', 'display'].map((name): unknown => named(answer, name)),
      ['Animals', '2', 'Dog'],
    );
    const of = ({ json }: Answer, name: string): Json[] =>
      (json.parameter as Json[]).filter((each) => each.name === name);
    assert.deepEqual(of(answer, 'designation'), [
      {
        name: 'designation',
        part: [
          { name: 'language', valueCode: 'de' },
          { name: 'value', valueString: 'Hund' },
        ],
      },
    ]);
    const properties = (found: Answer): unknown[] =>
      of(found, 'property').map(
        ({ part: [code, value] }) =>
          [code.valueCode, value.valueCode ?? value.valueString ?? value.valueBoolean] as unknown,
      );
    assert.deepEqual(properties(answer), [
      ['parent', 'mammal'],
      ['kind', 'pet'],
    ]);
    const above = await server.ask(
      `GET CodeSystem/$lookup?system=${ANIMALS}&code=mammal&property=child&property=definition`,
    );
    assert.deepEqual(properties(above), [
      ['definition', 'Warm and furred'],
      ['child', 'dog'],
      ['child', 'cat'],
      ['child', 'mammoth'],
    ]);
    assert.equal(named(await server.ask(`GET CodeSystem/$lookup?system=${GENDER}&code=male`), 'display'), 'Male');
  });

  it('translates, both ways', async () => {
    const asked = (query: string): Promise<Answer> => server.ask(`GET ConceptMap/$translate?${url('map')}&${query}`);
    const first = async (query: string): Promise<unknown> => {
      const answer = await asked(query);
      const match = (answer.json.parameter as Json[]).find(({ name }) => name === 'match');
      const [equivalence, concept] = (match?.part ?? []) as Json[];
      return [named(answer, 'result'), equivalence?.valueCode, concept?.valueCoding?.code];
    };
    assert.deepEqual(await first(`system=${ANIMALS}&code=dog`), [true, 'wider', 'D']);
    assert.deepEqual(await first('system=urn:zoo&code=D&reverse=true'), [true, 'narrower', 'dog']);
    assert.deepEqual(await first(`system=${ANIMALS}&code=fish`), [false, 'unmatched', undefined]);
    assert.deepEqual(await first(`system=${ANIMALS}&code=cat`), [true, 'inexact', 'other']);
    assert.deepEqual(await first(`system=${ANIMALS}&code=dog&targetsystem=urn:else`), [false, undefined, undefined]);
    assert.deepEqual(await first('system=urn:other&code=dog'), [false, undefined, undefined]);
    assert.equal((await server.ask(`GET ConceptMap/map/$translate?system=${ANIMALS}&code=dog`)).status, 200);
  });

  it('refuses what it does not know, and shows nobody what they may not see', async () => {
    for (const [line, status] of [
      ['ValueSet/$expand', 400],
      ['ValueSet/$expand?url=urn:none', 404],
      [`ValueSet/$expand?${url('all')}|9`, 404],
      ['ValueSet/none/$expand', 404],
      [`ValueSet/$expand?${url('far')}`, 400],
      [`ValueSet/$expand?${url('rule')}`, 400],
      [`ValueSet/$expand?${url('round')}`, 400],
      [`ValueSet/$expand?${url('all')}&count=-1`, 400],
      [`ValueSet/$expand?${url('all')}&activeOnly=x`, 400],
      [`ValueSet/$expand?${url('all')}&nonsense=1`, 400],
      [`ValueSet/$validate-code?${url('all')}`, 400],
      [`ValueSet/$validate-code?${url('all')}&code=dog`, 400],
      ['CodeSystem/$lookup?code=dog', 400],
      ['CodeSystem/$lookup?system=urn:none&code=dog', 404],
      [`CodeSystem/$lookup?system=${ANIMALS}&code=unicorn`, 404],
      [`CodeSystem/$lookup?system=${ANIMALS}&code=dog&version=1`, 404],
      [`CodeSystem/$validate-code?code=dog`, 400],
      ['ConceptMap/$translate?url=urn:none&system=x&code=y', 404],
    ] as const) {
      const answer = await server.ask(`GET ${line}`);
      assert.deepEqual([answer.status, answer.json.resourceType], [status, 'OperationOutcome'], line);
    }
    for (const parameter of [
      null,
      {},
      [null],
      [5],
      [{ name: 'coding', valueCoding: 5 }],
      [
        { name: 'url', valueUri: {} },
        { name: 'code', valueCode: 'x' },
      ],
    ]) {
      const answer = await server.ask('POST ValueSet/$validate-code', {
        body: { resourceType: 'Parameters', parameter },
      });
      assert.equal(answer.status, 400, JSON.stringify(parameter));
    }
    for (const resource of [
      null,
      5,
      { resourceType: 'Patient' },
      { ...set('x', 5) },
      { ...set('x', { include: {} }) },
    ]) {
      const parameter = [{ name: 'valueSet', resource }];
      const { status } = await server.ask('POST ValueSet/$expand', { body: { resourceType: 'Parameters', parameter } });
      assert.equal(status, 400, JSON.stringify(resource));
    }
    server.hidden.add('ValueSet/pets');
    assert.equal((await server.ask(`GET ValueSet/$expand?${url('pets')}`)).status, 404);
    assert.equal((await server.ask('GET ValueSet/pets/$expand')).status, 404);
    server.hidden.clear();
  });
});

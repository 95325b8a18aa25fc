import { strict as assert } from 'node:assert';

import { PATCH_LIMIT } from '@salus/gateway/fhir/patch';

import { type Answer, type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

describe('FHIRPath Patch', () => {
  const server = serverOfSuite();
  beforeEach(async () => {
    const contact = [{ name: { text: 'One' } }, { name: { text: 'Two' }, gender: 'male' }];
    await server.ask('PUT Patient/p', { body: patient({ id: 'p', contact }) });
  });

  const operation = (type: string, path: string, ...more: object[]): object => ({
    name: 'operation',
    part: [{ name: 'type', valueCode: type }, { name: 'path', valueString: path }, ...more],
  });
  const patch = (name: string, ...parameter: object[]): Promise<Answer> =>
    server.ask(`PATCH ${name}`, { body: { resourceType: 'Parameters', parameter } });
  const name = (valueString: string): object => ({ name: 'name', valueString });
  const value = (more: object): object => ({ name: 'value', ...more });
  const number = (named: string, valueInteger: number): object => ({ name: named, valueInteger });

  interface Case {
    readonly does: string;
    readonly by: object;
    readonly at: (patched: Json) => unknown;
    readonly is: unknown;
  }
  const organization = { reference: 'Organization/o' };
  const given = (patched: Json): unknown => patched.name[0].given as unknown;
  const cases: readonly Case[] = [
    {
      ...{ does: 'add an element', at: (p) => p.active as unknown, is: true },
      by: operation('add', 'Patient', name('active'), value({ valueBoolean: true })),
    },
    {
      ...{ does: 'add to a list', at: given, is: ['Zoë', 'Ann', 'X'] },
      by: operation('add', 'Patient.name[0]', name('given'), value({ valueString: 'X' })),
    },
    {
      ...{ does: 'add what is put together of parts', at: (p) => p.contact[2] as unknown, is: { organization } },
      by: operation(
        'add',
        'Patient',
        name('contact'),
        value({ part: [{ name: 'organization', valueReference: organization }] }),
      ),
    },
    {
      ...{ does: 'add a choice', at: (p) => p.deceasedBoolean as unknown, is: false },
      by: operation('add', 'Patient', name('deceased'), value({ valueBoolean: false })),
    },
    {
      ...{ does: 'insert', at: given, is: ['Zoë', 'X', 'Ann'] },
      by: operation('insert', 'Patient.name[0].given', number('index', 1), value({ valueString: 'X' })),
    },
    {
      ...{ does: 'delete', at: (p) => p.birthDate as unknown, is: undefined },
      by: operation('delete', 'Patient.birthDate'),
    },
    {
      ...{ does: 'delete an item', at: given, is: ['Ann'] },
      by: operation('delete', 'Patient.name[0].given[0]'),
    },
    {
      ...{ does: 'delete by a condition', at: (p) => p.contact as unknown, is: [{ name: { text: 'One' } }] },
      by: operation('delete', "Patient.contact.where(gender = 'male')"),
    },
    {
      ...{ does: 'delete nothing', at: (p) => p.gender as unknown, is: 'female' },
      by: operation('delete', 'Patient.photo'),
    },
    {
      ...{ does: 'replace', at: (p) => p.gender as unknown, is: 'male' },
      by: operation('replace', 'Patient.gender', value({ valueCode: 'male' })),
    },
    {
      ...{ does: 'replace by a condition', at: (p) => p.contact[1].name.text as unknown, is: 'New' },
      by: operation('replace', "Patient.contact.where(gender = 'male').name.text", value({ valueString: 'New' })),
    },
    {
      ...{ does: 'move', at: given, is: ['Ann', 'Zoë'] },
      by: operation('move', 'Patient.name[0].given', number('source', 0), number('destination', 1)),
    },
  ];
  for (const { does, by, at, is } of cases) {
    it(`can ${does}`, async () => {
      const answer = await patch('Patient/p', by);
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      assert.deepEqual(at(answer.json), is);
    });
  }

  it('replaces a choice by another type, keeping decimals it does not touch', async () => {
    const body = JSON.stringify(observation('Patient/p', { id: 'o' }));
    await server.ask('PUT Observation/o', { body: body.replace('5.4', '5.40') });
    const amended = operation('replace', 'Observation.status', value({ valueCode: 'amended' }));
    assert.match((await patch('Observation/o', amended)).resource as string, /"value":5\.40,/);
    const low = operation('replace', 'Observation.value', value({ valueString: 'low' }));
    const { json } = await patch('Observation/o', low);
    assert.deepEqual([json.valueString, json.valueQuantity], ['low', undefined]);
  });

  it('applies all or nothing, and refuses what does not fit', async () => {
    const good = operation('add', 'Patient', name('active'), value({ valueBoolean: true }));
    const refused = [
      operation('fly', 'Patient'),
      operation('add', 'Patient', name('nonsense'), value({ valueString: 'x' })),
      operation('add', 'Patient', name('gender'), value({ valueCode: 'male' })),
      operation('add', 'Patient.contact', name('gender'), value({ valueCode: 'male' })),
      operation('add', 'Patient', name('active')),
      operation('replace', 'Patient.photo', value({ valueString: 'x' })),
      operation('replace', 'Patient.id', value({ valueString: 'x' })),
      operation('delete', 'Patient.contact'),
      operation('delete', 'Patient.('),
      operation('delete', `Patient.${'x'.repeat(1_000)}`),
      operation('move', 'Patient.name[0].given', number('source', 0), number('destination', 2)),
      operation('insert', 'Patient.gender', number('index', 0), value({ valueCode: 'male' })),
      operation('replace', 'Patient.gender', value({ valueCode: 'none of these' })),
    ];
    for (const change of refused) {
      assert.equal((await patch('Patient/p', good, change)).status, 422, JSON.stringify(change).slice(0, 120));
    }
    assert.equal((await server.ask('GET Patient/p')).json.active, undefined);
    assert.equal((await patch('Patient/none', good)).status, 404);
    const nothing = operation('delete', 'Patient.photo');
    assert.equal((await patch('Patient/p', ...Array<object>(PATCH_LIMIT + 1).fill(nothing))).status, 413);
  });
});

import assert from 'node:assert/strict';

import { COMPARED_CHARACTERS, likeness, traitsOf } from '@salus/gateway/fhir/likeness';
import { MATCH_LIMIT } from '@salus/gateway/fhir/match';

import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';

const ada = {
  resourceType: 'Patient',
  identifier: [{ system: 'urn:oid:1.2.3', value: '943-476-5919' }],
  name: [{ family: "O'Brien-Müller", given: ['Ada', 'Rose'] }],
  gender: 'female',
  birthDate: '1971-03-14',
  telecom: [{ system: 'email', value: 'ada@example.org' }],
  address: [{ postalCode: '02139' }],
};
const named = { name: ada.name, birthDate: ada.birthDate };
const grade = (asked: object, kept: object = ada): string =>
  likeness(traitsOf({ ...asked }), traitsOf({ ...kept })).grade;

describe('how likely two patients are one', () => {
  it('is certain with identifier, name and birth date, or with name, birth date and where one lives', () => {
    assert.equal(grade(ada), 'certain');
    assert.equal(grade({ ...named, identifier: ada.identifier }), 'certain');
    assert.equal(grade({ ...named, address: ada.address }), 'certain');
    assert.equal(
      grade({ ...named, telecom: ada.telecom, name: [{ family: 'OBRIEN MULLER', given: ['ada'] }] }),
      'certain',
    );
  });

  it('is never certain by a name and a birth date, an identifier alone, or with something against it', () => {
    assert.equal(grade(named), 'probable');
    assert.equal(grade({ identifier: ada.identifier }), 'probable');
    assert.equal(grade({ ...ada, gender: 'male' }), 'probable');
    assert.notEqual(grade({ ...ada, birthDate: '1950-01-01' }), 'certain');
  });

  it('forgives a slip of the pen, and tells twins and strangers apart', () => {
    assert.equal(grade({ name: [{ family: "O'Brian-Muller", given: ['Ada'] }], birthDate: '1971-03-41' }), 'probable');
    assert.equal(grade({ name: ada.name }), 'possible');
    const twin = { ...named, name: [{ family: "O'Brien-Müller", given: ['Clementine'] }] };
    assert.notEqual(grade(twin), 'certain');
    assert.equal(grade({ name: [{ family: 'Ng', given: ['Wei'] }], birthDate: '1988-11-02' }), 'certainly-not');
    assert.equal(grade({ gender: 'female' }), 'certainly-not');
  });

  it('compares the start of a name that is longer than names are', () => {
    const [start, birthDate] = ['x'.repeat(COMPARED_CHARACTERS), ada.birthDate];
    const long = (family: string) => ({ name: [{ family, given: ['Ada'] }], birthDate });
    assert.equal(grade(long(`${start}a`), long(`${start}b`)), grade(long(start), long(start)));
    assert.notEqual(grade(long(`a${'\u0301'.repeat(1_000_000)}`)), 'certain');
  });

  it('takes an identifier of one system for none of another', () => {
    assert.notEqual(grade({ identifier: [{ system: 'urn:other', value: '943-476-5919' }] }), 'probable');
  });
});

describe('Patient/$match', () => {
  let network: TestNetwork;
  let id: string;

  before(async () => {
    network = await startNetwork();
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const made = await network.ask('stmary', 'Patient', { token, body: ada });
    id = String(made.body.id);
    const identifier = [{ system: 'urn:oid:1.2.3', value: '7' }];
    const other = { resourceType: 'Patient', ...named, gender: ada.gender, identifier };
    assert.equal((await network.ask('stmary', 'Patient', { token, body: other })).status, 201);
  });
  after(() => network.stop());

  async function match(resource: object, more: readonly object[] = [], wish: object = {}): Promise<Answer> {
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician', ...wish });
    const body = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }, ...more] };
    return await network.ask('stmary', 'Patient/$match', { token, body });
  }
  interface Entry {
    readonly resource?: { readonly id?: string };
    readonly search?: {
      readonly mode: string;
      readonly score: number;
      readonly extension: readonly { readonly valueCode: string }[];
    };
  }
  const shown = ({ body }: Answer): unknown[] =>
    ((body.entry ?? []) as readonly Entry[])
      .filter(({ search }) => search?.mode === 'match')
      .map(({ resource, search }) => [resource?.id, search?.extension[0]?.valueCode]);

  it('grades candidates, best first, each with its score', async () => {
    const answer = await match({ ...ada, telecom: [] });
    assert.equal(answer.status, 200, answer.text);
    const [best, second] = (answer.body.entry ?? []) as readonly Entry[];
    assert.deepEqual(shown(answer)[0], [id, 'certain']);
    assert.ok(best!.search!.score > second!.search!.score);
    assert.equal(answer.body.total, 2);
    assert.match(answer.text, /StructureDefinition\/match-grade/);
    assert.equal(shown(await match({ ...ada }, [{ name: 'count', valueInteger: 1 }])).length, 1);
  });

  it('shows the one that is certain, or none, when asked for certain matches only', async () => {
    const only = [{ name: 'onlyCertainMatches', valueBoolean: true }];
    assert.deepEqual(shown(await match(ada, only)), [[id, 'certain']]);
    assert.deepEqual(shown(await match({ resourceType: 'Patient', ...named }, only)), []);
  });

  it('refuses what nothing can be found by', async () => {
    assert.equal((await match({ resourceType: 'Patient', gender: 'female' })).status, 422);
    assert.equal((await match({ resourceType: 'Observation' })).status, 400);
    assert.equal((await match(ada, [{ name: 'count', valueInteger: 0 }])).status, 400);
  });

  it('shows nobody whom the asker may not see, and is on the read log', async () => {
    const wish = { user: 'p-1', role: 'patient', patient: 'somebody-else' };
    assert.deepEqual(shown(await match(ada, [], wish)), []);
    assert.equal((await match(ada, [], { scope: 'user/Observation.rs' })).status, 403);
    const token = await network.token({ member: 'stmary', user: 'o', role: 'privacy-officer' });
    const list = await network.ask('stmary', `AuditEvent?patient=${id}`, { token });
    assert.match(list.text, /Patient\/\$match/);
  });

  it('is listed in /metadata, and asked a limited number of times a minute', async () => {
    const metadata = await network.ask('stmary', 'metadata');
    assert.match(metadata.text, /OperationDefinition\/Patient-match/);
    const asked = { resourceType: 'Patient', birthDate: '1901-01-01' };
    const statuses: number[] = [];
    for (let count = 0; count <= MATCH_LIMIT; count += 1)
      statuses.push((await match(asked, [], { user: 'dr-curious' })).status);
    assert.deepEqual([...new Set(statuses.slice(0, -1)), statuses.at(-1)], [200, 429]);
  });
});

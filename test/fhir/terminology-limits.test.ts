import { strict as assert } from 'node:assert';

import { EXPANSION_DEPTH, EXPANSION_LIMIT } from '@salus/gateway/projection/search/code-set';
import { EXPANSION_WORK } from '@salus/gateway/projection/search/vocabulary';

import { serverOfSuite, type Answer, type Json } from '../support/fhir-server.js';
import { ANIMALS, animals, set } from './animals.js';

const MANY = 'urn:many';
const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const codes = (count: number): Json[] => times(count, (at) => ({ code: `c${at}` }));
const same = (count: number, more: object = {}): Json[] => times(count, () => ({ ...more, code: 'c' }));

describe('the limits of terminology operations', () => {
  const server = serverOfSuite();
  const store = async (resource: Json): Promise<void> => {
    const { status, json } = await server.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, {
      body: resource,
    });
    assert.equal(status, 201, JSON.stringify(json).slice(0, 300));
  };
  before(async () => {
    await store(animals);
    await store(set('again', { include: [{ system: MANY, concept: same(3_000) }] }));
    await store({
      ...set('told', undefined),
      expansion: {
        timestamp: '2026-01-01T00:00:00Z',
        contains: same(3_000, { system: MANY }),
      },
    });
  });

  const expand = (resource: Json): Promise<Answer> => {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource }] };
    return server.ask('POST ValueSet/$expand', { body });
  };
  const requireTooCostly = ({ status, json }: Answer): void => {
    assert.deepEqual([status, json.issue?.[0].code], [413, 'too-costly'], JSON.stringify(json).slice(0, 300));
  };

  it('expands no more codes than the limit', async () => {
    const asked = (count: number): Promise<Answer> =>
      expand(set('x', { include: [{ system: MANY, concept: codes(count) }] }));
    assert.equal((await asked(EXPANSION_LIMIT)).json.expansion.total, EXPANSION_LIMIT);
    requireTooCostly(await asked(EXPANSION_LIMIT + 1));
  });

  it('takes no more steps than the limit', async () => {
    // An include of the animals is 2 steps; each of its 5 codes is compared (2), taken, and included.
    const asked = (count: number): Promise<Answer> =>
      expand(set('x', { include: times(count, () => ({ system: ANIMALS })) }));
    const most = Math.floor(EXPANSION_WORK / 22);
    assert.equal((await asked(most - 10)).json.expansion.total, 5);
    requireTooCostly(await asked(most + 1));
  }).timeout(60_000);

  it('counts every code that is left out, and does not go through all the others for it', async () => {
    const asked = (parts: number, named: number): Promise<Answer> => {
      const exclude = times(parts, () => ({ system: MANY, concept: codes(named) }));
      return expand(set('x', { include: [{ system: MANY, concept: codes(EXPANSION_LIMIT) }], exclude }));
    };
    assert.equal((await asked(1, 15_000)).json.expansion.total, 5_000);
    assert.equal((await asked(500, 2)).json.expansion.total, EXPANSION_LIMIT - 2);
    const few = { include: [{ system: MANY, concept: codes(5) }] };
    requireTooCostly(
      await expand(set('x', { ...few, exclude: times(100_000, () => ({ system: MANY, concept: codes(1) })) })),
    );
  }).timeout(60_000);

  it('counts codes that are named again', async () => {
    for (const id of ['again', 'told']) {
      const asked = (count: number): Promise<Answer> =>
        expand(set('x', { include: times(count, () => ({ valueSet: [`http://example.org/${id}`] })) }));
      assert.equal((await asked(10)).json.expansion?.total, 1, id);
      requireTooCostly(await asked(200));
    }
  });

  it('counts each of the value sets that hold together', async () => {
    const valueSet = times(200, () => 'http://example.org/again');
    requireTooCostly(await expand(set('x', { include: [{ valueSet }] })));
    await store(set('wide', { include: [{ valueSet }] }));
    requireTooCostly(await server.ask('GET Observation?code:in=http://example.org/wide'));
    await store(set('half', { include: [{ valueSet: valueSet.slice(0, 40) }] }));
    const half = 'http://example.org/half';
    assert.equal((await server.ask(`GET Observation?code:in=${half}`)).status, 200);
    requireTooCostly(await server.ask(`GET Observation?code:in=${half},${half}&category:in=${half},${half}`));
  });

  it('goes no deeper into value sets than the limit', async () => {
    await store(set('deep0', { include: [{ system: MANY, concept: codes(1) }] }));
    for (let at = 1; at <= EXPANSION_DEPTH + 1; at += 1) {
      await store(set(`deep${at}`, { include: [{ valueSet: [`http://example.org/deep${at - 1}`] }] }));
    }
    const url = (at: number): string => `http://example.org/deep${at}`;
    assert.equal((await server.ask(`GET ValueSet/$expand?url=${url(EXPANSION_DEPTH)}`)).json.expansion.total, 1);
    assert.equal((await server.ask(`GET Observation?code:in=${url(EXPANSION_DEPTH)}`)).status, 200);
    requireTooCostly(await server.ask(`GET ValueSet/$expand?url=${url(EXPANSION_DEPTH + 1)}`));
    requireTooCostly(await server.ask(`GET Observation?code:in=${url(EXPANSION_DEPTH + 1)}`));
  });

  it('translates by no more steps than the limit', async () => {
    const asked = (count: number, group: readonly Json[]): Promise<Answer> => {
      const coding = times(count, (at) => ({ system: MANY, code: `c${at}` }));
      const conceptMap = { resourceType: 'ConceptMap', url: 'urn:x', status: 'active', group };
      const parameter = [
        { name: 'conceptMap', resource: conceptMap },
        { name: 'codeableConcept', valueCodeableConcept: { coding } },
      ];
      return server.ask('POST ConceptMap/$translate', { body: { resourceType: 'Parameters', parameter } });
    };
    const element = times(2_000, (at) => ({ code: `c${at}`, target: [{ code: `d${at}`, equivalence: 'equal' }] }));
    const all = await asked(2_000, [{ source: MANY, target: 'urn:t', element }]);
    assert.equal((all.json.parameter as Json[]).filter(({ name }) => name === 'match').length, 2_000);
    requireTooCostly(
      await asked(
        800,
        times(800, () => ({ source: MANY, target: 'urn:t', element: element.slice(0, 1) })),
      ),
    );
  }).timeout(60_000);
});

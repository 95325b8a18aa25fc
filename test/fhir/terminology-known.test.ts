import { strict as assert } from 'node:assert';

import type { StoredVersion } from '@salus/gateway/ports';
import { WORK_LIMITS } from '@salus/gateway/projection/search/search';

import { FhirServer, idsOf, type Json } from '../support/fhir-server.js';
import { set } from './animals.js';

const LOUD = 'urn:loud';

describe('terminology as it is known', () => {
  let decided: string[] = [];
  const hidden = new Set<string>();
  const nameOf = ({ type, id }: StoredVersion): string => `${type}/${id}`;
  const server = new FhirServer(
    {
      decision: {
        permit: (_actor, stored) => {
          decided.push(nameOf(stored));
          return hidden.has(nameOf(stored)) ? undefined : stored;
        },
        opens: () => true,
        unrestricted: () => false,
        allow: () => undefined,
      },
    },
    { ...WORK_LIMITS, chainWidth: 5 },
  );
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  const store = async (resource: Json): Promise<void> => {
    const { status, json } = await server.ask(`PUT ${resource.resourceType as string}/${resource.id as string}`, {
      body: resource,
    });
    assert.ok(status < 300, JSON.stringify(json));
  };
  const named = (id: string, url: string, version: string, code: string): Json => ({
    ...set(id, { include: [{ system: LOUD, concept: [{ code }] }] }),
    ...{ url, version },
  });
  /** Codes by $expand, and what is found by `:in`. */
  const meaning = async (url: string): Promise<[string[], string[]]> => {
    const { json } = await server.ask(`GET ValueSet/$expand?url=${url}`);
    const found = await server.ask(`GET Observation?code:in=${url}`);
    return [((json.expansion?.contains ?? []) as Json[]).map(({ code }) => code as string), idsOf(found.json)];
  };
  before(async () => {
    for (const code of ['a', 'b', 'c']) {
      const observation = { resourceType: 'Observation', id: code, status: 'final' };
      await store({ ...observation, code: { coding: [{ system: LOUD, code }] } });
    }
  });

  it('means the one that was last written, in expansions and in searches', async () => {
    await store(named('first', 'urn:twice', '1', 'a'));
    await store(named('second', 'urn:twice', '2', 'b'));
    assert.deepEqual(await meaning('urn:twice'), [['b'], ['b']]);
    await store(named('first', 'urn:twice', '1', 'c'));
    assert.deepEqual(await meaning('urn:twice'), [['c'], ['c']]);
    assert.deepEqual(await meaning('urn:twice|2'), [['b'], ['b']]);
    assert.deepEqual(await meaning('urn:twice|1'), [['c'], ['c']]);
    assert.deepEqual(await meaning('urn:twice|3'), [[], []]);
    assert.equal((await server.ask('GET Observation?code:in=urn:twice|3')).status, 400);
  });

  it('knows what R4 defines in searches too', async () => {
    const url = 'http://hl7.org/fhir/ValueSet/observation-status';
    assert.deepEqual(idsOf((await server.ask(`GET Observation?status:in=${url}`)).json), ['a', 'b', 'c']);
    assert.equal((await server.ask(`GET Observation?status:in=${url}|9.9`)).status, 400);
    await store({
      ...named('own', url, '9.9', 'a'),
      compose: { include: [{ system: LOUD, concept: [{ code: 'a' }] }] },
    });
    assert.deepEqual(await meaning(url), [['a'], ['a']]);
    assert.equal((await server.ask(`GET ValueSet/$expand?url=${url}|4.0.1`)).json.expansion.total, 8);
  });

  it('is not crowded out by what is hidden', async () => {
    await store(named('seen', 'urn:crowd', '1', 'a'));
    for (let at = 0; at < 10; at += 1) {
      await store(named(`hidden${at}`, 'urn:crowd', '1', 'b'));
      hidden.add(`ValueSet/hidden${at}`);
    }
    await store(named('early', 'urn:late', '1', 'b'));
    hidden.add('ValueSet/early');
    for (let at = 0; at < 5; at += 1) {
      await store(named(`late${at}`, 'urn:late', '1', 'b'));
      hidden.add(`ValueSet/late${at}`);
    }
    await store(named('last', 'urn:late', '1', 'c'));
    assert.deepEqual(await meaning('urn:crowd'), [['a'], ['a']]);
    assert.deepEqual(await meaning('urn:late'), [['c'], ['c']]);
  });

  it('is looked for once in one search', async () => {
    await store(named('one', 'urn:one', '1', 'a'));
    await store({ ...set('hundred', { include: Array.from({ length: 100 }, () => ({ valueSet: ['urn:one'] })) }) });
    decided = [];
    const { json } = await server.ask('GET Observation?code:in=http://example.org/hundred,http://example.org/hundred');
    assert.deepEqual(idsOf(json), ['a']);
    assert.equal(decided.filter((each) => each === 'ValueSet/one').length, 1);
    assert.equal(decided.filter((each) => each === 'ValueSet/hundred').length, 1);
  });

  it('compares codes as their code system does', async () => {
    const system = { resourceType: 'CodeSystem', url: LOUD, name: 'Loud', status: 'active', content: 'complete' };
    const concept = [{ code: 'Top', display: 'Top', concept: [{ code: 'Below' }] }];
    const ask = async (line: string): Promise<Json> => (await server.ask(`GET ${line}`)).json;
    const map = {
      ...{ resourceType: 'ConceptMap', id: 'loud', url: 'urn:map', status: 'active' },
      group: [
        { source: LOUD, target: 'urn:t', element: [{ code: 'tOP', target: [{ code: 'x', equivalence: 'equal' }] }] },
      ],
    };
    await store(map);
    await store(
      set('under', { include: [{ system: LOUD, filter: [{ property: 'concept', op: 'is-a', value: 'TOP' }] }] }),
    );
    await store(
      set('less', {
        include: [{ system: LOUD, concept: [{ code: 'Top' }, { code: 'TOP' }, { code: 'Below' }] }],
        exclude: [{ system: LOUD, concept: [{ code: 'BELOW' }] }],
      }),
    );
    for (const caseSensitive of [false, true, undefined]) {
      await store({ ...system, id: 'loud', concept, ...(caseSensitive === undefined ? {} : { caseSensitive }) });
      const isFolded = caseSensitive === false;
      const validated = await ask(`CodeSystem/$validate-code?url=${LOUD}&code=tOP&display=Top`);
      assert.equal(validated.parameter[0].valueBoolean, isFolded);
      const inSet = await ask(`ValueSet/$validate-code?url=http://example.org/less&system=${LOUD}&code=toP`);
      assert.equal(inSet.parameter[0].valueBoolean, isFolded);
      assert.equal((await server.ask(`GET CodeSystem/$lookup?system=${LOUD}&code=below`)).status, isFolded ? 200 : 404);
      assert.equal((await ask('ValueSet/under/$expand')).expansion.total, isFolded ? 2 : 0);
      assert.equal((await ask('ValueSet/less/$expand')).expansion.total, isFolded ? 1 : 3);
      const translated = await ask(`ConceptMap/$translate?url=urn:map&system=${LOUD}&code=Top`);
      assert.equal(translated.parameter[0].valueBoolean, isFolded);
    }
  });
});

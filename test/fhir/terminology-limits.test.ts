import { strict as assert } from 'node:assert';

import { EXPANSION_LIMIT, EXPANSION_WORK } from '@salus/gateway/projection/search/code-set';

import { serverOfSuite, type Answer, type Json } from '../support/fhir-server.js';
import { ANIMALS, animals, set } from './animals.js';

describe('the limits of terminology operations', () => {
  const server = serverOfSuite();
  before(async () => {
    assert.equal((await server.ask('PUT CodeSystem/animals', { body: animals })).status, 201);
  });

  it('expands no more codes than the limit', async () => {
    const concept = (count: number): Json[] => Array.from({ length: count }, (_, at) => ({ code: `c${at}` }));
    const asked = (count: number): Promise<Answer> => {
      const resource = set('x', { include: [{ system: 'urn:many', concept: concept(count) }] });
      return server.ask('POST ValueSet/$expand', {
        body: { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource }] },
      });
    };
    assert.equal((await asked(EXPANSION_LIMIT)).json.expansion.total, EXPANSION_LIMIT);
    const over = await asked(EXPANSION_LIMIT + 1);
    assert.deepEqual([over.status, over.json.issue[0].code], [413, 'too-costly']);
  });

  it('looks at no more concepts than the limit', async () => {
    // Each include of the animals looks at 5, and takes 5 and one set.
    const asked = (count: number): Promise<Answer> => {
      const resource = set('x', { include: Array.from({ length: count }, () => ({ system: ANIMALS })) });
      const body = { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource }] };
      return server.ask('POST ValueSet/$expand', { body });
    };
    const most = Math.floor(EXPANSION_WORK / 11);
    assert.equal((await asked(most)).json.expansion.total, 5);
    const over = await asked(most + 1);
    assert.deepEqual([over.status, over.json.issue[0].code], [413, 'too-costly']);
  }).timeout(60_000);
});

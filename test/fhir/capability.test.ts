import { strict as assert } from 'node:assert';

import { generatedSearch } from '@salus/gateway/projection/generated';

import { type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation } from './resources.js';

describe('the CapabilityStatement', () => {
  const server = serverOfSuite();
  let rest: Json;
  before(async () => {
    rest = (await server.ask('GET metadata')).json.rest[0];
  });
  const observations = (): Json => (rest.resource as Json[]).find((each) => each.type === 'Observation');

  it('names every type', () => {
    const types = (rest.resource as Json[]).map((each) => each.type as string);
    assert.deepEqual(types, generatedSearch().types);
  });

  it('names interactions that are served, and all that are', async () => {
    const lines: Record<string, string> = {
      'search-type': 'GET Observation',
      create: 'POST Observation',
      read: 'GET Observation/o',
      update: 'PUT Observation/o',
      patch: 'PATCH Observation/o',
      delete: 'DELETE Observation/x',
      'history-type': 'GET Observation/_history',
      'history-instance': 'GET Observation/o/_history',
      vread: 'GET Observation/o/_history/1',
    };
    const codes = (observations().interaction as { code: string }[]).map((each) => each.code);
    assert.deepEqual(codes.toSorted(), Object.keys(lines).sort());
    await server.ask('PUT Observation/o', { body: observation('Patient/p', { id: 'o' }) });
    for (const line of Object.values(lines)) {
      const body = /^(POST|PUT)/.test(line) ? { body: observation('Patient/p', { id: 'o' }) } : {};
      const patch = { body: [], headers: { 'content-type': 'application/json-patch+json' } };
      assert.ok((await server.ask(line, line.startsWith('PATCH') ? patch : body)).status < 300, line);
    }
  });

  it('names search parameters that are served, for every type', async () => {
    for (const { type, searchParam } of rest.resource as { type: string; searchParam: Json[] }[]) {
      for (const parameter of searchParam) {
        const answer = await server.ask(`GET ${type}?${parameter.name as string}:missing=true&_count=1`);
        const column = ['_id', '_lastUpdated', '_list', '_filter', '_text', '_content'].includes(
          parameter.name as string,
        );
        assert.equal(answer.status, column ? 400 : 200, `${type} ${parameter.name as string}`);
      }
    }
  });

  it('names includes that are served', async () => {
    for (const include of observations().searchInclude as string[]) {
      assert.equal((await server.ask(`GET Observation?_include=${include}`)).status, 200, include);
    }
  });
});

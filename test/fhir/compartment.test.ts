import { strict as assert } from 'node:assert';

import { idsOf, type Json, serverOfSuite } from '../support/fhir-server.js';
import { RECORD } from './r4-record.js';

/** Compartments as a whole (R4 http.html#vsearch), and an encounter's record (R4 encounter-operation-everything). */
describe('FHIR compartments', () => {
  const server = serverOfSuite();
  before(async () => {
    for (const resource of RECORD) await server.ask(`PUT ${resource.resourceType}/${resource.id}`, { body: resource });
  });
  const found = async (line: string, more = {}): Promise<string> => {
    const { status, json } = await server.ask(line, more);
    return status === 200 ? idsOf(json).join(' ') : String(status);
  };

  it('are searched across types', async () => {
    assert.equal(await found('GET Patient/p2/*'), 'p2 o4');
    assert.equal(await found('GET Encounter/e1/*'), 'e1 m1');
    assert.equal(await found('GET Patient/p1/*?_type=Observation,Encounter'), 'o1 o2 o3 e1');
    assert.equal(await found('GET Patient/p1/*?_type=Observation&code=8480-6&date=2013-01-14'), 'o3');
    assert.equal(await found('GET Patient/p1/*?_type=Organization'), '');
    assert.equal(await found('GET Patient/nobody/*'), '');
    assert.equal(await found('GET Patient/p1/*?name=x'), '400');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal(await found('POST Patient/p2/*/_search', { body: '_type=Observation', headers }), 'o4');
  });

  it('show nothing that is hidden', async () => {
    server.hidden.add('Observation/o4');
    assert.equal(await found('GET Patient/p2/*'), 'p2');
    server.hidden.clear();
  });

  it('an encounter comes with what lies in it and what that refers to', async () => {
    const modes = async (line: string, more = {}): Promise<string> => {
      const { json } = await server.ask(line, more);
      return (json.entry as Json[]).map((each) => `${each.search.mode} ${each.resource.id}`).join(', ');
    };
    const all = 'match e1, match m1, include p1, include med1';
    assert.equal(await modes('GET Encounter/e1/$everything'), all);
    assert.equal(await modes('POST Encounter/e1/$everything', { body: { resourceType: 'Parameters' } }), all);
    assert.equal(await modes('GET Encounter/e1/$everything?_type=MedicationRequest'), 'match m1');
    assert.equal(await modes('GET Encounter/e1/$everything?_count=2'), 'match e1, match m1');
    assert.equal(await found('GET Encounter/e1/$everything?_since=2999-01-01T00:00:00Z'), '');
    assert.equal(await found('GET Encounter/e1/$everything?start=2013'), '400');
    assert.equal(await found('GET Encounter/nobody/$everything'), '404');
    server.hidden.add('Medication/med1').add('Patient/p1');
    assert.equal(await modes('GET Encounter/e1/$everything'), 'match e1, match m1');
    server.hidden.add('Encounter/e1');
    assert.equal(await found('GET Encounter/e1/$everything'), '404');
    server.hidden.clear();
  });
});

import { strict as assert } from 'node:assert';

import { DEFAULT_PAGE, LARGEST_PAGE } from '@salus/gateway/fhir/paging';
import { INCLUDE_LIMIT } from '@salus/gateway/fhir/includes';
import { SEARCH_LIMITS } from '@salus/gateway/fhir/search-request';
import { ISSUE_LIMIT } from '@salus/gateway/fhir/validate';

import { FhirServer, idsOf, type Json } from '../support/fhir-server.js';
import { entry, observation, patient } from './resources.js';

describe('limits of the FHIR interface', () => {
  let server: FhirServer;
  before(async () => {
    server = new FhirServer({}, { examined: 2_400, chainWidth: 5, counted: 60, record: 1_002 });
    const many = Array.from({ length: LARGEST_PAGE + 1 }, (_, at): unknown =>
      entry('PUT', `Observation/o${at}`, observation('Patient/p', { id: `o${at}` })),
    );
    const patients = Array.from({ length: 7 }, (_, at): unknown =>
      entry('PUT', `Patient/p${at}`, patient({ id: `p${at}`, name: [{ family: at < 5 ? 'few' : 'more' }] })),
    );
    const whole = entry('PUT', 'Patient/p', patient({ id: 'p' }));
    const body = { resourceType: 'Bundle', type: 'transaction', entry: [whole, ...many, ...patients] };
    assert.equal((await server.ask('POST ', { body })).status, 200);
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  const refused = async (line: string): Promise<void> => {
    const answer = await server.ask(line);
    assert.equal(answer.status, 413, line.slice(0, 200));
    assert.equal(answer.json.issue[0].code, 'too-costly');
  };
  const answered = async (line: string): Promise<Json> => {
    const answer = await server.ask(line);
    assert.equal(answer.status, 200, JSON.stringify(answer.json).slice(0, 300));
    return answer.json;
  };
  const times = (count: number, text: string, separator: string): string => Array(count).fill(text).join(separator);

  it('of a page', async () => {
    assert.equal(idsOf(await answered('GET Observation')).length, DEFAULT_PAGE);
    assert.equal(idsOf(await answered(`GET Observation?_count=${LARGEST_PAGE}`)).length, LARGEST_PAGE);
    assert.equal(idsOf(await answered(`GET Observation?_count=${LARGEST_PAGE + 1}`)).length, LARGEST_PAGE);
  });

  it('of parameters, values, chains, sort keys and includes', async () => {
    await answered(`GET Patient?${times(SEARCH_LIMITS.parameters, 'gender=male', '&')}`);
    await refused(`GET Patient?${times(SEARCH_LIMITS.parameters + 1, 'gender=male', '&')}`);
    await answered(`GET Patient?gender=${times(SEARCH_LIMITS.valuesPerParameter, 'male', ',')}`);
    await refused(`GET Patient?gender=${times(SEARCH_LIMITS.valuesPerParameter + 1, 'male', ',')}`);
    await answered(`GET Organization?${times(SEARCH_LIMITS.chainDepth - 1, 'partof', '.')}.name=x`);
    await refused(`GET Organization?${times(SEARCH_LIMITS.chainDepth, 'partof', '.')}.name=x`);
    await answered(`GET Patient?_sort=${times(SEARCH_LIMITS.sortKeys, 'gender', ',')}`);
    await refused(`GET Patient?_sort=${times(SEARCH_LIMITS.sortKeys + 1, 'gender', ',')}`);
    await answered(`GET Observation?_count=1&${times(SEARCH_LIMITS.includes, '_include=Observation:patient', '&')}`);
    await refused(`GET Observation?_count=1&${times(SEARCH_LIMITS.includes + 1, '_include=Observation:patient', '&')}`);
  });

  it('of what comes along', async () => {
    const bundle = await answered('GET Patient?_id=p&_revinclude=Observation:patient');
    assert.equal(idsOf(bundle, 'include').length, INCLUDE_LIMIT);
    assert.match(JSON.stringify(bundle.entry), new RegExp(`more than ${INCLUDE_LIMIT} resources`));
  });

  it('of a count that nobody asked to be accurate', async () => {
    assert.equal((await answered('GET Observation?code=2339-0')).total, undefined);
    assert.equal((await answered('GET Observation?code=2339-0&_total=accurate')).total, LARGEST_PAGE + 1);
    const ids = Array.from({ length: 60 }, (_, at) => `o${at}`).join(',');
    assert.equal((await answered(`GET Observation?_id=${ids}`)).total, 60);
    assert.equal((await answered(`GET Observation?_id=${ids},o60`)).total, undefined);
  });

  it('of resources a chain passes through', async () => {
    await answered('GET Observation?patient.name=few');
    await refused('GET Observation?patient.gender=female');
  });

  it('of rows looked at for someone who may see few of them', async () => {
    for (let at = 0; at <= LARGEST_PAGE; at++) server.hidden.add(`Observation/o${at}`);
    assert.equal((await answered('GET Observation')).total, 0);
    server.hidden.clear();
  });

  it('of one record', async () => {
    assert.equal(idsOf(await answered('GET Patient/p/$everything')).length, LARGEST_PAGE + 2);
    await server.ask('PUT Condition/c', {
      body: { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p' } },
    });
    await refused('GET Patient/p/$everything');
  });

  it('of issues in one outcome', async () => {
    const body = { resourceType: 'Patient', name: Array(ISSUE_LIMIT + 1).fill({ use: 1 }) };
    const answer = await server.ask('POST Patient', { body });
    assert.equal(answer.json.issue.length, ISSUE_LIMIT);
  });
});

describe('the limit of rows looked at', () => {
  it('refuses a search that goes beyond', async () => {
    const server = new FhirServer({}, { examined: 1_200, chainWidth: 5, counted: 5, record: 5 });
    const bundleOf = (from: number): Json => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: Array.from({ length: 1_000 }, (_, at): unknown =>
        entry('PUT', `Basic/b${from + at}`, { resourceType: 'Basic', id: `b${from + at}`, code: { text: 'x' } }),
      ),
    });
    for (const from of [0, 1_000]) assert.equal((await server.ask('POST ', { body: bundleOf(from) })).status, 200);
    for (let at = 0; at < 1_000; at++) server.hidden.add(`Basic/b${at}`);
    assert.equal((await server.ask('GET Basic?_count=1')).status, 200);
    for (let at = 1_000; at < 2_000; at++) server.hidden.add(`Basic/b${at}`);
    assert.equal((await server.ask('GET Basic?_count=1')).status, 413);
    await server.close();
  });
});

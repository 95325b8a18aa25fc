import { strict as assert } from 'node:assert';

import { validationIssues } from '@salus/gateway/fhir/validate';

import { type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

/** How R4 lets interactions and operations be asked for: modes, shapes, parameters of every type. */
describe('asking in the ways of R4', () => {
  const server = serverOfSuite();
  before(async () => {
    await server.ask('PUT Patient/p', { body: patient({ id: 'p', text: TEXT }) });
    await server.ask('PUT Observation/o', { body: observation('Patient/p', { id: 'o', text: TEXT }) });
  });
  const TEXT = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };
  const parameters = (...parameter: Json[]): Json => ({ resourceType: 'Parameters', parameter });

  it('metadata: full, normative, terminology', async () => {
    for (const [mode, type] of [
      ['full', 'CapabilityStatement'],
      ['normative', 'CapabilityStatement'],
      ['terminology', 'TerminologyCapabilities'],
    ] as const) {
      const { json } = await server.ask(`GET metadata?mode=${mode}`);
      assert.equal(json.resourceType, type);
      assert.deepEqual(
        validationIssues(json as Record<string, unknown>).filter(({ severity }) => severity !== 'warning'),
        [],
      );
    }
    assert.equal((await server.ask('GET metadata?mode=nonsense')).status, 400);
  });

  it('$validate: modes create, update, delete', async () => {
    const check = async (path: string, ...parameter: Json[]): Promise<[number, string]> => {
      const { status, json } = await server.ask(`POST ${path}/$validate`, { body: parameters(...parameter) });
      return [status, `${json.issue[0].severity} ${json.issue[0].code}`];
    };
    const mode = (valueCode: string): Json => ({ name: 'mode', valueCode });
    const resource = (more: Json = {}): Json => ({ name: 'resource', resource: patient(more) });
    const ok = [200, 'information informational'];
    assert.deepEqual(await check('Patient', mode('create'), resource()), ok);
    assert.deepEqual(await check('Patient', mode('update'), resource()), [200, 'error required']);
    assert.deepEqual(await check('Patient/p', mode('update'), resource({ id: 'q' })), [200, 'error invalid']);
    assert.deepEqual(await check('Patient/p', mode('update'), resource({ id: 'p' })), ok);
    assert.deepEqual(await check('Patient/p', mode('delete')), ok);
    assert.deepEqual(await check('Patient/none', mode('delete')), [404, 'error not-found']);
    assert.deepEqual(await check('Patient', mode('delete')), [400, 'error structure']);
    assert.deepEqual(await check('Patient', mode('nonsense'), resource()), [400, 'error invalid']);
    const profile = { name: 'profile', valueCanonical: 'http://none.example/p' };
    assert.deepEqual(await check('Patient', profile, resource()), [200, 'error not-supported']);
  });

  it('parameters by POST are references and codes, too', async () => {
    const code = { coding: [{ system: 'http://loinc.org', code: '2339-0' }] };
    await server.ask('PUT Observation/c', { body: observation('Patient/p', { id: 'c', code }) });
    const body = parameters(
      { name: 'patient', valueReference: { reference: 'Patient/p' } },
      { name: 'code', valueCodeableConcept: code },
    );
    const { json } = await server.ask('POST Observation/$lastn', { body });
    assert.ok((json.entry as Json[]).length > 0, JSON.stringify(json));
    const none = parameters(body.parameter[0], { name: 'code', valueCoding: { system: 'urn:x', code: '2339-0' } });
    assert.equal((await server.ask('POST Observation/$lastn', { body: none })).json.total, 0);
  });

  it('_elements names elements at the base of a resource, with its type or something within them, too', async () => {
    const shown = async (elements: string): Promise<string[]> => {
      const { json } = await server.ask(`GET Patient/p?_elements=${elements}`);
      return Object.keys(json as object).filter((name) => !['resourceType', 'id', 'meta'].includes(name));
    };
    assert.deepEqual(await shown('name'), ['name']);
    assert.deepEqual(await shown('Patient.name, gender'), ['name', 'gender']);
    assert.deepEqual(await shown('name.family,Patient.name.given'), ['name']);
    assert.deepEqual(await shown('Observation.name,gender'), ['gender']);
  });

  it('_elements is of matches alone, and _summary=text goes with no includes', async () => {
    const { json } = await server.ask('GET Observation?_id=o&_include=Observation:subject&_elements=status');
    const [match, include] = (json.entry as { resource: Json }[]).map((each): Json => each.resource);
    assert.deepEqual([match.text, match.meta.tag[0].code], [undefined, 'SUBSETTED']);
    assert.deepEqual([include.text.status, include.meta.tag], ['generated', undefined]);
    for (const name of ['_include=Observation:subject', '_revinclude=Observation:subject']) {
      assert.equal((await server.ask(`GET Observation?${name}&_summary=text`)).status, 400);
    }
  });

  it('If-None-Match that names no version is no match', async () => {
    assert.equal((await server.ask('GET Patient/p', { headers: { 'if-none-match': 'x' } })).status, 200);
    assert.equal((await server.ask('GET Patient/p', { headers: { 'if-none-match': 'x, W/"1"' } })).status, 304);
  });
});

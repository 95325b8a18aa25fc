import { strict as assert } from 'node:assert';

import { idsOf, type Json, serverOfSuite } from '../support/fhir-server.js';
import { observation, patient } from './resources.js';

/** What lies above and below: places within places, versions of canonical URLs, media types; and codes whatever their case. */
describe('R4 search, above and below', () => {
  const server = serverOfSuite();
  const put = async (type: string, id: string, more: Json): Promise<void> => {
    const { status, json } = await server.ask(`PUT ${type}/${id}`, { body: { resourceType: type, id, ...more } });
    assert.equal(status, 201, JSON.stringify(json));
  };
  const answers = async (lines: string): Promise<void> => {
    for (const line of lines.trim().split('\n')) {
      const [query = '', wanted = ''] = line.trim().split(/\s*=>\s*/);
      const { status, json } = await server.ask(`GET ${query}`);
      assert.equal(status === 200 ? idsOf(json).sort().join(' ') : String(status), wanted, query);
    }
  };

  before(async () => {
    await server.ask('PUT Patient/p', { body: patient({ id: 'p' }) });
    const within: Readonly<Record<string, string | undefined>> = {
      house: undefined,
      floor: 'house',
      room: 'floor',
      hut: undefined,
    };
    for (const [id, parent] of Object.entries(within)) {
      await put('Location', id, parent === undefined ? {} : { partOf: { reference: `Location/${parent}` } });
      const subject = { reference: 'Patient/p' };
      await put('Procedure', `in-${id}`, { status: 'completed', subject, location: { reference: `Location/${id}` } });
    }
    // Whoever wrote these made a circle of them.
    await put('Organization', 'a', { name: 'a', partOf: { reference: 'Organization/b' } });
    await put('Organization', 'b', { name: 'b', partOf: { reference: 'Organization/a' } });
    for (const version of ['1.0', '1.1', '2.0', '10.0']) {
      const questionnaire = `http://example.org/q|${version}`;
      const meta = { profile: [`http://example.org/sd|${version}`] };
      await put('QuestionnaireResponse', `q-${version}`, { meta, status: 'completed', questionnaire });
      await put('ValueSet', `v-${version}`, { status: 'active', url: 'http://example.org/v', version });
    }
    for (const [id, contentType] of [
      ['plain', 'text/xml'],
      ['utf', 'text/xml; charset=UTF-8'],
      ['other', 'text/xmlish'],
    ]) {
      await put('DocumentReference', id ?? '', {
        status: 'current',
        content: [{ attachment: { contentType, url: 'urn:x' } }],
      });
    }
    for (const [name, caseSensitive] of [
      ['loose', false],
      ['strict', true],
    ] as const) {
      const system = { status: 'active', content: 'complete', url: `urn:${name}`, caseSensitive };
      await put('CodeSystem', name, { ...system, concept: [{ code: 'Top', concept: [{ code: 'Sub' }] }] });
      await put('ValueSet', name, {
        status: 'active',
        url: `urn:vs-${name}`,
        compose: { include: [{ system: `urn:${name}` }] },
      });
      for (const code of ['Sub', 'SUB', 'top']) {
        const body = observation('Patient/p', {
          id: `${name}-${code}`,
          code: { coding: [{ system: `urn:${name}`, code }] },
        });
        await server.ask(`PUT Observation/${name}-${code}`, { body });
      }
    }
  });

  it('a reference finds what is part of what it names, or what that is part of', () =>
    answers(`
      Procedure?location:below=house => in-floor in-house in-room
      Procedure?location:below=Location/floor => in-floor in-room
      Procedure?location:below=http://fhir.test/fhir/R4/Location/room => in-room
      Procedure?location:above=room => in-floor in-house in-room
      Procedure?location:above=Location/house => in-house
      Procedure?location:below=hut,room => in-hut in-room
      Location?partof:below=house => floor room
      Organization?partof:below=a => a b
      Organization?partof:above=a => a b
      Procedure?location:below=nowhere =>
      Procedure?subject:below=Patient/p => 400
      Observation?performer:below=Patient/p => 400
    `));

  it('a hierarchy is followed through what the asker may see alone', async () => {
    server.hidden.add('Location/floor');
    await answers(`
      Procedure?location:below=house => in-house
      Procedure?location:above=room => in-floor in-room
    `);
    server.hidden.clear();
  });

  it('a canonical URL finds the versions within the one it names', () =>
    answers(`
      QuestionnaireResponse?questionnaire:below=http://example.org/q => q-1.0 q-1.1 q-10.0 q-2.0
      QuestionnaireResponse?questionnaire:below=http://example.org/q|1 => q-1.0 q-1.1
      QuestionnaireResponse?questionnaire:below=http://example.org/q|1.1 => q-1.1
      QuestionnaireResponse?questionnaire=http://example.org/q|1 =>
      QuestionnaireResponse?_profile=http://example.org/sd => q-1.0 q-1.1 q-10.0 q-2.0
      QuestionnaireResponse?_profile=http://example.org/sd|1.1 => q-1.1
      QuestionnaireResponse?_profile=http://example.org/sd|1 =>
      QuestionnaireResponse?_profile=http://example.org/s =>
      ValueSet?url=http://example.org/v|2.0 => v-2.0
      ValueSet?url=http://example.org/v|2.0,http://example.org/v|1.1 => v-1.1 v-2.0
      ValueSet?url=http://example.org/v&version=1.0 => v-1.0
      ValueSet?url=http://example.org/v|3 =>
    `));

  it('a media type finds those with parameters', () =>
    answers(`
      DocumentReference?contenttype=text/xml => plain
      DocumentReference?contenttype:below=text/xml => plain utf
      DocumentReference?contenttype:below=text/xml,text/xmlish => other plain utf
    `));

  it('codes are compared as their code system compares them', () =>
    answers(`
      Observation?code=urn:loose|sub => loose-SUB loose-Sub
      Observation?code=urn:strict|sub =>
      Observation?code=urn:strict|Sub => strict-Sub
      Observation?code=SUB => loose-SUB strict-SUB
      Observation?code:not=urn:loose|sub&code=urn:loose| => loose-top
      Observation?code:in=urn:vs-loose => loose-SUB loose-Sub loose-top
      Observation?code:in=urn:vs-strict => strict-Sub
      Observation?code:not-in=urn:vs-loose&code=urn:loose| =>
      Observation?code:below=urn:loose|TOP => loose-SUB loose-Sub loose-top
      Observation?code:above=urn:loose|SUB => loose-SUB loose-Sub loose-top
      Observation?code:below=urn:strict|Top => strict-Sub
    `));
});

import { strict as assert } from 'node:assert';

import { type Json, serverOfSuite } from '../support/fhir-server.js';
import { patient } from './resources.js';

/** What R4 says of values: data types, narrative, contained resources, choices; each broken once. */
describe('R4 rules', () => {
  const server = serverOfSuite();
  const div = (inner: string): Json => patient({ text: { status: 'generated', div: inner } });
  const xhtml = (inner: string): Json => div(`<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`);
  const observation = (more: Json): Json => ({
    ...{ resourceType: 'Observation', status: 'final', code: { coding: [{ system: 'urn:s', code: 'c' }] } },
    ...more,
  });
  const organization = (more: Json = {}): Json => ({ resourceType: 'Organization', id: 'o', name: 'x', ...more });

  const fine = async (...resources: Json[]): Promise<void> => {
    for (const body of resources) {
      const { status, json } = await server.ask(`POST ${body.resourceType as string}`, { body });
      assert.equal(status, 201, `${JSON.stringify(body)}: ${JSON.stringify(json)}`);
    }
  };
  /** Each with its status, where, and the constraint. */
  const refused = async (...cases: [body: Json, status: number, path: string, key?: string][]): Promise<void> => {
    for (const [body, status, path, key] of cases) {
      const answer = await server.ask(`POST ${body.resourceType as string}`, { body });
      const { expression, diagnostics } = answer.json.issue?.[0] ?? {};
      assert.deepEqual([answer.status, expression?.[0]], [status, path], JSON.stringify(body));
      if (key !== undefined) assert.match(diagnostics as string, new RegExp(`Constraint ${key} `));
      const validated = await server.ask(`POST ${body.resourceType as string}/$validate`, { body });
      assert.deepEqual(validated.json.issue[0].expression, [path]);
    }
  };

  it('narrative is formatting alone, and says something', async () => {
    await fine(
      xhtml('<p class="a" style=\'b\'>5 &gt; 4 &#160;</p><br/><!-- x --><img src="#p" alt="x"/>'),
      xhtml('<a href="Patient/1">x</a><table><tbody><tr><td colspan="2">y</td></tr></tbody></table>'),
      div('<div>plain</div>'),
      xhtml('<pre xml:space="preserve">a  b</pre>'),
    );
    await refused(
      [xhtml('<script>alert(1)</script>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('<p onclick="x()">hi</p>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('<a href=" javascript:x()">hi</a>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('<iframe src="x">hi</iframe>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('<p>hi'), 422, 'Patient.text', 'txt-1'],
      [xhtml('<p>hi</b>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('a & b'), 422, 'Patient.text', 'txt-1'],
      [xhtml('a < b'), 422, 'Patient.text', 'txt-1'],
      [div('<p>hi</p>'), 422, 'Patient.text', 'txt-1'],
      [div('<div>hi</div><div>ho</div>'), 422, 'Patient.text', 'txt-1'],
      [xhtml('  <p> </p> '), 422, 'Patient.text', 'txt-2'],
    );
  });

  it('narrative is read in time that grows with it alone', async () => {
    const start = performance.now();
    for (const inner of ['<p '.repeat(300_000), '<p a="'.repeat(150_000), '&'.repeat(500_000), ' '.repeat(900_000)]) {
      assert.equal((await server.ask('POST Patient', { body: xhtml(inner) })).status, 422);
      assert.equal((await server.ask('POST Patient', { body: xhtml(`<p${inner}`) })).status, 422);
    }
    assert.ok(performance.now() - start < 5_000);
  });

  it('contained resources are referred to, and what is referred to is contained', async () => {
    const managingOrganization = { reference: '#o' };
    await fine(
      patient({ contained: [organization()], managingOrganization }),
      patient({ contained: [{ resourceType: 'Provenance', id: 'p', target: [{ reference: '#' }], ...PROVENANCE }] }),
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: patient({ id: 'p', contained: [organization()], managingOrganization }) }],
      },
    );
    await refused(
      [patient({ contained: [organization()] }), 422, 'Patient', 'dom-3'],
      [patient({ managingOrganization }), 422, 'Patient.managingOrganization', 'ref-1'],
      [
        patient({ contained: [organization({ meta: { versionId: '1' } })], managingOrganization }),
        422,
        'Patient',
        'dom-4',
      ],
    );
  });

  it('nothing is about a Patient that it contains, for that would stand in nobody’s record', async () => {
    const contained = [patient({ id: 'p' })];
    const hidden = { reference: '#p' };
    const about = (subject: object, more: object = {}): Json => observation({ contained, subject, ...more });
    const document = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: about(hidden) }] };
    for (const body of [about(hidden), document]) {
      const { status, json } = await server.ask(`POST ${String(body.resourceType)}`, { body });
      assert.equal(status, 422, JSON.stringify(json));
      assert.match(json.issue[0].diagnostics, /Observation\.subject is a contained Patient/);
    }
    await fine(about({ reference: 'Patient/p1' }, { performer: [hidden] }));
  });

  it('data types keep their constraints, wherever they stand', async () => {
    const named = (period: Json): Json => patient({ name: [{ family: 'x', period }] });
    const less = { value: 5, comparator: '<' };
    const unsaid = { value: 5, _comparator: { extension: [{ url: 'urn:x', valueString: 'y' }] } };
    const sampled = { origin: { value: 0 }, period: 10, dimensions: 1, data: '1 2 E' };
    const given = (doseAndRate: Json): Json => ({
      ...{ resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { reference: 'Patient/p' } },
      ...{ medicationCodeableConcept: { text: 'x' }, dosageInstruction: [{ doseAndRate }] },
    });
    await fine(
      patient({ name: [{ family: 'x', period: { start: '2020-05', end: '2020-05-01' } }] }),
      named({ start: '2024-03-05T20:00:00-05:00', end: '2024-03-05' }),
      named({ start: '2024-03-05', end: '2024-03-04T20:00:00Z' }),
      named({ start: '2024-03-05T13:00:00Z', end: '2024-03-04' }),
      observation({ valueRatio: { numerator: { value: 1 }, denominator: { value: 2 } } }),
      observation({ valueRange: { low: { value: 5, unit: 'g' }, high: { value: 1, unit: 'kg' } } }),
      observation({ component: [{ code: { text: 'x' }, valueQuantity: { value: 1, unit: 'x' } }] }),
      observation({ valueQuantity: less, referenceRange: [{ low: { value: 1 } }] }),
      observation({ valueSampledData: sampled }),
      given([{ rateQuantity: { value: 1 }, doseRange: { low: { value: 1 } } }]),
    );
    await refused(
      [patient({ name: [{ period: { start: '2020-02', end: '2020-01' } }] }), 422, 'Patient.name[0].period', 'per-1'],
      [named({ start: '2024-03-05T14:00:00Z', end: '2024-03-04' }), 422, 'Patient.name[0].period', 'per-1'],
      [named({ start: '2024-03-05', end: '2024-03-04T09:59:59Z' }), 422, 'Patient.name[0].period', 'per-1'],
      [
        named({ start: '2024-03-05T10:00:00+01:00', end: '2024-03-05T08:59:59Z' }),
        ...([422, 'Patient.name[0].period', 'per-1'] as const),
      ],
      [patient({ telecom: [{ value: '1' }] }), 422, 'Patient.telecom[0]', 'cpt-2'],
      [patient({ photo: [{ data: 'AAAA' }] }), 422, 'Patient.photo[0]', 'att-1'],
      [observation({ valueQuantity: { value: 1, code: 'mg' } }), 422, 'Observation.value', 'qty-3'],
      [observation({ valueRatio: { numerator: { value: 1 } } }), 422, 'Observation.value', 'rat-1'],
      [observation({ valueRange: { low: less } }), 422, 'Observation.value.low', 'sqty-1'],
      [observation({ valueSampledData: { ...sampled, origin: less } }), 422, 'Observation.value.origin', 'sqty-1'],
      [observation({ referenceRange: [{ low: unsaid }] }), 422, 'Observation.referenceRange[0].low', 'sqty-1'],
      [given([{ rateQuantity: less }]), 422, 'MedicationRequest.dosageInstruction[0].doseAndRate[0].rate', 'sqty-1'],
      [observation({ valueRange: { low: { value: 2 }, high: { value: 1 } } }), 422, 'Observation.value', 'rng-2'],
      [
        patient({ extension: [{ url: 'urn:x', valuePeriod: { start: '2020-02', end: '2020-01' } }] }),
        ...([422, 'Patient.extension[0].value', 'per-1'] as const),
      ],
    );
  });

  it('an observation has its value itself or in a component of its code', async () => {
    const shown = (display: string): Json => ({ coding: [{ display }] });
    await fine(
      observation({ code: shown('a'), valueString: 'x', component: [{ code: shown('b'), valueString: 'y' }] }),
    );
    await refused([
      observation({ valueString: 'x', component: [{ code: observation({}).code, valueString: 'y' }] }),
      ...([422, 'Observation', 'obs-7'] as const),
    ]);
  });

  it('codes within data types are of the value sets that R4 requires there', async () => {
    await fine(
      patient({ telecom: [{ system: 'phone', use: 'home', value: '1' }], address: [{ use: 'home', type: 'both' }] }),
      observation({ effectiveTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'd', dayOfWeek: ['mon'] } } }),
      observation({ valueQuantity: { value: 1, comparator: '<' } }),
    );
    await refused(
      [patient({ telecom: [{ system: 'Phone', value: '1' }] }), 422, 'Patient.telecom[0].system'],
      [patient({ name: [{ use: 'x', family: 'y' }] }), 422, 'Patient.name[0].use'],
      [patient({ contact: [{ address: { type: 'x' } }] }), 422, 'Patient.contact[0].address.type'],
      [patient({ identifier: [{ use: 'x', value: 'y' }] }), 422, 'Patient.identifier[0].use'],
      [patient({ text: { ...xhtml('a').text, status: 'x' } }), 422, 'Patient.text.status'],
      [observation({ valueQuantity: { value: 1, comparator: '==' } }), 422, 'Observation.value.comparator'],
      [observation({ effectiveTiming: { repeat: { when: ['x'] } } }), 422, 'Observation.effective.repeat.when[0]'],
      [observation({ effectiveTiming: { repeat: { duration: 1 } } }), 422, 'Observation.effective.repeat', 'tim-1'],
    );
  });

  it('references lead to types that their element allows', async () => {
    const about = (reference: string, more: Json = {}): Record<string, unknown> =>
      observation({ subject: { reference }, ...more }) as Record<string, unknown>;
    const groups = [{ resourceType: 'Group', id: 'g', type: 'person', actual: true }, organization()];
    await fine(
      ...['Patient/1', 'Group/1/_history/2', 'https://x.example/fhir/Device/1', 'urn:uuid:x'].map((each) =>
        about(each),
      ),
      about('https://x.example/people/7'),
      about('#g', { contained: groups.slice(0, 1) }),
      observation({ focus: [{ reference: 'Practitioner/1' }], subject: { display: 'x' } }),
    );
    await refused(
      [about('Practitioner/1'), 422, 'Observation.subject.reference'],
      [about('https://x.example/fhir/Practitioner/1'), 422, 'Observation.subject.reference'],
      [about('#o', { contained: groups.slice(1) }), 422, 'Observation.subject.reference'],
      [about('Foo/1'), 422, 'Observation.subject.reference'],
      [about('a b'), 422, 'Observation.subject.reference'],
      [about('1'), 422, 'Observation.subject.reference'],
      [observation({ focus: [{ reference: 'Foo/1' }] }), 422, 'Observation.focus[0].reference'],
      [
        observation({ performer: [{ reference: 'Patient/1' }, { reference: 'Encounter/1' }] }),
        ...([422, 'Observation.performer[1].reference'] as const),
      ],
    );
  });

  it('what stands beside a primitive stands beside nothing else', async () => {
    const extension = [{ url: 'urn:x', valueString: 'y' }];
    await fine(
      patient({ birthDate: undefined, _birthDate: { extension } }),
      patient({ name: [{ given: ['a', null], _given: [null, { extension }] }] }),
      patient({ _deceasedDateTime: { extension } }),
    );
    await refused(
      [patient({ _name: [{ id: 'x' }] }), 400, 'Patient._name'],
      [patient({ _maritalStatus: { id: 'x' } }), 400, 'Patient._maritalStatus'],
      [patient({ _birthDate: {} }), 400, 'Patient._birthDate'],
      [patient({ name: [{ given: ['a'], _given: { extension } }] }), 400, 'Patient.name[0]._given'],
    );
  });

  it('an organization has a name or an identifier', async () => {
    await fine(organization({ name: undefined, identifier: [{ value: '1' }] }));
    await refused([organization({ name: undefined }), 422, 'Organization', 'org-1']);
  });

  it('a choice has one value, strings are not empty, times have seconds and a zone', async () => {
    await fine(
      observation({ effectiveDateTime: '2020-01-01T10:00:00+01:00' }),
      observation({ effectiveDateTime: '2020' }),
    );
    await refused(
      [observation({ valueString: 'x', valueInteger: 1 }), 400, 'Observation.value'],
      [patient({ name: [{ family: '' }] }), 400, 'Patient.name[0].family'],
      [observation({ effectiveDateTime: '2020-01-01T10:00:00' }), 400, 'Observation.effective'],
      [observation({ effectiveDateTime: '2020-01-01T10:00Z' }), 400, 'Observation.effective'],
    );
  });

  it('elements and codes are those of R4, not of a publisher or of a later release', async () => {
    const study = (more: Json): Json => ({ resourceType: 'ResearchStudy', status: 'active', ...more });
    const issue = (status: string): Json => ({ resourceType: 'DetectedIssue', status });
    const evidence = (...characteristic: Json[]): Json => ({
      ...{ resourceType: 'EvidenceVariable', status: 'draft' },
      ...(characteristic.length === 0 ? {} : { characteristic }),
    });
    const age = { value: 1, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' };
    const whole = {
      ...{ description: 'x', definitionCodeableConcept: { text: 'x' }, exclude: false, timeFromStart: age },
      usageContext: [
        {
          code: { system: 'http://terminology.hl7.org/CodeSystem/usage-context-type', code: 'age' },
          valueQuantity: age,
        },
      ],
      ...{ participantEffectiveDuration: age, groupMeasure: 'mean' },
    };
    await fine(
      ...[
        issue('registered'),
        issue('preliminary'),
        issue('corrected'),
        study({ title: 'x', keyword: [{ text: 'y' }] }),
      ],
      ...[evidence(whole), evidence({ definitionDataRequirement: { type: 'Patient' } })],
    );
    await refused(
      [issue('mitigated'), 422, 'DetectedIssue.status'],
      [evidence(), 400, 'EvidenceVariable.characteristic'],
      [evidence({ description: 'x' }), 400, 'EvidenceVariable.characteristic[0].definition'],
      [evidence({ ...whole, groupMeasure: 'x' }), 422, 'EvidenceVariable.characteristic[0].groupMeasure'],
      [evidence({ ...whole, linkId: 'a' }), 400, 'EvidenceVariable.characteristic[0].linkId'],
      [study({ whyStopped: { text: 'x' } }), 400, 'ResearchStudy.whyStopped'],
      [study({ objective: [{ name: 'x', description: 'y' }] }), 400, 'ResearchStudy.objective[0].description'],
      [study({ site: [{ reference: 'Organization/o' }] }), 422, 'ResearchStudy.site[0].reference'],
      [{ resourceType: 'Binary', contentType: 'text/plain', url: 'urn:x' }, 400, 'Binary.url'],
      [patient({ meta: { author: { reference: 'Practitioner/1' } } }), 400, 'Patient.meta.author'],
    );
    const { status, json } = await server.ask('GET ServiceRequest?order-detail=x');
    assert.deepEqual([status, json.issue[0].details.coding[0].code], [400, 'unknown-parameter']);
  });
});

const PROVENANCE = { recorded: '2020-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] };

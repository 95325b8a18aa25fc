import { strict as assert } from 'node:assert';

import { type Json, serverOfSuite } from '../support/fhir-server.js';
import { RECORD } from './r4-record.js';

/** The rules of R4 search.html one after the other; docs/conformance.md leads from each to its test. */
describe('R4 search', () => {
  const server = serverOfSuite();
  before(async () => {
    for (const resource of RECORD) {
      const { status, json } = await server.ask(`PUT ${resource.resourceType}/${resource.id}`, { body: resource });
      assert.equal(status, 201, JSON.stringify(json));
    }
  });

  const entriesOf = ({ entry = [] }: Json, mode: string): Json[] =>
    (entry as Json[]).filter((each) => each.search.mode === mode);

  /** Lines of `query => ids in order`, or of `query => status`. */
  const answers = async (lines: string, mode = 'match', sorted = true): Promise<void> => {
    for (const line of lines.trim().split('\n')) {
      const [query = '', wanted = ''] = line.trim().split(/\s*=>\s*/);
      const { status, json } = await server.ask(`GET ${query}`);
      const ids = entriesOf(json, mode).map((each) => each.resource.id as string);
      const found = (sorted ? ids.sort() : ids).join(' ');
      assert.equal(status === 200 ? found : String(status), wanted, `${query}: ${JSON.stringify(json).slice(0, 300)}`);
      if (status === 200 && mode === 'match') assert.equal(json.total, ids.length, query);
    }
  };

  it('token: code, system and code, no system, any code of a system', () =>
    answers(`
      Patient?identifier=123 => p1 p2
      Patient?identifier=|123 => p2
      Patient?identifier=urn:mrn|123 => p1
      Patient?identifier=urn:mrn| => p1
      Patient?identifier=urn:other|123 =>
      Patient?gender=male,female => p1 p2
      Patient?active=true => p1
      Patient?active=false => p3
      Patient?telecom=555-1234 => p1
      Patient?telecom=phone|555-1234 => p1
      Patient?phone=p1@example.org =>
      Patient?email=p1@example.org => p1
      Patient?deceased=true => p3
      Patient?deceased=false => p1 p2
    `));

  it('token: a code without a system is of the one that its value set implies', () =>
    answers(`
      Patient?gender=http://hl7.org/fhir/administrative-gender|male => p1
      Patient?gender=http://hl7.org/fhir/administrative-gender| => p1 p2
      Patient?gender=urn:other|male =>
      Patient?gender:not=http://hl7.org/fhir/administrative-gender|male => p2 p3
      Patient?active=http://terminology.hl7.org/CodeSystem/special-values|true => p1
      Observation?status=http://hl7.org/fhir/observation-status|amended => o2
    `));

  it('token: :not, :text, :of-type, :missing', () =>
    answers(`
      Patient?gender:not=male => p2 p3
      Patient?gender:not=male,female => p3
      Patient?gender:missing=true => p3
      Patient?gender:missing=false => p1 p2
      Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|123 => p1
      Observation?code:text=sys => o1 o2 o3 o5
      Observation?value-concept:text=high => o3
      Patient?_tag:not=blue => p2 p3
    `));

  it('string: from the start, whatever case and accents; :exact, :contains, escapes', () =>
    answers(`
      Patient?family=van => p1
      Patient?family=berg =>
      Patient?family:contains=BERG => p1
      Patient?family:exact=van den Berg => p1
      Patient?family:exact=Van den Berg =>
      Patient?name=MULL => p2
      Patient?given=änne => p2
      Patient?given=anne => p2
      Patient?given=peter&given=james => p1
      Patient?family=müller,chalmers => p1 p2
      Patient?name=Anon\\, the => p3
      Patient?address=534 => p1
      Patient?address-city=pleas => p1
      Patient?address-state=vic => p1
      Patient?address-postalcode=3999 => p1
      Patient?phonetic=chalmers => p1
      Observation?value-string=hello => o4
    `));

  it('date: every prefix on dates of every precision', () =>
    answers(`
      Patient?birthdate=1970-03-30 => p1
      Patient?birthdate=1970 => p1
      Patient?birthdate=1980-12-05 =>
      Patient?birthdate=ne1970 => p2 p3
      Patient?birthdate=gt1970 => p2
      Patient?birthdate=ge1970 => p1 p2
      Patient?birthdate=lt1970 => p3
      Patient?birthdate=le1970 => p1 p3
      Patient?birthdate=sa1970 => p2
      Patient?birthdate=eb1970 => p3
      Patient?birthdate=gt1980-12-05 => p2
      Patient?birthdate=lt1980-12-05 => p1 p2 p3
      Patient?birthdate=ge1970&birthdate=le1979-12-31 => p1
      Patient?birthdate=1970,1960 => p1 p3
    `));

  it('date: times, zones and periods, open ones too', () =>
    answers(`
      Observation?date=2013-04-02T08:30:10Z => o1
      Observation?date=2013-04-02T09:30:10%2B01:00 => o1
      Observation?date=2013-04-02T08:30Z => o1
      Observation?date=ge2013-03-14 => o1 o2 o4 o5
      Observation?date=lt2013-01-14T10:00 => o2 o3 o4
      Observation?date=sa2013-03-14 => o1 o5
      Observation?date=eb2013-04-01 => o2 o3
      Observation?date=2013 => o1 o2 o3 o4
      Observation?date=2014 =>
      Observation?date=gt2020 => o5
      Patient?death-date=2015-02-14 => p3
      Patient?_lastUpdated=ge2000 => p1 p2 p3
      Patient?_lastUpdated=lt2000 =>
    `));

  it('number: as exact as it is written, and every prefix', () =>
    answers(`
      RiskAssessment?probability=0.8 => r1
      RiskAssessment?probability=0.80 => r1
      RiskAssessment?probability=100 => r2
      RiskAssessment?probability=1e2 => r2
      RiskAssessment?probability=gt0.8 => r2
      RiskAssessment?probability=ge0.8 => r1 r2
      RiskAssessment?probability=lt1e2 => r1
      RiskAssessment?probability=le0.8 => r1
      RiskAssessment?probability=ne100 => r1
      RiskAssessment?probability=ap101 => r2
      RiskAssessment?probability=sa0.8 => r2
      RiskAssessment?probability=eb100 => r1
    `));

  it('quantity: with and without a unit, in other units, with comparators', () =>
    answers(`
      Observation?value-quantity=5.4|http://unitsofmeasure.org|mmol/L => o1
      Observation?value-quantity=5.4||mmol/L => o1
      Observation?value-quantity=5.4 => o1
      Observation?value-quantity=5.40e-3|http://unitsofmeasure.org|mol/L => o1
      Observation?value-quantity=gt5 => o1 o2
      Observation?value-quantity=ne5.4 => o2
      Observation?value-quantity=lt50 => o1 o2
      Observation?value-quantity=5|x => 400
      Encounter?length=120|http://unitsofmeasure.org|h => e1
    `));

  it('composite: parts of one element, of components and of the whole', () =>
    answers(`
      Observation?code-value-quantity=8480-6$5.4 => o1
      Observation?component-code-value-quantity=8480-6$107 => o4
      Observation?component-code-value-quantity=8480-6$60 =>
      Observation?combo-code-value-quantity=http://loinc.org|8462-4$lt70 => o4
      Observation?code-value-string=85354-9$hello => o4
      Observation?code-value-concept=8480-6$http://snomed.info/sct|1 => o3
    `));

  it('reference: id, type and id, URL, version, other servers, :identifier, :type', () =>
    answers(`
      Observation?subject=Patient/p1 => o1 o2 o3
      Observation?subject=p1 => o1 o2 o3
      Observation?subject:Patient=p1 => o1 o2 o3
      Observation?subject:Device=p1 =>
      Observation?subject:Nonsense=p1 => 400
      Observation?subject=http://fhir.test/fhir/R4/Patient/p1 => o1 o2 o3
      Observation?subject=http://other.example/fhir/Patient/p1 => o5
      Observation?subject=Patient/p1,Patient/p2 => o1 o2 o3 o4
      Patient?organization=Organization/org1 => p1 p2
      Patient?organization:identifier=urn:orgs|o9 => p3
      QuestionnaireResponse?questionnaire=http://acme.org/Questionnaire/a => q1
      QuestionnaireResponse?questionnaire=http://acme.org/Questionnaire/a|3 => q1
      QuestionnaireResponse?questionnaire=http://acme.org/Questionnaire/a|4 =>
    `));

  it('uri: whole, :below, :above', () =>
    answers(`
      ValueSet?url=http://acme.org/fhir/ValueSet/123 => v1
      ValueSet?url=http://ACME.org/fhir/ValueSet/123 =>
      ValueSet?url=urn:oid:1.2.3.4.5 => v3
      ValueSet?url:below=http://acme.org/fhir/ => v1 v2
      ValueSet?url:above=http://acme.org/fhir/ValueSet/123/_history/5 => v1 v2
    `));

  it('chains: through types, ids and other chains', () =>
    answers(`
      Observation?subject:Patient.name=chalmers => o1 o2 o3
      Observation?subject.name=chalmers => o1 o2 o3
      Observation?patient.organization.partof.name=umbrella => o1 o2 o3 o4
      Observation?patient._id=p2 => o4
      Observation?patient.gender:not=male => o4
      Observation?has-member.code=8480-6 => o3
      Observation?subject:Patient.nonsense=x => 400
    `));

  it('_has: alone, within one another, with chains', () =>
    answers(`
      Patient?_has:Observation:patient:code=85354-9 => p2
      Patient?_has:Observation:subject:code=8480-6,85354-9 => p1 p2
      Organization?_has:Patient:organization:_has:Observation:patient:code=85354-9 => org1
      Patient?_has:Observation:patient:performer.name=house => p1
      Observation?patient._has:Encounter:patient:status=finished => o1 o2 o3
      Patient?_has:Nonsense:x:y=1 => 400
    `));

  it('of every type: _id, _lastUpdated, _tag, _profile, _source', () =>
    answers(`
      Patient?_id=p1,p3 => p1 p3
      Patient?_id:not=p1 => p2 p3
      Observation?patient._id:not=p1&code:missing=false => o4
      Patient?_tag=urn:t|blue => p1
      Patient?_profile=http://example.org/p => p1
      Patient?_source=urn:src => p1
      ?_type=Patient,Observation&_id=p1 => p1
      ?_id=p1,o1,e1 => e1 o1 p1
      ?_tag=blue => p1
      ?name=x => 400
    `));

  it('what is unknown or wrong is 400, and an empty value is as if it were not there', () =>
    answers(`
      Patient?nonsense=x => 400
      Patient?name:nonsense=x => 400
      Patient?birthdate:exact=1970 => 400
      Patient?birthdate=x => 400
      Patient?birthdate=2013-13-01 => 400
      RiskAssessment?probability=x => 400
      Patient?_count=x => 400
      Patient?_sort=nonsense => 400
      Patient?_include=Patient:nonsense => 400
      Patient?gender:missing=x => 400
      Nonsense?x=1 => 404
      Patient?name= => p1 p2 p3
      Patient?birthdate=,, => p1 p2 p3
      Patient?_lastUpdated=, => p1 p2 p3
    `));

  it('_sort: up, down, by several keys', () =>
    answers(
      `
      Patient?_sort=birthdate => p3 p1 p2
      Patient?_sort=-birthdate => p2 p1 p3
      Patient?_sort=family => p1 p2 p3
      Patient?_sort=gender,birthdate => p2 p1 p3
      Patient?_sort=-_id => p3 p2 p1
      Patient?_sort=-_lastUpdated => p3 p2 p1
      RiskAssessment?_sort=-probability => r2 r1
      Observation?_sort=-patient,-date&_id=o1,o3,o4 => o4 o1 o3
    `,
      'match',
      false,
    ));

  it('_include and _revinclude: by type, by any, by all, and iterated', () =>
    answers(
      `
      Observation?_id=o1&_include=Observation:subject => p1
      Observation?_id=o1&_include=Observation:subject:Group =>
      Observation?_id=o1&_include=Observation:* => p1 pr1
      Observation?_id=o1&_include=* => p1 pr1
      Observation?_id=o1&_include=Observation:subject&_include=Patient:organization => p1
      Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof => org1 org2 p1
      Patient?_id=p1&_revinclude=Observation:subject => o1 o2 o3
      Patient?_id=p1&_revinclude=* => e1 m1 o1 o2 o3 p3 r1 r2
      Organization?_id=org2&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization => org1 p1 p2
      Observation?_id=o5&_include:iterate=Observation:derived-from&_include:iterate=Observation:has-member => o1 o3
      MedicationRequest?_include=MedicationRequest:medication&_include=MedicationRequest:patient => med1 p1
    `,
      'include',
    ));

  it('a resource that is matched and included comes once, as a match', async () => {
    const { json } = await server.ask('GET Observation?_id=o1,o3&_include=Observation:has-member');
    assert.deepEqual(entriesOf(json, 'include'), []);
    assert.equal(json.entry.length, 2);
  });

  it('_total=none counts nothing, and _summary=count nothing else', async () => {
    assert.equal((await server.ask('GET Patient?_total=none')).json.total, undefined);
    const { json } = await server.ask('GET Patient?_summary=count');
    assert.deepEqual([json.total, json.entry], [3, undefined]);
  });
});

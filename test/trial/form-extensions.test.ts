import assert from 'node:assert/strict';
import { answerIssues } from '@salus/gateway/trial/answers';
import { formIssues } from '@salus/gateway/trial/form-issues';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';
const UCUM = 'http://unitsofmeasure.org';
const MEGABYTE = 1_048_576;

const extension = (name: string, value: object) => ({ url: `${EXTENSION}${name}`, ...value });
const form = (question: object, more: object = {}) => {
  return { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'q', ...question }], ...more };
};
/** What is said of a response of these items. */
function told(asked: ReturnType<typeof form>, item: readonly object[], status = 'completed'): readonly string[] {
  const response = { resourceType: 'QuestionnaireResponse', status, item };
  return answerIssues(asked, response).map(({ diagnostics = '' }) => diagnostics);
}
/** The same of answers to the one question. */
const said = (question: object, ...answer: readonly object[]) => told(form(question), [{ linkId: 'q', answer }]);
const refused = (asked: object) => formIssues({ ...asked }).map(({ code }) => code);

describe("R4's extensions of a form", () => {
  const times = (least: number, most: number) => [
    extension('questionnaire-minOccurs', { valueInteger: least }),
    extension('questionnaire-maxOccurs', { valueInteger: most }),
  ];
  const texts = (length: number) => Array.from({ length }, (_, n) => ({ valueString: `${n}` }));

  it('say how many answers a question has, of a completed response the least', () => {
    const drugs = { type: 'string', repeats: true, extension: times(2, 3) };
    assert.deepEqual(
      [2, 3].map((count) => said(drugs, ...texts(count)).length),
      [0, 0],
    );
    assert.deepEqual(said(drugs, ...texts(1)), ['q stands there at least 2 times']);
    assert.deepEqual(said(drugs, ...texts(4)), ['q stands there at most 3 times']);
    assert.deepEqual(told(form(drugs), []), ['q stands there at least 2 times']);
    const one = [{ linkId: 'q', answer: texts(1) }];
    assert.deepEqual(told(form(drugs), one, 'in-progress'), []);
    assert.equal(told(form(drugs), [{ linkId: 'q', answer: texts(4) }], 'in-progress').length, 1);
  });

  it('say how many turns a group takes, where it is asked at all', () => {
    const group = { type: 'group', repeats: true, extension: times(2, 2), item: [{ linkId: 'of', type: 'string' }] };
    const turns = (length: number) =>
      Array.from({ length }, () => ({ linkId: 'q', item: [{ linkId: 'of', answer: texts(1) }] }));
    assert.deepEqual(
      [1, 2, 3].map((length) => told(form(group), turns(length)).length),
      [1, 0, 1],
    );
    const asked = { linkId: 'first', type: 'boolean' };
    const when = [{ question: 'first', operator: '=', answerBoolean: true }];
    const two = { ...form({}), item: [asked, { linkId: 'q', ...group, enableWhen: when }] };
    const first = (valueBoolean: boolean) => [{ linkId: 'first', answer: [{ valueBoolean }] }];
    assert.deepEqual([told(two, first(false)).length, told(two, first(true)).length], [0, 1]);
  });

  it('are refused with a form that no response could answer', () => {
    const repeats = { type: 'string', repeats: true };
    assert.deepEqual(refused(form({ ...repeats, extension: times(2, 3) })), []);
    assert.deepEqual(refused(form({ ...repeats, extension: times(3, 2) })), ['invariant']);
    assert.deepEqual(refused(form({ type: 'string', extension: times(2, 3) })), ['invariant']);
    const written = extension('questionnaire-maxOccurs', { valueString: '3' });
    assert.deepEqual(refused(form({ ...repeats, extension: [written] })), ['invariant']);
  });

  it('bound an attachment by its data, or by the size that it tells', () => {
    const file = { type: 'attachment', extension: [extension('maxSize', { valueDecimal: 0.5 })] };
    const of = (bytes: number) => ({ valueAttachment: { data: Buffer.alloc(bytes).toString('base64') } });
    assert.deepEqual(said(file, of(MEGABYTE / 2)), []);
    assert.deepEqual(said(file, of(MEGABYTE / 2 + 1)), ['at most 0.5 MB']);
    const url = 'https://example.org/scan';
    assert.deepEqual(said(file, { valueAttachment: { url, size: MEGABYTE } }), ['at most 0.5 MB']);
    assert.deepEqual(said(file, { valueAttachment: { url, size: 1 } }), []);
    assert.deepEqual(said(file, { valueAttachment: { url } }), ['with its data or its size']);
    const lie = { valueAttachment: { size: 1, data: Buffer.alloc(MEGABYTE).toString('base64') } };
    assert.deepEqual(said(file, lie), ['at most 0.5 MB']);
  });

  it('offer units, by option or by a value set that is listed', () => {
    const kilogram = { system: UCUM, code: 'kg' };
    const option = (valueCoding: object) => extension('questionnaire-unitOption', { valueCoding });
    const options = [option(kilogram), option({ system: UCUM, code: '[lb_av]' }), option({ display: 'stone' })];
    const weight = { type: 'quantity', extension: options };
    const weighs = (unit: object) => ({ valueQuantity: { value: 70, ...unit } });
    for (const unit of [kilogram, { ...kilogram, unit: 'kilo' }, { unit: 'stone' }])
      assert.deepEqual(said(weight, weighs(unit)), []);
    for (const unit of [{ system: UCUM, code: 'g' }, { code: 'kg' }, { unit: 'kg' }, {}])
      assert.deepEqual(said(weight, weighs(unit)), ['in a unit that the form offers'], JSON.stringify(unit));
    const compose = { include: [{ system: UCUM, concept: [{ code: 'kg' }] }] };
    const contained = [{ resourceType: 'ValueSet', id: 'units', compose }];
    const named = (valueCanonical: string) => ({
      ...{ type: 'quantity', extension: [extension('questionnaire-unitValueSet', { valueCanonical })] },
    });
    const listed = form(named('#units'), { contained });
    assert.deepEqual(refused(listed), []);
    assert.deepEqual(told(listed, [{ linkId: 'q', answer: [weighs(kilogram)] }]), []);
    assert.equal(told(listed, [{ linkId: 'q', answer: [weighs({ unit: 'kg' })] }]).length, 1);
    assert.deepEqual(refused(form(named('http://hl7.org/fhir/ValueSet/ucum-units'))), ['not-supported']);
  });

  it('name the types of resources that a reference may be to', () => {
    const types = ['Device', 'Group'].map((valueCode) => extension('questionnaire-referenceResource', { valueCode }));
    const asked = { type: 'reference', extension: types };
    for (const reference of ['Device/1', 'https://example.org/fhir/Group/2/_history/3'])
      assert.deepEqual(said(asked, { valueReference: { reference } }), [], reference);
    assert.deepEqual(said(asked, { valueReference: { type: 'Device', identifier: { value: '1' } } }), []);
    for (const wrong of [{ reference: 'Patient/1' }, { type: 'Patient', reference: 'Device/1' }, { display: 'one' }])
      assert.deepEqual(said(asked, { valueReference: wrong }), ['a reference to Device or Group']);
  });

  it('name options that exclude all others', () => {
    const none = { valueCoding: { system: 'urn:x', code: 'none' } };
    const ache = { valueCoding: { system: 'urn:x', code: 'ache' } };
    const alone = extension('questionnaire-optionExclusive', { valueBoolean: true });
    const answerOption = [ache, { valueString: 'rash' }, { ...none, extension: [alone] }];
    const asked = { type: 'choice', repeats: true, answerOption };
    assert.deepEqual(said(asked, ache, { valueString: 'rash' }), []);
    assert.deepEqual(said(asked, none), []);
    assert.deepEqual(said(asked, ache, none), ['one of these answers excludes all others']);
  });
});

import assert from 'node:assert/strict';
import { answerIssues } from '@salus/gateway/trial/answers';
import { formIssues } from '@salus/gateway/trial/form-issues';
import { MAX_MATCHED_LENGTH, MAX_PATTERN_LENGTH, MAX_PATTERN_SIZE } from '@salus/gateway/trial/value-limits';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';
const GENDER = 'http://hl7.org/fhir/ValueSet/administrative-gender';

const limited = (type: string, name: string, ...values: readonly object[]) => {
  return { type, extension: values.map((value) => ({ url: `${EXTENSION}${name}`, ...value })) };
};
const formOf = (question: object) => {
  return { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'q', ...question }] };
};

/** What is said of one answer to one question; decimals as `JSON.rawJSON`. */
function said(question: object, answer: object): string {
  const response = {
    resourceType: 'QuestionnaireResponse',
    status: 'completed',
    item: [{ linkId: 'q', answer: [answer] }],
  };
  return answerIssues(formOf(question), response)
    .map(({ diagnostics }) => diagnostics)
    .join();
}
const unchecked = (question: object): readonly string[] => {
  return formIssues(formOf(question)).map(({ expression = [], code }) => `${expression.join()} ${code}`);
};

describe('limits of answers', () => {
  const decimal = (text: string) => ({ valueDecimal: JSON.rawJSON(text) });

  it('count decimal places as they were sent, zeros at the end and exponents too', () => {
    const question = limited('decimal', 'maxDecimalPlaces', { valueInteger: 1 });
    for (const text of ['1', '1.5', '12.50e1', '10e-1', '-0.5']) assert.equal(said(question, decimal(text)), '', text);
    for (const text of ['1.50', '1.55', '1.5e-1', '1e-2', '0.10'])
      assert.equal(said(question, decimal(text)), 'at most 1 decimal places', text);
    const quantity = (text: string) => ({ valueQuantity: { value: JSON.rawJSON(text), unit: 'kg' } });
    const weighed = limited('quantity', 'maxDecimalPlaces', { valueInteger: 1 });
    assert.equal(said(weighed, quantity('70.0')), '');
    assert.equal(said(weighed, quantity('70.00')), 'at most 1 decimal places');
  });

  it('compare decimals by their values', () => {
    const most = limited('decimal', 'maxValue', { valueDecimal: 1.5 });
    assert.equal(said(most, decimal('1.500')), '');
    assert.equal(said(most, decimal('1.501')), 'at most 1.5');
    const asked = [{ question: 'q', operator: '=', answerDecimal: 1.5 }];
    const form = { ...formOf({ type: 'decimal' }) };
    form.item.push({ linkId: 'why', ...{ type: 'string', enableWhen: asked } });
    const item = [
      { linkId: 'q', answer: [decimal('1.50')] },
      { linkId: 'why', answer: [{ valueString: 'x' }] },
    ];
    assert.deepEqual(answerIssues(form, { resourceType: 'QuestionnaireResponse', status: 'completed', item }), []);
  });

  it('count characters, from the least to the most, of digits too', () => {
    const least = limited('string', 'minLength', { valueInteger: 3 });
    assert.equal(said(least, { valueString: 'a💉' }), 'at least 3 characters');
    assert.equal(said(least, { valueString: 'a💉c' }), '');
    assert.equal(said({ type: 'decimal', maxLength: 3 }, decimal('1.50')), 'at most 3 characters');
    assert.equal(said({ type: 'decimal', maxLength: 4 }, decimal('1.50')), '');
    assert.equal(said({ type: 'text', maxLength: 2 }, { valueString: 'abc' }), 'at most 2 characters');
  });

  it('hold the whole answer against a pattern, in linear time', () => {
    const pattern = limited('string', 'regex', { valueString: '[A-Z]{2}-\\d{3}' });
    assert.equal(said(pattern, { valueString: 'AB-123' }), '');
    for (const valueString of ['AB-1234', 'xAB-123', 'ab-123', ''])
      assert.match(said(pattern, { valueString }), /^as the pattern says/, valueString);
    const slow = limited('string', 'regex', { valueString: '(a+)+' });
    assert.match(said(slow, { valueString: `${'a'.repeat(MAX_MATCHED_LENGTH - 1)}!` }), /^as the pattern says/);
    assert.equal(said(slow, { valueString: 'a'.repeat(MAX_MATCHED_LENGTH) }), '');
    assert.match(said(slow, { valueString: 'a'.repeat(MAX_MATCHED_LENGTH + 1) }), /at most 1000 characters$/);
  }).timeout(20_000);

  it('let answers pass where a form in force has a pattern that cannot be read', () => {
    for (const valueString of ['(', '(?=a)b', 'a'.repeat(MAX_PATTERN_SIZE - 1)]) {
      assert.equal(said(limited('string', 'regex', { valueString }), { valueString: 'any' }), '', valueString);
    }
  });

  it('find out that a pattern is too large before it is compiled', () => {
    const patternOf = (valueString: string) => unchecked(limited('string', 'regex', { valueString }));
    // A class of many characters is one instruction.
    const longest = `[${'a'.repeat(MAX_PATTERN_LENGTH - 2)}]`;
    assert.deepEqual(patternOf(longest), []);
    assert.equal(patternOf(longest.replace('[', '[a')).length, 1);
    assert.deepEqual(patternOf('(?:[A-Za-z]{2}-\\d{3,5}\\{900\\}){20}'), []);
    const began = performance.now();
    for (let time = 0; time < 20; time += 1) {
      assert.equal(patternOf(`${time}${'(?:(?:a{31}){31})'.repeat(58)}`).length, 1);
      assert.equal(patternOf(`${time}(?:${'a'.repeat(900)}){900}`).length, 1);
    }
    assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`);
  }).timeout(60_000);

  it('take attachments of the media types named', () => {
    const image = limited('attachment', 'mimeType', { valueCode: 'image/png' }, { valueCode: 'image/jpeg' });
    for (const contentType of ['image/png', 'IMAGE/JPEG', 'image/png; q=1'])
      assert.equal(said(image, { valueAttachment: { contentType } }), '', contentType);
    for (const attachment of [{ contentType: 'text/html' }, { title: 'none said' }])
      assert.equal(said(image, { valueAttachment: attachment }), 'of type image/png or image/jpeg');
  });

  it('offer the codes of a value set that R4 lists whole, with their system', () => {
    const gender = { type: 'choice', answerValueSet: `${GENDER}|4.0.1` };
    assert.deepEqual(unchecked(gender), []);
    const system = 'http://hl7.org/fhir/administrative-gender';
    assert.equal(said(gender, { valueCoding: { system, code: 'female' } }), '');
    for (const valueCoding of [{ system, code: 'f' }, { code: 'female' }, { system: 'urn:x', code: 'female' }])
      assert.equal(said(gender, { valueCoding }), 'the form does not offer this answer');
  });

  it('are refused with the form where they cannot be held: other value sets, patterns beyond RE2, other types', () => {
    const extension = 'Questionnaire.item[0].extension invariant';
    assert.deepEqual(unchecked({ type: 'choice', answerValueSet: 'http://loinc.org/vs' }), [
      'Questionnaire.item[0].answerValueSet not-supported',
    ]);
    const patternOf = (valueString: string) => unchecked(limited('string', 'regex', { valueString }));
    for (const pattern of ['(', '(?=a)b', '(a)\\1']) assert.deepEqual(patternOf(pattern), [extension], pattern);
    // Two instructions beside one for each letter.
    assert.deepEqual(patternOf('a'.repeat(MAX_PATTERN_SIZE - 2)), []);
    assert.deepEqual(patternOf('a'.repeat(MAX_PATTERN_SIZE - 1)), [extension]);
    for (const name of ['minLength', 'maxDecimalPlaces', 'mimeType'])
      assert.deepEqual(unchecked(limited('string', name, { valueString: '3' })), [extension], name);
  });
});

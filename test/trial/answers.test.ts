import assert from 'node:assert/strict';
import { answerIssues, MAX_ANSWERED_ITEMS } from '@salus/gateway/trial/answers';
import { formIssues, MAX_FORM_DEPTH, MAX_FORM_ITEMS } from '@salus/gateway/trial/form-issues';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';
const YES = { system: 'urn:x', code: 'yes' };

/** A form of these items. */
const formOf = (...item: readonly object[]) => ({ resourceType: 'Questionnaire', status: 'active', item });
const responseOf = (item: readonly object[], status = 'completed') => {
  return { resourceType: 'QuestionnaireResponse', status, item };
};
const answered = (linkId: string, ...answer: readonly object[]) => ({ linkId, answer });

/** What is wrong with a response of one question, as texts. */
function problems(question: object, ...answer: readonly object[]): readonly string[] {
  const form = formOf({ linkId: 'q', ...question });
  return told(form, responseOf([answered('q', ...answer)]));
}
function told(form: object, response: object): readonly string[] {
  return answerIssues({ ...form }, { ...response }).map(
    ({ expression = [], diagnostics = '' }) => `${expression.join()}: ${diagnostics}`,
  );
}

describe('answers to a case report form', () => {
  const blood = formOf(
    {
      linkId: 'vitals',
      type: 'group',
      required: true,
      item: [
        { linkId: 'note', type: 'display', text: 'seated' },
        { linkId: 'systolic', type: 'integer', required: true },
        {
          linkId: 'arm',
          type: 'choice',
          answerOption: [{ valueCoding: YES }],
          item: [{ linkId: 'why', type: 'string' }],
        },
      ],
    },
    { linkId: 'drug', type: 'group', repeats: true, item: [{ linkId: 'name', type: 'string', required: true }] },
  );
  const vitals = (...item: readonly object[]) => ({ linkId: 'vitals', item });
  const systolic = answered('systolic', { valueInteger: 128 });

  it('are what the form asks for: groups that repeat, questions below answers', () => {
    const drugs = ['a', 'b'].map((valueString) => ({ linkId: 'drug', item: [answered('name', { valueString })] }));
    const why = { valueCoding: YES, item: [answered('why', { valueString: 'swollen' })] };
    assert.deepEqual(told(blood, responseOf([vitals(systolic, answered('arm', why)), ...drugs])), []);
  });

  it('say where they are not: a strange item, a wrong order, twice, in a group, in a display, in the wrong place', () => {
    const at = 'QuestionnaireResponse.item[0]';
    for (const [items, expected] of [
      [[vitals(systolic, answered('pulse', { valueInteger: 1 }))], `${at}.item[1]: the form has no such item here`],
      [
        [{ linkId: 'drug', item: [answered('name', { valueString: 'a' })] }, vitals(systolic)],
        'QuestionnaireResponse.item: items stand in the order of the form',
      ],
      [[vitals(systolic, systolic)], `${at}.item: systolic stands there once`],
      [[vitals(systolic), vitals(systolic)], 'QuestionnaireResponse.item: vitals stands there once'],
      [[{ ...vitals(systolic), answer: [{ valueString: 'x' }] }], `${at}.answer: a group has no answer of its own`],
      [[vitals(answered('note', { valueString: 'x' }), systolic)], `${at}.item[0].answer: a display is not answered`],
      [
        [vitals(systolic, { ...answered('arm', { valueCoding: YES }), item: [answered('why', { valueString: 'x' })] })],
        `${at}.item[1].item: what a question leads to stands below its answer`,
      ],
    ] as const) {
      assert.deepEqual(told(blood, responseOf(items)), [expected]);
    }
  });

  it('have what is required once they are completed, and need not before', () => {
    assert.deepEqual(told(blood, responseOf([])), ['QuestionnaireResponse.item: vitals is required']);
    const half = [vitals(answered('arm', { valueCoding: YES }))];
    assert.deepEqual(told(blood, responseOf(half)), ['QuestionnaireResponse.item[0].item: systolic is required']);
    assert.deepEqual(told(blood, responseOf(half, 'in-progress')), []);
    assert.match(String(told(blood, responseOf(half, 'amended'))), /systolic is required/);
  });

  it('are of the type that is asked for, one unless more are', () => {
    const wrong = [
      ...['boolean', 'decimal', 'integer', 'date', 'dateTime', 'time', 'choice', 'attachment', 'reference', 'quantity'],
    ].map((type) => problems({ type }, { valueUri: 'urn:x' }));
    for (const told of wrong)
      assert.match(String(told), /^QuestionnaireResponse.item\[0\].answer\[0\]: an answer of type/);
    for (const type of ['string', 'text', 'url'])
      assert.match(String(problems({ type }, { valueBoolean: true })), /is value/);
    const right = {
      boolean: { valueBoolean: false },
      decimal: { valueDecimal: 1.5 },
      integer: { valueInteger: 0 },
      date: { valueDate: '2026-01' },
      dateTime: { valueDateTime: '2026-01-01T00:00:00Z' },
      time: { valueTime: '08:00:00' },
      string: { valueString: 'x' },
      text: { valueString: 'x' },
      url: { valueUri: 'urn:x' },
      choice: { valueCoding: YES },
      'open-choice': { valueString: 'other' },
      attachment: { valueAttachment: { title: 'x' } },
      reference: { valueReference: { display: 'x' } },
      quantity: { valueQuantity: { value: 1 } },
    };
    for (const [type, answer] of Object.entries(right)) assert.deepEqual(problems({ type }, answer), [], type);
    const two = [{ valueString: 'a' }, { valueString: 'b' }];
    assert.match(String(problems({ type: 'string' }, ...two)), /one answer is asked for/);
    assert.deepEqual(problems({ type: 'string', repeats: true }, ...two), []);
  });

  it('are among what is offered, which open-choice lets people write themselves', () => {
    const offered = { answerOption: [{ valueCoding: YES }] };
    const other = { valueCoding: { ...YES, code: 'no' } };
    const elsewhere = { valueCoding: { ...YES, system: 'urn:y' } };
    for (const type of ['choice', 'open-choice']) {
      assert.deepEqual(problems({ type, ...offered }, { valueCoding: { ...YES, display: 'Yes' } }), []);
      for (const each of [other, elsewhere])
        assert.match(String(problems({ type, ...offered }, each)), /does not offer/);
    }
    assert.deepEqual(problems({ type: 'open-choice', ...offered }, { valueString: 'perhaps' }), []);
    assert.match(String(problems({ type: 'choice', ...offered }, { valueString: 'perhaps' })), /does not offer/);
    const numbers = { type: 'choice', answerOption: [{ valueInteger: 1 }] };
    assert.deepEqual(problems(numbers, { valueInteger: 1 }), []);
    assert.match(String(problems(numbers, { valueInteger: 2 })), /does not offer/);
    const listed = {
      ...formOf({ linkId: 'q', type: 'choice', answerValueSet: '#v' }),
      contained: [
        { resourceType: 'ValueSet', id: 'v', compose: { include: [{ system: 'urn:x', concept: [{ code: 'yes' }] }] } },
      ],
    };
    assert.deepEqual(told(listed, responseOf([answered('q', { valueCoding: YES })])), []);
    assert.match(String(told(listed, responseOf([answered('q', other)]))), /does not offer/);
  });

  it('keep to the limits of the question', () => {
    const range = (name: string, value: object) => ({ url: `${EXTENSION}${name}`, ...value });
    const pressure = {
      type: 'decimal',
      extension: [range('minValue', { valueDecimal: 40 }), range('maxValue', { valueDecimal: 300.5 })],
    };
    for (const valueDecimal of [40, 300.5]) assert.deepEqual(problems(pressure, { valueDecimal }), []);
    assert.match(String(problems(pressure, { valueDecimal: 39.9 })), /at least 40/);
    assert.match(String(problems(pressure, { valueDecimal: 300.6 })), /at most 300.5/);
    const date = { type: 'date', extension: [range('minValue', { valueDate: '2026-01-01' })] };
    assert.match(String(problems(date, { valueDate: '2025-12-31' })), /at least/);
    assert.deepEqual(problems({ type: 'string', maxLength: 2 }, { valueString: '😀😀' }), []);
    assert.match(String(problems({ type: 'string', maxLength: 2 }, { valueString: '😀😀😀' })), /at most 2 characters/);
  });

  it('stand where another answer makes the question one, and nowhere else', () => {
    const asked = (enableWhen: readonly object[], enableBehavior = 'all') =>
      formOf(
        { linkId: 'n', type: 'integer' },
        { linkId: 's', type: 'choice' },
        { linkId: 'q', type: 'string', required: true, enableWhen, enableBehavior },
      );
    const cases = [
      [{ operator: 'exists', answerBoolean: true }, 5, true],
      [{ operator: 'exists', answerBoolean: false }, 5, false],
      [{ operator: '=', answerInteger: 5 }, 5, true],
      [{ operator: '=', answerInteger: 5 }, 6, false],
      [{ operator: '!=', answerInteger: 5 }, 6, true],
      [{ operator: '!=', answerInteger: 5 }, 5, false],
      [{ operator: '>', answerInteger: 5 }, 6, true],
      [{ operator: '>', answerInteger: 5 }, 5, false],
      [{ operator: '<', answerInteger: 5 }, 4, true],
      [{ operator: '<', answerInteger: 5 }, 5, false],
      [{ operator: '>=', answerInteger: 5 }, 5, true],
      [{ operator: '>=', answerInteger: 5 }, 4, false],
      [{ operator: '<=', answerInteger: 5 }, 5, true],
      [{ operator: '<=', answerInteger: 5 }, 6, false],
    ] as const;
    for (const [when, valueInteger, isAsked] of cases) {
      const form = asked([{ question: 'n', ...when }]);
      const n = answered('n', { valueInteger });
      const [without, having] = [responseOf([n]), responseOf([n, answered('q', { valueString: 'x' })])];
      const name = `${JSON.stringify(when)} of ${valueInteger}`;
      assert.match(String(told(form, isAsked ? without : having)), isAsked ? /q is required/ : /not asked/, name);
      assert.deepEqual(told(form, isAsked ? having : without), [], name);
    }
    const both = [
      { question: 'n', operator: '=', answerInteger: 5 },
      { question: 's', operator: '=', answerCoding: YES },
    ];
    const one = responseOf([answered('n', { valueInteger: 5 }), answered('q', { valueString: 'x' })]);
    assert.match(String(told(asked(both), one)), /not asked/);
    assert.deepEqual(told(asked(both, 'any'), one), []);
  });

  it('are asked for by the nearest answer: in the own turn of a group, then before it, then after it', () => {
    const when = (question: string) => [{ question, operator: '=', answerBoolean: true }];
    const drug = {
      linkId: 'drug',
      type: 'group',
      repeats: true,
      item: [
        { linkId: 'taken', type: 'boolean' },
        { linkId: 'dose', type: 'integer', required: true, enableWhen: when('taken') },
      ],
    };
    const form = formOf(drug, { linkId: 'why', type: 'string', required: true, enableWhen: when('taken') });
    const turn = (valueBoolean: boolean, ...more: readonly object[]) => {
      return { linkId: 'drug', item: [answered('taken', { valueBoolean }), ...more] };
    };
    const dose = answered('dose', { valueInteger: 5 });
    assert.deepEqual(told(form, responseOf([turn(true, dose), turn(false)])), []);
    assert.match(String(told(form, responseOf([turn(true), turn(false)]))), /item\[0\].item: dose is required/);
    assert.match(
      String(told(form, responseOf([turn(true, dose), turn(false, dose)]))),
      /item\[1\].item\[1\]: this is not/,
    );
    assert.match(String(told(form, responseOf([turn(false), turn(true, dose)]))), /why is required/);
    const early = formOf({ linkId: 'why', type: 'string', required: true, enableWhen: when('taken') }, drug);
    assert.match(String(told(early, responseOf([turn(true, dose), turn(false)]))), /why is required/);
  });

  it('may say why there is none, refer to what is offered, and are dates as far as both tell', () => {
    const reason = { extension: [{ url: `${EXTENSION}data-absent-reason`, valueCode: 'unknown' }] };
    assert.deepEqual(problems({ type: 'integer', required: true }, reason), []);
    const ward = { valueReference: { reference: 'Location/1' } };
    const offered = { type: 'choice', answerOption: [ward] };
    assert.deepEqual(problems(offered, { valueReference: { reference: 'Location/1' } }), []);
    assert.match(String(problems(offered, { valueReference: { reference: 'Location/2' } })), /does not offer/);
    const from = (type: string, value: object) => ({ type, extension: [{ url: `${EXTENSION}minValue`, ...value }] });
    const instant = from('dateTime', { valueDateTime: '2025-12-31T23:30:00Z' });
    assert.match(String(problems(instant, { valueDateTime: '2026-01-01T01:00:00+02:00' })), /at least/);
    assert.deepEqual(problems(instant, { valueDateTime: '2026-01-01T02:00:00+02:00' }), []);
    assert.deepEqual(problems(from('date', { valueDate: '2026-01' }), { valueDate: '2026' }), []);
  });

  it('are at most so many', () => {
    const form = formOf({ linkId: 'g', type: 'group', repeats: true, item: [{ linkId: 'q', type: 'string' }] });
    const turns = (length: number) =>
      responseOf(Array.from({ length }, () => ({ linkId: 'g', item: [{ linkId: 'q' }] })));
    assert.deepEqual(told(form, turns(MAX_ANSWERED_ITEMS / 2)), []);
    assert.match(String(told(form, turns(MAX_ANSWERED_ITEMS / 2 + 1))), /at most 2000 items/);
  });

  it('cannot be checked by a form that names what it does not have, or that is too large', () => {
    const at = (form: object) => formIssues({ ...form }).map(({ code, expression }) => `${code} ${String(expression)}`);
    const set = (answerValueSet: string) => formOf({ linkId: 'q', type: 'choice', answerValueSet });
    assert.deepEqual(at(set('http://example.org/vs')), ['not-supported Questionnaire.item[0].answerValueSet']);
    const whole = { resourceType: 'ValueSet', id: 'v', compose: { include: [{ system: 'urn:x' }] } };
    assert.deepEqual(at({ ...set('#v'), contained: [whole] }), ['not-supported Questionnaire.item[0].answerValueSet']);
    const listed = { include: [{ system: 'urn:x', concept: [{ code: 'yes' }] }], exclude: [{ system: 'urn:x' }] };
    assert.deepEqual(at({ ...set('#v'), contained: [{ ...whole, compose: listed }] }).length, 1);
    const when = formOf({
      linkId: 'q',
      type: 'string',
      enableWhen: [{ question: 'z', operator: 'exists', answerBoolean: true }],
    });
    assert.deepEqual(at(when), ['invariant Questionnaire.item[0].enableWhen']);
    const group = { linkId: 'q', type: 'group', item: [{ linkId: 'q', type: 'string' }] };
    assert.deepEqual(at(formOf(group)), ['invariant Questionnaire.item']);
    const many = (length: number) => formOf(...Array.from({ length }, (_, n) => ({ linkId: `q${n}`, type: 'string' })));
    assert.deepEqual(at(many(MAX_FORM_ITEMS)), []);
    assert.deepEqual(at(many(MAX_FORM_ITEMS + 1)), ['too-costly Questionnaire.item']);
    const deep = (depth: number): object =>
      depth === 1 ? { linkId: 'd1', type: 'string' } : { linkId: `d${depth}`, type: 'group', item: [deep(depth - 1)] };
    assert.deepEqual(at(formOf(deep(MAX_FORM_DEPTH))), []);
    assert.deepEqual(at(formOf(deep(MAX_FORM_DEPTH + 1))), ['too-costly Questionnaire.item']);
  });
});

import assert from 'node:assert/strict';

import { labellingCodings } from '@salus/chaincode/consent/decide';
import { labelledText } from '@salus/gateway/consent/labelling-writer';

import { system } from './world.js';

const snomed = (code: string): object => ({ coding: [{ system: system.snomed, code }] });
const written = (fields: object): string => JSON.stringify({ resourceType: 'Condition', id: 'c', ...fields });
const labels = (text: string): string[] => {
  const { meta } = JSON.parse(text) as { meta?: { security?: { code: string }[] } };
  return (meta?.security ?? []).map(({ code }) => code);
};

describe('labels assigned on write', () => {
  it('are N where nothing is sensitive', () => {
    assert.deepEqual(labels(labelledText(written({ code: snomed('195967001') }))), ['N']);
  });

  it('are the kind and R by the codes', () => {
    assert.deepEqual(labels(labelledText(written({ code: snomed('86406008') }))), ['HIV', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: snomed('5602001') }))), ['OPIOIDUD', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: snomed('15167005') }))), ['ETHUD', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: snomed('361055000') }))), ['ETH', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: snomed('370143000') }))), ['PSY', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: snomed('706893006') }))), ['SDV', 'R']);
  });

  it('are by ranges of ICD-10', () => {
    const icd = (code: string) => ({ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] });
    assert.deepEqual(labels(labelledText(written({ code: icd('F11.20') }))), ['OPIOIDUD', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: icd('J45') }))), ['N']);
  });

  it('are by ICD-10 of the WHO, and by ingredients of RxNorm', () => {
    const who = (code: string) => ({ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] });
    assert.deepEqual(labels(labelledText(written({ code: who('F10.2') }))), ['ETHUD', 'R']);
    assert.deepEqual(labels(labelledText(written({ code: who('B24') }))), ['HIV', 'R']);
    const drug = (code: string) => ({ coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }] });
    for (const [code, expected] of [
      ['6813', ['OPIOIDUD', 'R']],
      ['3554', ['ETHUD', 'R']],
      ['7243', ['ETH', 'R']],
      ['2626', ['PSY', 'R']],
      ['1433868', ['HIV', 'R']],
      ['161', ['N']],
    ] as const) {
      assert.deepEqual(labels(labelledText(written({ medicationCodeableConcept: drug(code) }))), expected, code);
    }
  });

  const alcohol = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F10.20' }] };
  const places: readonly object[] = [
    { reasonCode: [alcohol] },
    { valueCodeableConcept: alcohol },
    { component: [{ code: { text: 'x' }, valueCodeableConcept: alcohol }] },
    { conclusionCode: [alcohol] },
    { diagnosis: [{ diagnosisCodeableConcept: alcohol }] },
    { contained: [{ resourceType: 'Condition', id: 'c', code: alcohol }] },
    { entry: [{ resource: { resourceType: 'Condition', code: alcohol } }] },
    { extension: [{ url: 'urn:x', valueCoding: alcohol.coding[0] }] },
  ];
  for (const fields of places) {
    it(`are by codes wherever they stand: ${Object.keys(fields).join()}`, () => {
      assert.deepEqual(labels(labelledText(written(fields))), ['ETHUD', 'R']);
    });
  }

  it('are by the codes of the Medication that is referred to', () => {
    const text = written({ medicationReference: { reference: 'Medication/m' } });
    const medication = JSON.stringify({ resourceType: 'Medication', id: 'm', code: alcohol });
    assert.deepEqual(labels(labelledText(text, (id) => (id === 'm' ? medication : undefined))), ['ETHUD', 'R']);
    assert.deepEqual(labels(labelledText(text, () => undefined)), ['N']);
    assert.deepEqual(labels(labelledText(text, () => '')), ['N']);
  });

  it('are found however deep, in the time that the length takes', () => {
    let deep: object = { valueCodeableConcept: alcohol };
    for (let depth = 0; depth < 5_000; depth += 1) deep = { extension: [deep] };
    assert.deepEqual(labellingCodings({ ...deep }), [alcohol.coding[0]]);
  });

  it('leave what is labelled as it is, and add what is missing', () => {
    const meta = { security: [{ system: system.confidentiality, code: 'V' }] };
    assert.deepEqual(labels(labelledText(written({ meta }))), ['V']);
    assert.deepEqual(labels(labelledText(written({ meta, code: snomed('86406008') }))), ['V', 'HIV']);
    const twice = labelledText(labelledText(written({ code: snomed('86406008') })));
    assert.deepEqual(labels(twice), ['HIV', 'R']);
  });

  it('change nothing else, digits of decimals included', () => {
    const text = '{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.50}}';
    const labelled = labelledText(text);
    assert.ok(labelled.endsWith(',"valueQuantity":{"value":1.50}}'), labelled);
    const tagged = '{"resourceType":"Observation","id":"o","meta":{"tag":[]},"valueQuantity":{"value":1.50}}';
    assert.match(labelledText(tagged), /"value":1\.50/);
    const metas = [
      '"meta":{"extension":[{"url":"x","valueDecimal":1.50}]},"status":"final"',
      '"status":"final","meta":{}',
    ];
    for (const fields of metas) {
      const found = labelledText(`{"resourceType":"Observation","id":"o",${fields}}`);
      assert.deepEqual(labels(found), ['N']);
      assert.equal(found.includes('1.50'), fields.includes('1.50'));
      assert.equal(found.split('"meta"').length, 2);
    }
  });
});

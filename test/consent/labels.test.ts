import assert from 'node:assert/strict';

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

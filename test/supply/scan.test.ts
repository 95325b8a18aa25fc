import assert from 'node:assert/strict';

import { dayOf } from '@salus/gateway/supply/gs1/day';
import { MAX_CODE_LENGTH, readCode } from '@salus/gateway/supply/gs1/element-string';

const GTIN = '09521003000015';
const GS = '\u001d';

describe('the code of a pack as scanners read it', () => {
  it('gives product, serial, lot and last day, in whatever order and spelling', () => {
    const whole = { gtin: GTIN, serial: 'A1/b', batch: 'L-1', expiry: '2027-02-28' };
    for (const code of [
      `01${GTIN}1727022821A1/b${GS}10L-1`,
      `]d201${GTIN}10L-1${GS}21A1/b${GS}17270228`,
      `${GS}01${GTIN}21A1/b${GS}7140123456${GS}10L-1${GS}17270200`,
      `(01)${GTIN}(21)A1/b(10)L-1(17)270228`,
    ]) {
      assert.deepEqual(readCode(code), whole, code);
    }
    assert.deepEqual(readCode(`01${GTIN}21A1`), { gtin: GTIN, serial: 'A1' });
    // What the company says for itself has room for 90 characters.
    assert.equal(readCode(`01${GTIN}21A1${GS}91${'X'.repeat(30)}`).serial, 'A1');
    assert.equal(readCode(`(01)${GTIN}(21)A110B`).serial, 'A110B');
    // Digits of a serial that look like an element are none where all elements are there.
    assert.equal(readCode(`01${GTIN}10L-1${GS}172702282112172702`).serial, '12172702');
  });

  it('is explained where the scanner is set wrong', () => {
    const wrong: readonly [string, RegExp][] = [
      [`01${GTIN}21A110L-117270228`, /drops the group separator/],
      [`01${GTIN}10L-117270228212345`, /drops the group separator/],
      [`01${GTIN}21${'A'.repeat(21)}`, /drops the group separator/],
      [`01${GTIN}1727022821A1B10L-1`, /drops the group separator/],
      [`01${GTIN}21A110L-1${GS}17270228`, /drops the group separator/],
      [`01${GTIN}21A1${GS}91${'X'.repeat(91)}`, /drops the group separator/],
      ['à&àç(é&à', /keyboard layout/],
      [`01${GTIN.slice(0, -1)}621A1`, /check digit/],
      [`01${GTIN}17270228`, /no serial/],
      [`01${GTIN}21A1${GS}17271301`, /no day/],
      ['hello', /no GS1 code/],
      ['1'.repeat(MAX_CODE_LENGTH + 1), /at most/],
    ];
    for (const [code, words] of wrong) assert.throws(() => readCode(code), words, code);
  });

  it('has days of real months alone', () => {
    assert.deepEqual(['280229', '270229', '270400', '271231', '27123'].map(dayOf), [
      '2028-02-29',
      undefined,
      '2027-04-30',
      '2027-12-31',
      undefined,
    ]);
  });
});

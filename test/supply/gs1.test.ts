import assert from 'node:assert/strict';

import { checkDigit, hasCheckDigit } from '@salus/gateway/supply/gs1/check-digit';
import { canonicalEpc, epcUrn, prefixLengthAmong } from '@salus/gateway/supply/gs1/epc';
import { MOST_REFERENCE } from '@salus/gateway/supply/gs1/schemes';
import fc from 'fast-check';

/** URN and canonical Digital Link of one identifier of each kind; company prefix 4012345. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['urn:epc:id:sgtin:4012345.012345.12', 'https://id.gs1.org/01/04012345123456/21/12'],
  ['urn:epc:id:sgtin:4012345.012345.a%2Fb!c', 'https://id.gs1.org/01/04012345123456/21/a%2Fb%21c'],
  ['urn:epc:class:lgtin:4012345.012345.20160711', 'https://id.gs1.org/01/04012345123456/10/20160711'],
  ['urn:epc:idpat:sgtin:4012345.012345.*', 'https://id.gs1.org/01/04012345123456'],
  ['urn:epc:id:sgtin:4012345.012345.*', 'https://id.gs1.org/01/04012345123456/21/%2A'],
  ['urn:epc:id:upui:4012345.012345.AB12', 'https://id.gs1.org/01/04012345123456/235/AB12'],
  ['urn:epc:id:sscc:4012345.0000000333', 'https://id.gs1.org/00/040123450000003338'],
  ['urn:epc:id:sgln:4012345.00011.987', 'https://id.gs1.org/414/4012345000115/254/987'],
  ['urn:epc:id:sgln:4012345.00011.0', 'https://id.gs1.org/414/4012345000115'],
  ['urn:epc:id:pgln:4012345.00000', 'https://id.gs1.org/417/4012345000009'],
  ['urn:epc:id:grai:4012345.66666.87', 'https://id.gs1.org/8003/0401234566666387'],
  ['urn:epc:idpat:grai:4012345.66666.*', 'https://id.gs1.org/8003/04012345666663'],
  ['urn:epc:id:giai:4012345.AAbb', 'https://id.gs1.org/8004/4012345AAbb'],
  ['urn:epc:id:gsrn:4012345.9876540000', 'https://id.gs1.org/8018/401234598765400000'],
  ['urn:epc:id:gsrnp:4012345.0000098765', 'https://id.gs1.org/8017/401234500000987658'],
  ['urn:epc:id:gdti:4012345.55555.98', 'https://id.gs1.org/253/401234555555498'],
  ['urn:epc:id:cpi:4012345.ABC.123', 'https://id.gs1.org/8010/4012345ABC/8011/123'],
  ['urn:epc:id:sgcn:4012345.99999.44', 'https://id.gs1.org/255/401234599999044'],
  ['urn:epc:id:ginc:4012345.333', 'https://id.gs1.org/401/4012345333'],
  ['urn:epc:id:gsin:4012345.999987654', 'https://id.gs1.org/402/40123459999876541'],
  ['urn:epc:id:itip:4012345.012345.01.02.999', 'https://id.gs1.org/8006/040123451234560102/21/999'],
  ['urn:epc:idpat:itip:4012345.012345.01.02.*', 'https://id.gs1.org/8006/040123451234560102'],
];

describe('GS1 identifiers', () => {
  const known = prefixLengthAmong(['40123', '4012345']);

  it('have the check digit of the General Specifications', () => {
    assert.equal(checkDigit('629104150021'), '3');
    assert.equal(checkDigit('37610425002123456'), '9');
    assert.ok(hasCheckDigit('04012345123456'));
    assert.ok(!hasCheckDigit('04012345123457'));
    assert.ok(!hasCheckDigit('7'));
  });

  it(`have keys without check digit of at most ${MOST_REFERENCE} characters`, () => {
    const giai = (size: number): string => `urn:epc:id:giai:4012345.${'A'.repeat(size - '4012345'.length)}`;
    assert.ok(canonicalEpc(giai(MOST_REFERENCE)) !== undefined);
    assert.equal(canonicalEpc(giai(MOST_REFERENCE + 1)), undefined);
  });

  it('change one digit, and the check digit finds it', () => {
    const digits = fc.stringMatching(/^[0-9]{13}$/);
    fc.assert(
      fc.property(digits, fc.nat(12), fc.integer({ min: 1, max: 9 }), (text, at, by) => {
        const whole = text + checkDigit(text);
        const changed = whole.slice(0, at) + String((Number(whole[at]) + by) % 10) + whole.slice(at + 1);
        assert.ok(hasCheckDigit(whole) && !hasCheckDigit(changed));
      }),
    );
  });

  for (const [urn, link] of PAIRS) {
    it(`spell ${urn} as Digital Link and back`, () => {
      assert.equal(canonicalEpc(urn), link);
      assert.equal(canonicalEpc(link), link);
      assert.equal(epcUrn(link, known), urn);
      assert.equal(epcUrn(urn, known), urn);
    });
  }

  it('keep the finest key of a link of any domain, without query, CPV and short names', () => {
    const links = [
      'https://brand.example/some/path/01/04012345123456/22/2A/10/L1/21/12?17=231231',
      'https://id.gs1.org/gtin/4012345123456/lot/L1/ser/12',
      'http://example.org/01/4012345123456/21/12/',
    ];
    for (const link of links) assert.equal(canonicalEpc(link), 'https://id.gs1.org/01/04012345123456/21/12', link);
    assert.equal(canonicalEpc('https://example.org/01/04012345123456/22/2A'), 'https://id.gs1.org/01/04012345123456');
  });

  it('are refused with a wrong check digit, prefix length, serial or form', () => {
    const wrong = [
      'https://id.gs1.org/01/04012345123457/21/12',
      'https://id.gs1.org/00/040123450000003330',
      'https://id.gs1.org/01/0401234512345/21/12',
      'urn:epc:id:sgtin:4012345.0123456.12',
      'urn:epc:id:sgtin:40123.01234567.12',
      'urn:epc:id:sgtin:4012345012345..12',
      `urn:epc:id:sgtin:4012345.012345.${'9'.repeat(21)}`,
      'urn:epc:id:sgtin:4012345.012345',
      'urn:epc:id:sgtin:4012345.012345.a b',
      'urn:epc:id:sscc:4012345.0000000333.1',
      'urn:epc:id:cpi:4012345.ABC.12A',
      'urn:epc:class:sgtin:4012345.012345.12',
      'https://example.org/products/12',
    ];
    for (const uri of wrong) assert.equal(canonicalEpc(uri), undefined, uri);
  });

  it('have no URN where the company prefix is not known', () => {
    assert.equal(epcUrn('https://id.gs1.org/01/09521012345670/21/1', known), undefined);
  });

  it('survive the way to a Digital Link and back, whatever the prefix length and the serial', () => {
    const serial = fc.stringMatching(/^[!-Z_a-z]{1,20}$/).filter((text) => !/[#$@<>?]/.test(text) && text !== '0');
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 12 }), fc.stringMatching(/^[0-9]{13}$/), serial, (length, digits, text) => {
        const [prefix, reference] = [digits.slice(0, length), digits.slice(length)];
        const spelt = Array.from(text)
          .map((each) => (/["%&/]/.test(each) ? encodeURIComponent(each) : each))
          .join('');
        const urn = `urn:epc:id:sgtin:${prefix}.${reference}.${spelt}`;
        const link = canonicalEpc(urn);
        assert.ok(link !== undefined, urn);
        assert.equal(epcUrn(link, prefixLengthAmong([prefix])), urn);
      }),
    );
  });
});

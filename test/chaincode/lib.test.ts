import assert from 'node:assert/strict';
import { canonical } from '@salus/chaincode/dist/lib/canonical.js';
import { composeKey, parseKey } from '@salus/chaincode/dist/lib/kind.js';
import { isSignedBy, parseJws } from '@salus/chaincode/dist/lib/jws.js';
import { decodeRefusal, refuseCall } from '@salus/chaincode/dist/lib/refusal.js';
import {
  MAX_JWS_CHARACTERS,
  compactJws,
  list,
  hex256,
  parseJson,
  MAX_REQUEST_CHARACTERS,
} from '@salus/chaincode/dist/lib/schema.js';
import { isIncluded, merklePath, merkleRoot } from '@salus/chaincode/access/api';
import fc from 'fast-check';
import { SigningKey } from '../support/signing.js';

describe('canonical JSON', () => {
  it('is that of RFC 8785', () => {
    const value = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      literals: [null, true, false],
    };
    assert.equal(
      canonical(value),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    );
    const keys = {
      '\u20ac': 'Euro Sign',
      '\r': 'CR',
      '\ufb33': 'Dalet',
      '1': 'One',
      '\ud83d\ude00': 'Smile',
      '\u0080': 'Control',
      ö: 'O',
    };
    const order = Object.values(JSON.parse(canonical(keys)) as Record<string, string>);
    assert.deepEqual(new Set(order), new Set(Object.values(keys)));
    assert.ok(canonical(keys).indexOf('Euro') < canonical(keys).indexOf('Smile'));
    assert.ok(canonical(keys).indexOf('Smile') < canonical(keys).indexOf('Dalet'));
  });

  it('exists for no lone surrogate, no infinity and no function', () => {
    for (const value of ['\ud800', { '\udc00': 1 }, Infinity, () => 1, [undefined]]) {
      assert.throws(
        () => canonical(value),
        (error: Error) => decodeRefusal(error.message)?.code === 'invalid-request',
      );
    }
  });
});

describe('composite keys', () => {
  it('are one for each list of parts, and come apart again', () => {
    const parts = fc.array(fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/), { minLength: 0, maxLength: 4 });
    fc.assert(
      fc.property(parts, (attributes) => {
        assert.deepEqual(parseKey(composeKey('kind', attributes)), { name: 'kind', attributes });
      }),
    );
    assert.equal(parseKey('plain'), undefined);
  });

  it('take no separator, so that no two lists give one key', () => {
    for (const part of ['a\u0000b', '', 'ä', 'a b', 'x'.repeat(129)]) {
      assert.throws(() => composeKey('kind', [part]));
    }
  });
});

describe('Merkle trees', () => {
  it('prove each item, at its place, and nothing else', () => {
    const items = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 40,
      selector: (bytes) => Buffer.from(bytes).toString('hex'),
    });
    fc.assert(
      fc.property(items, fc.nat(), (list_, pick) => {
        const index = pick % list_.length;
        const [root, path, item] = [merkleRoot(list_), merklePath(list_, index), list_[index]!];
        assert.ok(isIncluded(root, item, index, list_.length, path));
        const elsewhere = (index + 1) % list_.length;
        if (elsewhere !== index) assert.ok(!isIncluded(root, item, elsewhere, list_.length, path));
        assert.ok(!isIncluded(root, Buffer.concat([item, Buffer.of(0)]), index, list_.length, path));
        assert.ok(!isIncluded(root, item, index, list_.length, [...path, root]));
      }),
    );
  });

  it('have the roots of RFC 9162', () => {
    assert.equal(merkleRoot([]).toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const [empty] = [Buffer.alloc(0)];
    assert.equal(
      merkleRoot([empty]).toString('hex'),
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });
});

describe('compact JWS', () => {
  const key = new SigningKey('k-1');
  const compact = key.sign({ a: 1 });

  it('is verified with the key it names, and no other', () => {
    const jws = parseJws(compact)!;
    assert.equal(jws.payload, '{"a":1}');
    assert.ok(isSignedBy(jws, key.jwk));
    assert.ok(!isSignedBy(jws, new SigningKey('k-1').jwk));
    assert.ok(!isSignedBy(jws, { ...key.jwk, kid: 'k-2' }));
    assert.ok(!isSignedBy(jws, { ...key.jwk, y: key.jwk.x }));
    assert.ok(!isSignedBy(parseJws(key.sign({ a: 1 }, { alg: 'none' }))!, key.jwk));
    assert.ok(!isSignedBy(parseJws(key.sign({ a: 1 }, { crit: ['exp'] }))!, key.jwk));
  });

  it('is refused with any character changed, in another encoding, or in parts', () => {
    const [header, , signature] = compact.split('.');
    const forged = parseJws([header, Buffer.from('{"a":2}').toString('base64url'), signature].join('.'))!;
    assert.ok(!isSignedBy(forged, key.jwk));
    for (const broken of [
      `${compact}=`,
      compact.slice(0, -2),
      `${compact}.x`,
      'a.b.c',
      '',
      'W10.e30.' + 'A'.repeat(86),
    ]) {
      assert.equal(parseJws(broken), undefined, broken);
    }
  });

  it(`has at most ${MAX_JWS_CHARACTERS} characters`, () => {
    const tail = `.e30.${'A'.repeat(86)}`;
    assert.ok(compactJws('A'.repeat(MAX_JWS_CHARACTERS - tail.length) + tail, 'jws'));
    assert.throws(() => compactJws('A'.repeat(MAX_JWS_CHARACTERS - tail.length + 1) + tail, 'jws'));
  });
});

describe('requests', () => {
  it('have limits, and refusals that name the field', () => {
    const three = list(hex256, 1, 3);
    const item = 'a'.repeat(64);
    assert.equal(three([item, item, item], 'items').length, 3);
    for (const wrong of [[], [item, item, item, item], 'no list', [item.toUpperCase()]]) {
      assert.throws(() => three(wrong, 'items'), /items/);
    }
    assert.throws(() => parseJson(' '.repeat(MAX_REQUEST_CHARACTERS + 1), 'request'), /longer than/);
  });

  it('are refused as data that survives a text around it', () => {
    const { message } = refuseCall('invalid-request', 'x must be "quoted" {so}');
    const found = decodeRefusal(`error in simulation: transaction returned with failure: ${message}, see above`);
    assert.deepEqual(found, { category: 'invalid', code: 'invalid-request', detail: 'x must be "quoted" {so}' });
    assert.equal(decodeRefusal('no refusal'), undefined);
    assert.equal(decodeRefusal('{"category":"odd","code":"a","detail":"b"}'), undefined);
  });
});

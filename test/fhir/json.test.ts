import { strict as assert } from 'node:assert';

import { JSON_LIMITS, parseBody, plainOf } from '@salus/gateway/fhir/json';
import { withVersion, writtenText } from '@salus/gateway/fhir/meta';
import { Refusal } from '@salus/gateway/ledger/refusal';

describe('exact JSON', () => {
  const refused = (text: string, code: string): void => {
    assert.throws(
      () => parseBody(text),
      (error: unknown) => error instanceof Refusal && error.code === code,
    );
  };

  it('writes every number as it was read', () => {
    for (const number of ['1', '-1', '1.0', '0.10', '1e3', '1E-7', '123456789012345678901234567890', '-0', '5.4']) {
      const { exact, plain } = parseBody(`{"a":[${number}]}`);
      assert.equal(JSON.stringify(exact), `{"a":[${number}]}`);
      assert.deepEqual(plain, { a: [Number(number)] });
      assert.deepEqual(plainOf(exact), plain);
      assert.equal(plainOf(plain), plain);
    }
  });

  it('is not misled by digits, quotes and braces in strings', () => {
    const value = { a: '1.0 {"a":1,"a":2} \\', 'b\\"': '\u2028"', c: ['[', ':'] };
    assert.deepEqual(parseBody(JSON.stringify(value)).exact, value);
  });

  it('refuses what is no JSON without quoting it', () => {
    assert.throws(
      () => parseBody('{"name":"Secret" x}'),
      (error: unknown) => error instanceof Refusal && !error.detail.includes('Secret'),
    );
  });

  it('refuses a key that stands twice, however it is written', () => {
    refused('{"a":1,"a":2}', 'structure');
    refused('{"a":1,"\\u0061":2}', 'structure');
    refused('[{"x":{"b":1 , "b" : 2}}]', 'structure');
    refused('{"__proto__":1}', 'structure');
    assert.ok(parseBody('[{"a":1},{"a":2,"b":{"a":3}}]'));
  });

  it('takes each limit and refuses one over', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    assert.ok(parseBody(nested(JSON_LIMITS.depth)));
    refused(nested(JSON_LIMITS.depth + 1), 'too-costly');
    const keys = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(',')}}`;
    assert.ok(parseBody(keys(JSON_LIMITS.keysPerObject)));
    refused(keys(JSON_LIMITS.keysPerObject + 1), 'too-costly');
    const string = (length: number): string => `"${'x'.repeat(length - 1)}"`;
    assert.ok(parseBody(string(JSON_LIMITS.stringLength)));
    refused(string(JSON_LIMITS.stringLength + 2), 'too-costly');
    const values = (count: number): string => `[${'1,'.repeat(count - 2)}1]`;
    assert.ok(parseBody(values(JSON_LIMITS.values)));
    refused(values(JSON_LIMITS.values + 1), 'too-costly');
  });
});

describe('version and time in a text', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const meta = (text: string): unknown => (JSON.parse(withVersion(text, 3, time)) as { meta: unknown }).meta;

  it('are put in wherever meta is, and once', () => {
    assert.deepEqual(meta('{"resourceType":"Patient","id":"a","active":true}'), { versionId: '3', lastUpdated: time });
    assert.deepEqual(meta('{"resourceType":"Patient","id":"a"}'), { versionId: '3', lastUpdated: time });
    const tagged = { versionId: '3', lastUpdated: time, tag: [{ code: 'x' }] };
    assert.deepEqual(meta('{"resourceType":"Patient","id":"a","meta":{"tag":[{"code":"x"}]},"active":true}'), tagged);
    assert.deepEqual(meta('{"id":"a","meta":{"versionId":"9","tag":[{"code":"x"}]},"resourceType":"Patient"}'), tagged);
    assert.deepEqual(meta('{"resourceType":"Patient","id":"a","meta":{},"active":true}'), {
      versionId: '3',
      lastUpdated: time,
    });
  });

  it('are no part of what is written', () => {
    const resource = {
      id: 'old',
      meta: { versionId: '1', lastUpdated: time, source: 'urn:x' },
      resourceType: 'Patient',
    };
    assert.equal(writtenText(resource, 'new'), '{"resourceType":"Patient","id":"new","meta":{"source":"urn:x"}}');
  });
});

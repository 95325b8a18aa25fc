/** Malformed requests by kind: each must be refused, whatever the random numbers make of it. */
import { gzipSync } from 'node:zlib';

import { JSON_LIMITS } from '@salus/gateway/fhir/json';
import { BODY_LIMIT } from '@salus/gateway/fhir/received';
import { BUNDLE_ENTRY_LIMIT } from '@salus/gateway/fhir/bundle';
import { PATCH_LIMIT } from '@salus/gateway/fhir/patch';
import { SEARCH_LIMITS } from '@salus/gateway/fhir/search-request';

import {
  anything,
  FORM_TYPE,
  type Garbage,
  JSON_TYPE,
  type Kind,
  patientText,
  PATCH_TYPE,
  pick,
  post,
  type Random,
} from './garbage-parts.js';

const notJson: Kind = (random) => {
  const at = 1 + Math.floor(random() * (patientText.length - 2));
  const broken = [
    ...[
      patientText.slice(0, at),
      `${patientText}}`,
      `${patientText}{}`,
      `{"resourceType":'Patient'}`,
      'null',
      '[]',
      '5',
    ],
    ...[
      '{"resourceType":"Patient",}',
      '{resourceType:"Patient"}',
      '// x\n{}',
      '{"resourceType":"Patient","active":NaN}',
    ],
    ...['"Patient"', '', ' ', '{"resourceType":"Patient","x":01}', '{"resourceType":"Patient","language":"a\nb"}'],
    ...['['.repeat(100_000), '{"a":'.repeat(50_000), `{"resourceType":"Patient","active":${'-'.repeat(at + 2)}1}`],
  ];
  return post(pick(random, ['Patient', '', 'Consent', 'Patient/$validate', 'Observation']), pick(random, broken));
};

const badKeys: Kind = (random) => {
  const twice = pick(random, ['resourceType', 'birthDate', 'name', 'b\\u0069rthDate', '__proto__']);
  return post('Patient', patientText.replace(/}$/, `,"${twice}":"1971-01-01","${twice}":null}`));
};

const badText: Kind = (random) => {
  const bytes = Buffer.from(patientText);
  const at = bytes.indexOf('GARBAGE') + Math.floor(random() * 6);
  bytes[at] = pick(random, [0x80, 0xbf, 0xc0, 0xc1, 0xf5, 0xff]);
  const lone = patientText.replace('GARBAGE', pick(random, ['\\ud800', 'x\\uDFFFx', '\\ud83d\\ud83d']));
  const control = patientText.replace('GARBAGE', pick(random, ['\\u0000', '\\u0007x', '\\u001f']));
  return post('Patient', pick<string | Buffer>(random, [bytes, lone, control]));
};

const oneOver: Kind = (random) => {
  const { depth, keysPerObject, values } = JSON_LIMITS;
  const many = (count: number, make: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => make(at)).join(',');
  const inPatient = (text: string): string => `{"resourceType":"Patient",${text}}`;
  const entry = '{"request":{"method":"DELETE","url":"Basic/x"}}';
  return pick<() => Garbage>(random, [
    () => post('Patient', `${patientText}${' '.repeat(BODY_LIMIT + 1 - patientText.length)}`),
    () => post('Patient', inPatient(`"extension":${'['.repeat(depth)}${']'.repeat(depth)}`)),
    () => post('Patient', inPatient(many(keysPerObject, (at) => `"k${at}":1`))),
    () => post('Patient', inPatient(`"extension":[${many(values + 1, () => '1')}]`)),
    () =>
      post('', `{"resourceType":"Bundle","type":"transaction","entry":[${many(BUNDLE_ENTRY_LIMIT + 1, () => entry)}]}`),
    () => ({
      method: 'GET',
      path: `Patient?${Array(SEARCH_LIMITS.parameters + 1)
        .fill('gender=male')
        .join('&')}`,
    }),
    () => ({
      ...{ method: 'PATCH', path: 'Patient/x', headers: PATCH_TYPE },
      body: `[${many(PATCH_LIMIT + 1, () => '{"op":"remove","path":"/a"}')}]`,
    }),
  ])();
};

const badMedia: Kind = (random) => {
  const types = [
    'text/plain',
    'application/xml',
    'application/fhir+xml',
    'application/octet-stream',
    ';;;',
    'multipart/form-data',
  ];
  const charset = { 'content-type': `application/fhir+json; charset=${pick(random, ['utf-16', 'latin1', 'x-none'])}` };
  return pick<() => Garbage>(random, [
    () => post('Patient', patientText, { 'content-type': pick(random, types) }),
    () => post('Patient', patientText, charset),
    () => post('Patient', patientText, { 'content-encoding': pick(random, ['gzip', 'br', 'deflate', 'zstd', 'x']) }),
    () => post('Patient', gzipSync(patientText).subarray(0, 40), { 'content-encoding': 'gzip' }),
    () => ({ method: 'POST', path: 'Patient/_search', headers: { 'content-type': 'text/csv' }, body: 'gender=male' }),
    () => ({ method: 'PATCH', path: 'Patient/x', headers: JSON_TYPE, body: '[]' }),
    () => ({
      method: 'GET',
      path: 'Patient',
      headers: { accept: pick(random, ['application/fhir+xml', 'text/html']) },
    }),
    () => ({ method: 'GET', path: `Patient?_format=${pick(random, ['xml', 'ttl', '%00', 'json%0d%0ax'])}` }),
  ])();
};

const badAddress: Kind = (random) => {
  const ids = [
    'a_b',
    'x'.repeat(65),
    '%00',
    '%ff',
    '%E0%A4%A',
    '..%2f..%2fetc',
    '%2e%2e',
    'a%20b',
    "'",
    '<x>',
    '%25',
    'ü',
  ];
  const id = encodeURI(pick(random, ids)).replaceAll('%25', '%');
  const paths = [`Patient/${id}`, `Patient/${id}/_history`, `Patient/x/_history/${id}`, `Patient/${id}/$everything`];
  const more = [
    `Nothing/${id}`,
    'patient/1',
    'Patient/1/2/3/4',
    '$nothing',
    'Patient/$nothing',
    '__proto__',
    'constructor/1',
  ];
  return { method: pick(random, ['GET', 'GET', 'HEAD', 'DELETE']), path: pick(random, [...paths, ...more]) };
};

const badMethod: Kind = (random) => {
  const method = pick(random, ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE', 'LOCK', 'M-SEARCH', 'LINK']);
  const path = pick(random, [
    'metadata',
    'Patient/x/_history',
    'Patient/x/_history/1',
    '_history',
    'Patient/x/$everything',
  ]);
  return { method, path, headers: JSON_TYPE, ...(method === 'TRACE' ? {} : { body: patientText }) };
};

const badParameter: Kind = (random) => {
  const values = [
    'birthdate=never',
    'birthdate=gt',
    '_lastUpdated=yesterday',
    'nothing=1',
    '_count=-1',
    '_count=x',
    '_total=x',
  ];
  const more = [
    '_sort=nothing',
    '_include=x',
    '_include=Patient:name',
    '_revinclude=:::',
    '_summary=maybe',
    '_cursor=garbage',
  ];
  const wrong = ['gender:below=x', 'name:nothing=x', '_has:x=1', '_has:Observation:nothing:code=1', 'constructor=1'];
  const others = [
    '__proto__=1',
    '_filter=x',
    '_text=%22x',
    '_content=(x',
    '_list=$current-allergies',
    '_query=x',
    'birthdate=2020-13-45',
  ];
  const query = pick(random, [...values, ...more, ...wrong, ...others]);
  if (random() < 0.3) return { method: 'POST', path: 'Patient/_search', headers: FORM_TYPE, body: query };
  const further = [
    'Observation?value-quantity=abc',
    'Observation?date=ap',
    'Observation?code:in=x',
    '_history?_since=x',
  ];
  const history = [
    'Patient/_history?_cursor=x',
    'Patient/_history?_at=x',
    'Observation/$lastn?max=0',
    'Observation/$lastn',
  ];
  return { method: 'GET', path: pick(random, [`Patient?${query}`, ...further, ...history]) };
};

const badHeader: Kind = (random) => {
  const junk = pick(random, ['junk', '%%%', '"', 'W/', '\u00e9'.repeat(40), '{}', '*,*', 'a'.repeat(4_000)]);
  const update = { method: 'PUT', path: 'Patient/none', body: patientText.replace('{', '{"id":"none",') };
  return pick<() => Garbage>(random, [
    () => ({ ...update, headers: { ...JSON_TYPE, 'if-match': junk } }),
    () => post('Patient', patientText, { 'if-none-exist': pick(random, ['', 'junk', '_count=1', 'birthdate=x', '%']) }),
    () => ({ method: 'GET', path: 'Patient', headers: { 'x-min-block': junk } }),
    () => ({ method: 'GET', path: 'Patient', headers: { authorization: `Bearer ${junk}` } }),
    () => ({ method: 'GET', path: 'Patient', headers: { 'x-purpose-of-use': junk } }),
    () => post('Consent', '{"resourceType":"Consent"}', { 'x-statement': junk }),
  ])();
};

const badContent: Kind = (random) => {
  const types = { Patient: ['name', 'birthDate', 'gender', 'contact', 'meta', 'contained', 'link', 'id', 'text'] };
  const more = { Observation: ['status', 'code', 'valueQuantity', 'component', 'subject', 'effectiveDateTime'] };
  const [type, elements] = pick(
    random,
    Object.entries({ ...types, ...more, Consent: ['provision', 'scope', 'patient'] }),
  );
  const wrong = Object.fromEntries(elements.filter(() => random() < 0.5).map((name) => [name, anything(random)]));
  const resource = { resourceType: type, ...wrong, nonsense: anything(random) };
  return post(type, JSON.stringify(resource));
};

const badBundle: Kind = (random) => {
  const request = pick(random, [
    ...[null, 5, 'GET', [], {}, { method: 'get', url: 'Patient' }, { method: 'POST' }, { method: 'POST', url: 5 }],
    ...[
      { method: 'PUT', url: 'Patient' },
      { method: 'POST', url: '../x' },
      { method: 'PATCH', url: 'Patient/x' },
    ],
    ...[
      { method: 'DELETE', url: '' },
      { method: 'PUT', url: 'Patient/a_b' },
      { method: 'DELETE', url: 'Patient?x=1' },
    ],
    { method: 'POST', url: 'Patient', ifNoneExist: 5 },
  ]);
  const entry = pick(random, [
    ...[null, 5, [[]], {}, 'x', [null], [{ request, resource: null }]],
    ...[
      [{ request, resource: anything(random) }],
      [{ request, fullUrl: 5 }],
      [{ request, resource: { resourceType: 'X' } }],
    ],
  ]);
  return post(
    '',
    JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry, ...(entry === null && { type: 'x' }) }),
  );
};

const badOperation: Kind = (random) => {
  const body = { resourceType: pick(random, ['Parameters', 'X', 5]), parameter: anything(random) };
  const path = pick(random, ['$meta-add', '$meta-delete', '$patient-key', '$nothing']);
  if (random() < 0.7)
    return post(`Patient/{patient}/${path}`, pick(random, [JSON.stringify(body), 'null', '[]', '{', '']));
  const operations = [{ op: 'fly' }, null, { op: 'add', path: 5 }, { op: 'add', path: '/__proto__/x', value: 1 }, {}];
  return {
    method: 'PATCH',
    path: 'Patient/none',
    headers: PATCH_TYPE,
    body: JSON.stringify([pick(random, operations)]),
  };
};

/** By name; large bodies come seldom. */
const kinds: readonly (readonly [name: string, weight: number, kind: Kind])[] = [
  ...([
    ['not JSON', 8, notJson],
    ['keys', 3, badKeys],
    ['text', 5, badText],
    ['one over', 1, oneOver],
  ] as const),
  ...([
    ['media', 5, badMedia],
    ['address', 8, badAddress],
    ['method', 4, badMethod],
  ] as const),
  ...([
    ['parameter', 8, badParameter],
    ['header', 6, badHeader],
    ['content', 12, badContent],
  ] as const),
  ...([
    ['bundle', 10, badBundle],
    ['operation', 8, badOperation],
  ] as const),
];

/** One malformed request, and what is wrong with it. */
export function garbage(random: Random): { readonly name: string; readonly request: Garbage } {
  let at = random() * kinds.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight, kind] of kinds) {
    at -= weight;
    if (at < 0) return { name, request: kind(random) };
  }
  return { name: 'not JSON', request: notJson(random) };
}

import { strict as assert } from 'node:assert';

import { attachedIn } from '@salus/gateway/projection/values/attached';
import { optOut, patient } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { coded, glucoseOf, to } from './about.js';
import { Desk } from './desk.js';

const HL7 = 'http://terminology.hl7.org/CodeSystem';
const CLASSES = 'http://hl7.org/fhir/resource-types';
const CONTENT = { resourceType: 'Binary', contentType: 'text/plain', data: 'aGVsbG8=' };
const MISSING = 'Binary/nobody-wrote-this';

const documentOf = (of: string, url: string, more: object = {}): object => ({
  ...{ resourceType: 'DocumentReference', status: 'current', subject: to(of), content: [{ attachment: { url } }] },
  ...more,
});
const mediaOf = (of: string, url: string): object => ({
  ...{ resourceType: 'Media', status: 'completed', subject: to(of), content: { url } },
});
/** Everything else that may attach content to a record. */
const others = (of: string): readonly ((url: string) => object)[] => [
  (url) => mediaOf(of, url),
  (url) => ({
    ...{ resourceType: 'DiagnosticReport', status: 'final', code: coded('report'), subject: to(of) },
    presentedForm: [{ url }],
  }),
  (url) => ({ ...patient, id: of.slice('Patient/'.length), photo: [{ url }] }),
  (url) => ({ ...optOut(of.slice('Patient/'.length), {}), status: 'draft', sourceAttachment: { url } }),
  (url) => ({
    ...{ resourceType: 'Communication', status: 'completed', subject: to(of) },
    payload: [{ contentReference: to(url) }],
  }),
  (url) => ({ resourceType: 'DocumentManifest', status: 'current', subject: to(of), content: [to(url)] }),
  (url) => ({
    ...{ resourceType: 'Observation', status: 'final', code: coded('seen'), subject: to(of) },
    contained: [{ resourceType: 'Media', id: 'm', status: 'completed', content: { url } }],
    derivedFrom: [to('#m')],
  }),
];

describe('a Binary, over HTTP', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const { ask, made, consented } = new Desk(network);

  async function denied(of: string, user: string, more: object = {}): Promise<void> {
    const actor = [{ role: coded('IRCP'), reference: { identifier: { system: 'urn:salus:user', value: user } } }];
    await consented(of, { type: 'deny', actor, ...more });
  }

  /** What an answer says, without the id asked for and what is new in each. */
  const told = ({ status, text, headers }: Answer, name: string): unknown => [
    ...[status, headers.get('etag'), headers.get('x-tx-id'), headers.get('content-type')],
    text.replaceAll(name.slice('Binary/'.length), 'ID'),
  ];

  /** Whether somebody is shown it, in whatever way it is asked for; what is not shown is as what is not there. */
  async function sees(user: string, name: string): Promise<boolean> {
    const id = name.slice('Binary/'.length);
    const [absent, read] = [await ask(user, MISSING), await ask(user, name)];
    const isSeen = read.status === 200;
    if (!isSeen) assert.deepEqual(told(read, name), told(absent, MISSING));
    assert.equal((await ask(user, `${name}/_history/1`)).status, read.status);
    assert.equal((await ask(user, `${name}/_history`)).status, read.status);
    const searched = (await ask(user, `Binary?_id=${id}&_total=accurate`)).body;
    assert.deepEqual([searched.total, searched.entry?.length ?? 0], isSeen ? [1, 1] : [0, 0]);
    assert.equal((await ask(user, `Binary/_history?_count=100`)).text.includes(`Binary/${id}`), isSeen);
    const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: name } }] };
    const { entry = [] } = (await ask(user, '', { body })).body;
    assert.equal(entry[0]?.response?.status.startsWith('200'), isSeen);
    return isSeen;
  }

  it('is its writer alone who sees what nothing attaches yet', async () => {
    const name = await made(CONTENT, 'dr-writer');
    assert.deepEqual([await sees('dr-writer', name), await sees('dr-desk', name)], [true, false]);
    assert.equal((await ask('dr-desk', 'Binary?_summary=count')).body.total, 0);
    assert.equal((await ask('dr-desk', name, { method: 'DELETE' })).status, 204);
    assert.equal(await sees('dr-writer', name), true);
  });

  it('is decided by whatever attaches it', async () => {
    const a = await made(patient);
    await denied(a, 'dr-denied');
    for (const attaching of [(url: string) => documentOf(a, url), ...others(a)]) {
      const name = await made(CONTENT);
      const by = await made(attaching(name));
      assert.deepEqual([await sees('dr-other', name), await sees('dr-denied', name)], [true, false], by);
    }
  });

  it('is found by this address, and by a version', async () => {
    const a = await made(patient);
    const [, base = ''] = /"fullUrl":"([^"]*\/)Patient\//.exec((await ask('dr-desk', `${a}/_history`)).text) ?? [];
    const name = await made(CONTENT, 'dr-writer');
    assert.equal(await sees('dr-other', name), false);
    await made(documentOf(a, `${base}${name}/_history/1`));
    assert.equal(await sees('dr-other', name), true);
  });

  it('is denied with the one that attaches it, though the patient denied no more than that', async () => {
    const a = await made(patient);
    await denied(a, 'dr-classes', { class: [{ system: CLASSES, code: 'DocumentReference' }] });
    await denied(a, 'dr-labels', { securityLabel: [{ system: `${HL7}/v3-ActCode`, code: 'PSY' }] });
    const [letter, note, picture] = [await made(CONTENT), await made(CONTENT), await made(CONTENT)];
    await made(documentOf(a, letter));
    await made(documentOf(a, note, { meta: { security: [{ system: `${HL7}/v3-ActCode`, code: 'PSY' }] } }));
    await made(mediaOf(a, picture));
    const seen = async (user: string): Promise<boolean[]> => [
      await sees(user, letter),
      await sees(user, note),
      await sees(user, picture),
    ];
    assert.deepEqual(await seen('dr-other'), [true, true, true]);
    assert.deepEqual(await seen('dr-classes'), [false, false, true]);
    assert.deepEqual(await seen('dr-labels'), [true, false, true]);
    // Who may not see it does not come to see it by attaching it once more.
    await made(mediaOf(a, letter), 'dr-classes');
    assert.deepEqual(await seen('dr-classes'), [false, false, true]);
  });

  it('is decided by its securityContext, beside what attaches it', async () => {
    const a = await made(patient);
    const code = [{ coding: [{ system: 'http://loinc.org', code: '2339-0' }] }];
    await denied(a, 'dr-glucose', { code });
    const observation = await made(glucoseOf(a, 81));
    const name = await made({ ...CONTENT, securityContext: to(observation) });
    assert.deepEqual([await sees('dr-other', name), await sees('dr-glucose', name)], [true, false]);
    await made(mediaOf(a, name));
    assert.deepEqual([await sees('dr-other', name), await sees('dr-glucose', name)], [true, false]);
  });

  it('is its writer alone again who sees what is attached no more', async () => {
    const a = await made(patient);
    const name = await made(CONTENT, 'dr-writer');
    const by = await made(mediaOf(a, name));
    assert.equal(await sees('dr-other', name), true);
    await ask('dr-desk', by, { method: 'DELETE' });
    assert.deepEqual([await sees('dr-writer', name), await sees('dr-other', name)], [true, false]);
  });

  it('is for an app by one of what attaches it that its scopes reach', async () => {
    const a = await made(patient);
    const name = await made(CONTENT);
    await made(documentOf(a, name));
    const asApp = async (scope: string): Promise<number> => (await ask('dr-desk', name, { scope })).status;
    assert.equal(await asApp('user/Binary.rs user/Media.rs'), 404);
    await made(mediaOf(a, name));
    assert.equal(await asApp('user/Binary.rs user/Media.rs'), 200);
    assert.equal(await asApp('user/Media.rs'), 403);
  });
});

describe('what a resource attaches', () => {
  it('is whatever an address of content or a reference to it says, and nothing else', () => {
    const found = attachedIn(
      {
        ...{ resourceType: 'DocumentManifest', id: 'm', url: 'Binary/a', subject: { reference: 'Binary/no' } },
        content: [{ reference: 'http://here/fhir/Binary/b/_history/2' }, { attachment: { url: 'Binary/c#x' } }],
        contained: [{ content: { url: 'http://here/fhir/Binary/d?_format=json', title: 'Binary/no' } }],
        ...{ extension: [{ url: 'http://else/Binary/no' }, { url: 7 }, null], data: 'Binary/no' },
      },
      'http://here/fhir/',
    );
    assert.deepEqual([...found].sort(), ['Binary/a', 'Binary/b', 'Binary/c', 'Binary/d']);
  });
});

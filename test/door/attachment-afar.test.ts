/** Content that another hospital's record attaches, asked for there and checked here. */
import assert from 'node:assert/strict';

import { ON_LEDGER_LIMIT } from '@salus/gateway/keys/beside';

import { patient, resourcesOf, treatmentByNorthside } from '../story/people.js';
import { falsify } from '../support/change-projection.js';
import { networkOfSuite, type Answer } from '../support/network.js';

const PSY = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };
const SCAN = 'image/png';
/** Of the one all lies on the ledger, of the other only what it is named by. */
const SHORT = Buffer.from('a short scan');
const LONG = Buffer.from('a scan of many pages '.repeat(ON_LEDGER_LIMIT / 16));

describe('an attachment at another hospital', function () {
  this.timeout(240_000);
  const network = networkOfSuite();
  let adams: string;
  let baker: string;
  let ann: string;
  let ben: string;
  let headers: Record<string, string> = {};

  const sent = async (path: string, body: object, token = adams): Promise<string> => {
    const answer = await network.ask('stmary', path, { token, body });
    assert.equal(answer.status, 201, answer.text);
    headers = { 'x-min-block': answer.headers.get('x-block') ?? '0' };
    return String(answer.body.id);
  };
  const admitted = async (): Promise<string> => {
    const id = await sent('Patient', patient);
    const own = await network.token({ member: 'stmary', user: `pat-${id}`, role: 'patient', patient: id });
    // Everything but what is psychiatric.
    const permit = treatmentByNorthside(id, { provision: [{ type: 'deny', securityLabel: [PSY] }] });
    await sent('Consent', permit, own);
    return id;
  };
  const scan = (content: Buffer): Promise<string> =>
    sent('Binary', { resourceType: 'Binary', contentType: SCAN, data: content.toString('base64') });
  const attach = (binary: string, of: string, more: object = {}): Promise<string> =>
    sent('DocumentReference', {
      ...{ resourceType: 'DocumentReference', status: 'current', subject: { reference: `Patient/${of}` } },
      content: [{ attachment: { contentType: SCAN, url: `Binary/${binary}` } }],
      ...more,
    });
  const afar = (path: string, more: Record<string, string> = {}, token = baker): Promise<Answer> =>
    network.ask('northside', path, { token, headers: { ...headers, ...more } });
  const content = async (binary: string, of: string): Promise<Buffer | undefined> => {
    const url = `${network.fhir('northside')}/Binary/${binary}?patient=${of}`;
    const response = await fetch(url, { headers: { ...headers, authorization: `Bearer ${baker}`, accept: SCAN } });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    assert.equal(response.status, 200, bytes.toString());
    assert.equal(response.headers.get('content-type'), SCAN);
    assert.match(response.headers.get('content-security-policy') ?? '', /sandbox/);
    return bytes;
  };
  /** Not shown in any way it can be asked for, and as what is not there. */
  const isAbsent = async (binary: string, of: string): Promise<void> => {
    for (const path of ['', '/_history', '/_history/1']) {
      const [denied, absent] = [
        await afar(`Binary/${binary}${path}?patient=${of}`),
        await afar(`Binary/nothing${path}?patient=${of}`),
      ];
      const told = denied.text.replaceAll(binary, 'nothing');
      assert.deepEqual([denied.status, told], [404, absent.text], path);
      assert.equal(absent.status, 404);
    }
    assert.equal(await content(binary, of), undefined);
  };

  before(async () => {
    adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    [ann, ben] = [await admitted(), await admitted()];
  });

  for (const [name, bytes] of [
    ['on', SHORT],
    ['beside', LONG],
  ] as const) {
    it(`is read as a resource and as what it is, where it lies ${name} the ledger, with a trace before it is shown`, async () => {
      const binary = await scan(bytes);
      await attach(binary, ann);
      const read = await afar(`Binary/${binary}?patient=${ann}`);
      assert.equal(read.status, 200, read.text);
      assert.equal(read.body.data, bytes.toString('base64'));
      assert.equal((read.body.meta as { source?: string }).source, 'urn:salus:member:stmary');
      assert.deepEqual(await content(binary, ann), bytes);
      assert.equal((await afar(`Binary/${binary}/_history/1?patient=${ann}`)).body.data, bytes.toString('base64'));
      const history = await afar(`Binary/${binary}/_history?patient=${ann}`);
      assert.deepEqual(
        resourcesOf(history.body).map(({ data }) => data),
        [bytes.toString('base64')],
      );
      const own = await network.token({ member: 'stmary', user: `pat-${ann}`, role: 'patient', patient: ann });
      const { text } = await network.ask('stmary', `AuditEvent?patient=${ann}&_count=200`, { token: own, headers });
      assert.match(text, /Binary/);
    });
  }

  it('is decided by all that attaches it, and is data of nobody else', async () => {
    const alone = await scan(SHORT);
    await isAbsent(alone, ann);
    const psychiatric = await scan(SHORT);
    await attach(psychiatric, ann, { meta: { security: [PSY] } });
    await isAbsent(psychiatric, ann);
    const twice = await scan(SHORT);
    await attach(twice, ann);
    assert.deepEqual(await content(twice, ann), SHORT);
    await attach(twice, ann, { meta: { security: [PSY] } });
    await isAbsent(twice, ann);
    const shared = await scan(SHORT);
    await attach(shared, ann);
    await isAbsent(shared, ben);
    await attach(shared, ben);
    await isAbsent(shared, ann);
    await isAbsent(shared, ben);
  });

  it('is not shown to an app at the other hospital whose scopes do not reach it', async () => {
    const binary = await scan(SHORT);
    await attach(binary, ann);
    const tokenFor = (scope: string): Promise<string> =>
      network.token({ member: 'northside', user: 'dr-baker', role: 'physician', scope });
    const statusWith = async (scope: string): Promise<number> =>
      (await afar(`Binary/${binary}?patient=${ann}`, {}, await tokenFor(scope))).status;
    assert.equal(await statusWith('user/Binary.r user/DocumentReference.r'), 200);
    assert.equal(await statusWith('user/DocumentReference.r'), 403);
  });

  it('is caught where the custodian falsifies it', async () => {
    const binary = await scan(SHORT);
    await attach(binary, ann);
    assert.deepEqual(await content(binary, ann), SHORT);
    falsify(network.stateDir, SHORT.toString('base64'), Buffer.from('another scan').toString('base64'), binary);
    assert.equal((await afar(`Binary/${binary}?patient=${ann}`)).status, 404);
    assert.equal(await content(binary, ann), undefined);
  });
});

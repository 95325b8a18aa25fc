import { strict as assert } from 'node:assert';

import { MAX_LINKS } from '@salus/gateway/patient/links';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { type Answer, type AskOptions, type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';

interface Linkage extends FhirBody {
  readonly active: boolean;
  readonly extension: readonly { readonly valueCode: string }[];
  readonly item: readonly { readonly type: string; readonly resource: { readonly reference?: string } }[];
}

const parameters = (values: Readonly<Record<string, string>>): object => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, valueString]) => ({ name, valueString })),
});
const resources = ({ body }: Answer): FhirBody[] =>
  (body.entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
const names = (answer: Answer): string[] =>
  resources(answer).flatMap(({ resourceType, id }) => (id === undefined ? [] : [`${resourceType ?? ''}/${id}`]));
const sourceOf = ({ meta }: FhirBody): unknown => (meta as { source?: string } | undefined)?.source;

/** Ann is a patient of stmary's and, under another id and unknown to both, of northside's. */
describe('one person, a patient of two hospitals', () => {
  let network: TestNetwork;
  let ours: string;
  let theirs: string;
  let glucoseThere: string;
  let glucoseHere: string;
  let linkId: string;
  let seen: string | undefined;

  async function as(member: string, role: string, more: object = {}): Promise<string> {
    return await network.token({ member, user: `${role}-${member}`, role, ...more });
  }
  /** As a client that goes from one hospital to the other: what it was told of is there. */
  async function ask(member: string, role: string, path: string, options: AskOptions = {}): Promise<Answer> {
    const headers = { ...(seen === undefined ? {} : { 'x-min-block': seen }), ...options.headers };
    const answer = await network.ask(member, path, { token: await as(member, role), ...options, headers });
    seen = answer.headers.get('x-block') ?? seen;
    return answer;
  }
  async function create(member: string, resourceType: string, body: object): Promise<string> {
    const made = await ask(member, 'physician', resourceType, { body });
    assert.equal(made.status, 201, made.text);
    return String(made.body.id);
  }
  const change = (member: string, id: string, operation: string, link = linkId, role = 'physician'): Promise<Answer> =>
    ask(member, role, `Patient/${id}/$${operation}`, { body: parameters({ link }) });
  const stateOf = ({ body }: Answer): string | undefined => (body as Linkage).extension[0]?.valueCode;
  const links = async (member: string, id: string): Promise<Linkage[]> =>
    resources(await ask(member, 'physician', `Patient/${id}/$links`)) as Linkage[];

  const waiting = async (member: string): Promise<(string | undefined)[]> =>
    resources(await ask(member, 'physician', 'Patient/$waiting-links')).map(({ id }) => id);

  before(async () => {
    network = await startNetwork();
    ours = await create('stmary', 'Patient', patient);
    theirs = await create('northside', 'Patient', patient);
    glucoseThere = await create('stmary', 'Observation', glucose(ours, 81));
    glucoseHere = await create('northside', 'Observation', glucose(theirs, 82));
    await create('stmary', 'Consent', laboratoryForNorthside(ours));
  });
  after(() => network.stop());

  it('is two until both hospitals say so, and nothing tells whether an id that is named is anybody', async () => {
    const proposed = await ask('stmary', 'physician', `Patient/${ours}/$link`, {
      body: parameters({ custodian: 'northside', patient: theirs }),
    });
    const unknown = await ask('stmary', 'physician', `Patient/${ours}/$link`, {
      body: parameters({ custodian: 'northside', patient: 'nobody' }),
    });
    assert.deepEqual([proposed.status, unknown.status], [201, 201], proposed.text);
    linkId = String(proposed.body.id);
    assert.equal(proposed.text.replace(linkId, ''), unknown.text.replace(String(unknown.body.id), ''));
    assert.equal(stateOf(proposed), 'proposed');
    const [asked, ...more] = await links('northside', theirs);
    assert.deepEqual([asked?.id, asked?.active, more], [linkId, false, []]);
    assert.equal(asked?.item[1]?.resource.reference, `Patient/${ours}`);
    assert.deepEqual(await waiting('northside'), [linkId]);
    assert.deepEqual(await waiting('stmary'), []);
    assert.equal((await ask('northside', 'biller', 'Patient/$waiting-links')).status, 403);
    const chart = await ask('northside', 'physician', `Patient/${theirs}/$everything`);
    assert.ok(!chart.text.includes(glucoseThere));
    assert.equal((await change('stmary', ours, 'unlink', String(unknown.body.id))).status, 200);
  });

  it('is linked by the other side alone', async () => {
    assert.equal((await change('stmary', ours, 'confirm-link')).status, 409);
    assert.equal((await change('northside', theirs, 'confirm-link', linkId, 'biller')).status, 403);
    assert.equal((await change('northside', theirs, 'confirm-link', '0'.repeat(64))).status, 404);
    assert.equal((await change('northside', 'nobody', 'confirm-link')).status, 404);
    const confirmed = await change('northside', theirs, 'confirm-link');
    assert.equal(confirmed.status, 200, confirmed.text);
    assert.equal(stateOf(confirmed), 'active');
    assert.deepEqual(await waiting('northside'), []);
    const linked = (await links('stmary', ours)).find(({ active }) => active);
    assert.equal(linked?.item[1]?.resource.reference, `Patient/${theirs}`);
  });

  it('has one chart then: each answer says whose each resource is, and what may be missing', async () => {
    const paths = [`Patient/${theirs}/$everything`, `Observation?patient=${theirs}`, `Patient/${theirs}/Observation`];
    for (const path of paths) {
      const chart = await ask('northside', 'physician', path);
      assert.equal(chart.status, 200, chart.text);
      assert.ok(names(chart).includes(`Observation/${glucoseHere}`), path);
      const there = resources(chart).find(({ id }) => id === glucoseThere);
      assert.ok(there, path);
      assert.equal(sourceOf(there), 'urn:salus:member:stmary');
      assert.equal(chart.body.total, undefined);
      assert.match(chart.text, /may-be-incomplete/);
    }
    const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: paths[1] } }] };
    assert.ok((await ask('northside', 'physician', '', { body: batch })).text.includes(glucoseThere));
    // stmary's physician sees nothing of northside's, where nobody consented to it, and of the own record all.
    const other = await ask('stmary', 'physician', `Patient/${ours}/$everything`);
    assert.ok(names(other).includes(`Observation/${glucoseThere}`) && !other.text.includes(glucoseHere));
    assert.match(other.text, /may-be-incomplete/);
  });

  it('pages: what the other hospital holds comes after the last page of the own record', async () => {
    await create('northside', 'Observation', glucose(theirs, 83));
    const first = await ask('northside', 'physician', `Observation?patient=${theirs}&_count=1`);
    assert.deepEqual([names(first).length, first.text.includes(glucoseThere)], [1, false]);
    const next = (first.body['link'] as { relation: string; url: string }[]).find(
      ({ relation }) => relation === 'next',
    );
    const last = await ask('northside', 'physician', next!.url.slice(next!.url.indexOf('Observation?')));
    assert.ok(names(last).includes(`Observation/${glucoseThere}`), last.text);
  });

  it("shows no more than the consent, to nobody else, and each look is on the patient's list", async () => {
    const biller = await ask('northside', 'biller', `Patient/${theirs}/$everything`);
    assert.ok(!biller.text.includes(glucoseThere));
    const token = await as('northside', 'patient', { patient: 'somebody-else' });
    const stranger = await network.ask('northside', `Observation?patient=${theirs}`, { token });
    assert.ok(!stranger.text.includes(glucoseThere));
    const seen = await ask('stmary', 'privacy-officer', `AuditEvent?patient=${ours}&_count=100`);
    assert.match(seen.text, /northside/);
  });

  it('is two again when either side says so, and no record lost anything', async () => {
    const token = await as('stmary', 'patient', { patient: ours });
    const ended = await network.ask('stmary', `Patient/${ours}/$unlink`, { token, body: parameters({ link: linkId }) });
    assert.equal(ended.status, 200, ended.text);
    assert.equal((await change('northside', theirs, 'confirm-link')).status, 410);
    const chart = await network.ask('northside', `Patient/${theirs}/$everything`, {
      token: await as('northside', 'physician'),
      headers: { 'x-min-block': ended.headers.get('x-block')! },
    });
    assert.ok(names(chart).includes(`Observation/${glucoseHere}`) && !chart.text.includes(glucoseThere));
    assert.ok((await ask('stmary', 'physician', `Patient/${ours}/$everything`)).text.includes(glucoseThere));
    assert.deepEqual(
      (await links('northside', theirs)).map(({ active }) => active),
      [false],
    );
  });

  it(`has at most ${MAX_LINKS} links at once`, async () => {
    const body = parameters({ custodian: 'northside', patient: 'nobody' });
    const made: number[] = [];
    for (let count = 0; count <= MAX_LINKS; count += 1) {
      made.push((await ask('stmary', 'physician', `Patient/${ours}/$link`, { body })).status);
    }
    assert.deepEqual([...new Set(made.slice(0, -1)), made.at(-1)], [201, 409]);
  });
});

import { strict as assert } from 'node:assert';

import { REASON_LIMIT } from '@salus/gateway/fhir/stated-reason';

import { closedTo, condition, glucose, patient, resourcesOf } from '../story/people.js';
import { salus } from '../support/command.js';
import { type Answer, type AskOptions, networkOfSuite } from '../support/network.js';
import { type Provenance, provenances } from './provenances.js';

const reasonOf = (text: string): Record<string, string> => ({
  'x-provenance': JSON.stringify({ resourceType: 'Provenance', reason: [{ text }] }),
});

describe('the Provenance of writes', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  let id: string;
  let observation: string;
  let commit: string | null;

  const as = async (user: string, role = 'physician', more: object = {}): Promise<string> =>
    await network.token({ member: 'stmary', user, role, ...more });
  const ask = async (path: string, options: AskOptions = {}, user = 'dr-adams'): Promise<Answer> =>
    await network.ask('stmary', path, { token: await as(user), ...options });
  const about = async (target: string, more = ''): Promise<Provenance[]> => {
    const answer = await ask(`Provenance?target=${target}${more}`);
    assert.equal(answer.status, 200, answer.text);
    return provenances(answer);
  };

  before(async () => {
    id = String((await ask('Patient', { body: patient })).body.id);
    observation = String((await ask('Observation', { body: glucose(id, 81) })).body.id);
    const amended = { ...glucose(id, 18), id: observation, status: 'amended' };
    const put = { method: 'PUT', body: amended, headers: reasonOf('digits were transposed') };
    const answer = await ask(`Observation/${observation}`, put, 'nurse-lee');
    assert.equal(answer.status, 200, answer.text);
    commit = answer.headers.get('x-tx-id');
    const gone = await ask(`Observation/${observation}`, { method: 'DELETE', headers: reasonOf('wrong patient') });
    assert.equal(gone.status, 204, gone.text);
  });

  it('says of each version who wrote it, for whom, when, why, and what proves it', async () => {
    const [made, amended, deleted, ...rest] = await about(`Observation/${observation}`);
    assert.deepEqual(rest, []);
    const versions = [1, 2, 3].map((version) => `Observation/${observation}/_history/${version}`);
    assert.deepEqual(
      [made, amended, deleted].map((each) => [each!.target[0]!.reference, each!.activity.coding[0]!.code]),
      [
        [versions[0], 'CREATE'],
        [versions[1], 'UPDATE'],
        [versions[2], 'DELETE'],
      ],
    );
    assert.equal(made!.agent[0]!.who.identifier?.value, 'stmary/dr-adams');
    assert.equal(made!.agent[0]!.role![0]!.coding[0]!.code, 'physician');
    assert.equal(made!.agent[0]!.onBehalfOf?.identifier?.value, 'stmary');
    assert.equal(made!.entity, undefined);
    assert.equal(amended!.agent[0]!.who.identifier?.value, 'stmary/nurse-lee');
    assert.deepEqual(
      amended!.reason?.map(({ text, coding }) => text ?? coding?.[0]?.code),
      ['TREAT', 'digits were transposed'],
    );
    assert.equal(amended!.entity![0]!.what.reference, versions[0]);
    assert.equal(amended!.extension[0]!.valueString, commit);
    assert.equal(deleted!.reason?.[1]?.text, 'wrong patient');
    const stored = await ask(`Observation/${observation}/_history/2`);
    assert.equal((stored.body['meta'] as { lastUpdated: string }).lastUpdated, amended!.recorded);
    const valid = await ask('Provenance/$validate', { body: amended });
    assert.match(valid.text, /nothing is wrong|Observation\/\S+ is not known here/, valid.text);
    assert.ok(!valid.text.includes('"error"'), valid.text);
  });

  it('is found by version, time and writer, read by its id, and paged', async () => {
    const [second] = await about(`Observation/${observation}/_history/2`);
    const read = await ask(`Provenance/${second!.id}`);
    assert.equal(read.status, 200, read.text);
    assert.deepEqual(read.body, second);
    assert.deepEqual((await ask(`Provenance/${second!.id}/_history/1`)).body, second);
    assert.equal((await ask(`Provenance/${second!.id}/_history/2`)).status, 404);
    assert.deepEqual(provenances(await ask(`Provenance?_id=${second!.id}`)), [second]);
    const byNurse = encodeURIComponent('urn:salus:user|stmary/nurse-lee');
    assert.deepEqual(provenances(await ask(`Provenance?agent:identifier=${byNurse}`)), [second]);
    const earlier = await about(`Observation/${observation}`, `&recorded=lt${second!.recorded}`);
    assert.equal(earlier.length, 1);
    const pages: string[] = [];
    let next: string | undefined = `Provenance?target=Observation/${observation}&_count=1&_sort=-recorded`;
    while (next !== undefined) {
      const page = await ask(next);
      pages.push(...provenances(page).map(({ activity }) => activity.coding[0]!.code));
      const link = (page.body['link'] as { relation: string; url: string }[]).find(
        ({ relation }) => relation === 'next',
      );
      next = link?.url.slice(network.fhir('stmary').length + 1);
    }
    assert.deepEqual(pages, ['DELETE', 'UPDATE', 'CREATE']);
    const other = await ask('Provenance?agent-role=x');
    assert.match(other.text, /Provenance of writes is found by target/);
  });

  it('comes along with searches, with the history and with the whole record where it is asked for', async () => {
    const searched = await ask(`Patient?_id=${id}&_revinclude=Provenance:target`);
    assert.deepEqual(
      provenances(searched).map(({ target }) => target[0]!.reference),
      [`Patient/${id}/_history/1`],
    );
    const back = await ask(`Provenance?target=Patient/${id}&_include=Provenance:target`);
    assert.deepEqual(
      resourcesOf(back.body).map(({ resourceType }) => resourceType),
      ['Provenance', 'Patient'],
    );
    const kept = String((await ask('Condition', { body: condition(id) })).body.id);
    const chart = await ask(`Patient/${id}/$everything?_type=Condition,Provenance`);
    const targets = provenances(chart).map(({ target }) => target[0]!.reference);
    assert.deepEqual(targets.sort(), [`Condition/${kept}/_history/1`, `Patient/${id}/_history/1`]);
    assert.deepEqual(provenances(await ask(`Patient/${id}/$everything`)), []);
    const history = await ask(`Observation/${observation}/_history`);
    const urls = (history.body['entry'] as { link: { relation: string; url: string }[] }[]).map(({ link }) => link[0]!);
    assert.deepEqual(
      urls.map(({ relation }) => relation),
      Array(3).fill('http://www.w3.org/ns/prov#has_provenance'),
    );
    const of = await fetch(urls[1]!.url, { headers: { authorization: `Bearer ${await as('dr-adams')}` } });
    assert.match(await of.text(), /nurse-lee/);
  });

  it("stands beside a client's own, which nobody can put in its place", async () => {
    const own = {
      resourceType: 'Provenance',
      target: [{ reference: `Patient/${id}` }],
      recorded: '2026-01-11T09:00:00Z',
      agent: [{ who: { display: 'a scanner' } }],
    };
    const posted = await ask('Provenance', { body: own });
    assert.equal(posted.status, 201, posted.text);
    const found = await about(`Patient/${id}`);
    assert.deepEqual(
      found.map((each) => each.id === posted.body.id),
      [true, false],
    );
    const derived = found[1]!.id;
    const later = derived.replace('v1-', 'v2-');
    for (const taken of [derived, later]) {
      const put = await ask(`Provenance/${taken}`, { method: 'PUT', body: { ...own, id: taken } });
      assert.deepEqual([put.status, /id-taken/.test(put.text)], [409, true], taken);
    }
    assert.equal((await ask(`Provenance/${derived}`, { method: 'DELETE' })).status, 204);
    assert.equal((await ask(`Provenance/${derived}`)).status, 200);
  });

  it('is shown to nobody to whom its target is not', async () => {
    const other = String((await ask('Patient', { body: { ...patient, name: [{ family: 'Hidden' }] } })).body.id);
    const value = String((await ask('Observation', { body: glucose(other, 5) })).body.id);
    const [shown] = await about(`Observation/${value}`);
    const closed = closedTo(other, 'stmary/dr-adams') as { provision: object };
    const observations = [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }];
    const provision = { ...closed.provision, class: observations };
    const consent = await ask('Consent', { body: { ...closed, provision } });
    assert.equal(consent.status, 201, consent.text);
    const none = await ask(`Provenance?target=Observation/${value}`);
    assert.equal(none.body.total, 0, none.text);
    assert.equal((await about(`Patient/${other}`)).length, 1, 'of the Patient, which is not closed');
    assert.equal((await ask(`Provenance/${shown!.id}`)).status, 404);
    assert.equal((await ask(`Provenance?_id=${shown!.id}&_summary=count`)).body.total, 0);
    assert.equal((await ask(`Provenance/${shown!.id}`, {}, 'dr-brown')).status, 200);
    const outside = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const theirs = await network.ask('northside', `Provenance/${shown!.id}`, { token: outside });
    assert.equal(theirs.status, 404);
  });

  it('takes a reason and nothing else from the client', async () => {
    const long = 'x'.repeat(REASON_LIMIT);
    const whole = { resourceType: 'Provenance', reason: [{ text: 'x' }], recorded: '2026-01-11T09:00:00Z' };
    const wrong: [string, number][] = [
      ['no json', 400],
      [JSON.stringify(whole), 422],
      [JSON.stringify({ resourceType: 'Provenance', reason: [{ text: 7 }] }), 400],
      [reasonOf(long)['x-provenance']!, 413],
      ['{"resourceType":"Provenance","reason":[{"text":"\u00e9"}]}', 400],
    ];
    for (const [header, status] of wrong) {
      const answer = await ask('Observation', { body: glucose(id, 1), headers: { 'x-provenance': header } });
      assert.equal(answer.status, status, `${header.slice(0, 80)} ${answer.text}`);
    }
    const text = 'x'.repeat(REASON_LIMIT - reasonOf('')['x-provenance']!.length);
    assert.equal(
      (await ask('Basic', { body: { resourceType: 'Basic', code: { text: 'b' } }, headers: reasonOf(text) })).status,
      201,
    );
  });

  it('goes through a transaction with its reason', async () => {
    const entry = [{ resource: condition(id), request: { method: 'POST', url: 'Condition' } }];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    const done = await ask('', { body, headers: reasonOf('transcribed from paper') });
    assert.equal(done.status, 200, done.text);
    const [, made] = /Condition\/([^/]+)\/_history/.exec(done.text) ?? [];
    const [of] = await about(`Condition/${made ?? ''}`);
    assert.equal(of!.reason?.[1]?.text, 'transcribed from paper');
  });

  it('is the same after a rebuild', async () => {
    const before = await about(`Observation/${observation}`);
    const rebuilt = await salus(network.stateDir, ['rebuild', '--member', 'stmary']);
    assert.equal(rebuilt.code, 0, `${rebuilt.out}${rebuilt.err}`);
    assert.deepEqual(await about(`Observation/${observation}`), before);
  });
});

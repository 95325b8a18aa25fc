import { strict as assert } from 'node:assert';

import { glucose, optOut, patient, resourcesOf, treatmentByNorthside } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { type Answer, networkOfSuite } from '../support/network.js';

/** Of a record: a visit with a result by one physician, and a result by another outside it. */
interface Record {
  readonly id: string;
  readonly visit: string;
  readonly inVisit: string;
  readonly outside: string;
  readonly adams: string;
}

const datum = (meaning: string, reference: string): object => ({ data: [{ meaning, reference: { reference } }] });

describe('data that a consent names by what it is connected with, over HTTP', () => {
  const network = networkOfSuite();
  let physician: string;

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  });

  async function made(body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token: physician, body });
    assert.equal(answer.status, 201, answer.text);
    return `${resourceType}/${String(answer.body.id)}`;
  }

  async function record(): Promise<Record> {
    const id = (await made(patient)).split('/')[1]!;
    const [adams, other] = [await made({ resourceType: 'Practitioner' }), await made({ resourceType: 'Practitioner' })];
    const visit = await made({
      ...{ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } },
      subject: { reference: `Patient/${id}` },
    });
    const by = (performer: string, more: object): object => ({
      ...glucose(id, 81),
      ...{ performer: [{ reference: performer }], note: [{ text: 'NOTED' }] },
      ...more,
    });
    const inVisit = await made(by(adams, { encounter: { reference: visit } }));
    return { id, visit, inVisit, outside: await made(by(other, {})), adams };
  }

  /** Which of a record an asker is shown, by each way to it, of which by id there is none elsewhere; the ways agree. */
  async function shown(token: string, member: string, { id, visit, inVisit, outside }: Record): Promise<string[]> {
    const ask = (path: string): Promise<Answer> => network.ask(member, path, { token });
    const named = (answer: Answer): string[] =>
      resourcesOf(answer.body)
        .map((resource) => `${String(resource.resourceType)}/${String(resource.id)}`)
        .filter((name) => [visit, inVisit, outside].includes(name))
        .sort();
    const searched = [
      ...named(await ask(`Encounter?patient=${id}`)),
      ...named(await ask(`Observation?patient=${id}`)),
    ].sort();
    assert.deepEqual(named(await ask(`Patient/${id}/$everything`)), searched, '$everything as searches');
    const read: string[] = [];
    for (const name of [visit, inVisit, outside]) if ((await ask(name)).status === 200) read.push(name);
    assert.deepEqual(read.sort(), member === 'stmary' ? searched : [], 'reads as searches');
    const included = await ask(`Observation?patient=${id}&_include=Observation:encounter`);
    assert.ok(
      named(included).every((name) => searched.includes(name)),
      'nothing more is included',
    );
    return searched;
  }

  /** By meaning: what the reference is, and what it reaches. */
  const meanings: readonly (readonly [string, (of: Record) => string, (of: Record) => string[]])[] = [
    ['instance', ({ inVisit }) => inVisit, ({ inVisit }) => [inVisit]],
    ['related', ({ inVisit }) => inVisit, ({ inVisit, visit }) => [inVisit, visit]],
    ['dependents', ({ visit }) => visit, ({ inVisit, visit }) => [inVisit, visit]],
    ['authoredby', ({ adams }) => adams, ({ inVisit }) => [inVisit]],
  ];

  for (const [meaning, reference, reached] of meanings) {
    it(`${meaning}: permitted to another hospital, it passes the door and nothing else does`, async () => {
      const of = await record();
      const token = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
      const body = treatmentByNorthside(of.id, datum(meaning, reference(of)));
      assert.equal((await network.ask('stmary', 'Consent', { token: physician, body })).status, 201);
      await eventually(async () => {
        assert.deepEqual(await shown(token, 'northside', of), reached(of).sort());
      });
    }).timeout(60_000);

    it(`${meaning}: denied to one of the own staff, it is absent and everything else is there`, async () => {
      const of = await record();
      const nurse = await network.token({ member: 'stmary', user: 'nurse-cole', role: 'nurse' });
      const actor = {
        role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
        reference: { identifier: { system: 'urn:salus:user', value: 'stmary/nurse-cole' } },
      };
      const all = [of.visit, of.inVisit, of.outside].sort();
      assert.deepEqual(await shown(nurse, 'stmary', of), all);
      const body = optOut(of.id, { type: 'deny', actor: [actor], ...datum(meaning, reference(of)) });
      assert.equal((await network.ask('stmary', 'Consent', { token: physician, body })).status, 201);
      const left = all.filter((name) => !reached(of).includes(name));
      assert.deepEqual(await shown(nurse, 'stmary', of), left);
      assert.deepEqual(await shown(physician, 'stmary', of), all, 'of others nothing is hidden');
    }).timeout(60_000);
  }

  it('redact: a biller is shown what is billed without the words in it, by every way there is', async () => {
    const of = await record();
    const biller = await network.token({ member: 'stmary', user: 'biller-dunn', role: 'biller' });
    const ask = (path: string, token: string): Promise<Answer> =>
      network.ask('stmary', path, { token, headers: token === biller ? { 'x-purpose-of-use': 'HPAYMT' } : {} });
    const ways = [
      of.inVisit,
      `${of.inVisit}/_history`,
      `${of.inVisit}/_history/1`,
      `Observation?patient=${of.id}`,
      `Patient/${of.id}/$everything`,
    ];
    for (const way of ways) {
      const [whole, part] = [await ask(way, physician), await ask(way, biller)];
      assert.deepEqual([whole.status, part.status], [200, 200], `${way}: ${part.text}`);
      assert.match(whole.text, /NOTED/, way);
      assert.doesNotMatch(whole.text, /REDACTED/, way);
      assert.doesNotMatch(part.text, /NOTED/, way);
      assert.match(part.text, /"code":"REDACTED"/, way);
      assert.match(part.text, /2339-0/, way);
    }
    const elsewhere = await network.token({ member: 'northside', user: 'biller-elm', role: 'biller' });
    const headers = { 'x-purpose-of-use': 'HPAYMT' };
    assert.equal((await network.ask('northside', of.inVisit, { token: elsewhere, headers })).status, 404);
  });
});

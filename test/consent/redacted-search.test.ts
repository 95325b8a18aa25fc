import { strict as assert } from 'node:assert';

import { glucose, patient, resourcesOf } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';

describe('a search by what is left out of what the asker sees, over HTTP', () => {
  const network = networkOfSuite();
  let physician: string;
  let biller: string;
  let id: string;

  const ask = (path: string, token: string): Promise<Answer> =>
    network.ask('stmary', path, { token, headers: token === biller ? { 'x-purpose-of-use': 'HPAYMT' } : {} });
  const made = async (body: object): Promise<string> => {
    const answer = await network.ask('stmary', (body as { resourceType: string }).resourceType, {
      token: physician,
      body,
    });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    biller = await network.token({ member: 'stmary', user: 'biller-dunn', role: 'biller' });
    id = await made(patient);
    const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">narrated</div>' };
    await made({ ...glucose(id, 81), text, note: [{ text: 'NOTED aside' }] });
    for (const words of ['alpha', 'beta']) {
      await made({
        ...{ resourceType: 'List', status: 'current', mode: 'working', title: 'errands' },
        ...{ subject: { reference: `Patient/${id}` }, note: [{ text: words }] },
      });
    }
    await made({
      ...{ resourceType: 'List', status: 'current', mode: 'working', title: 'errands' },
      subject: { reference: `Patient/${id}` },
    });
  });

  /** Type, criteria, how many the physician finds, how many the biller. */
  const cases: readonly (readonly [string, string, number, number])[] = [
    ['Observation', '', 1, 1],
    ['Observation', '_content=nowhere', 0, 0],
    ['Observation', '_content=noted', 1, 0],
    ['Observation', '_content=note*', 1, 0],
    ['Observation', '_content="noted aside"', 1, 0],
    ['Observation', '_text=narrated', 1, 0],
    ['Observation', '_content=narrated', 1, 0],
    ['Observation', '_content=canarydisplay', 1, 1],
    ['Observation', '_content=canary*', 1, 1],
    ['Observation', '_text=canarydisplay', 0, 0],
    ['Observation', '_content=canarydisplay or noted', 1, 1],
    ['Observation', '_content=canarydisplay noted', 1, 0],
    ['Observation', '_content=not noted', 0, 0],
    ['Observation', '_content=not nowhere', 1, 0],
    ['Observation', '_content=canarydisplay not nowhere', 1, 0],
    ['Observation', '_content=canarydisplay&code=2339-0', 1, 1],
    ['Observation', '_filter=_content eq noted or code eq nowhere', 1, 0],
    ['List', '', 3, 3],
    ['List', 'notes=alpha', 1, 0],
    ['List', 'notes:missing=true', 1, 0],
    ['List', 'notes:missing=false', 2, 0],
    ['List', '_filter=not (notes eq alpha)', 2, 0],
    ['List', 'title=errands', 3, 3],
    ['List', '_sort=notes', 3, 0],
    ['List', '_sort=-title', 3, 3],
  ];
  for (const [type, criteria, whole, part] of cases) {
    it(`finds ${whole} of ${type}, or ${part} where notes are left out, by ${criteria || 'nothing'}`, async () => {
      const query = criteria.replaceAll(/[" ()]/g, encodeURIComponent);
      for (const [token, expected] of [
        [physician, whole],
        [biller, part],
      ] as const) {
        const path = `${type}?patient=${id}&${query}`;
        const answer = await ask(path, token);
        assert.equal(answer.status, 200, answer.text);
        const found = resourcesOf(answer.body).filter(({ resourceType }) => resourceType === type);
        assert.equal(found.length, expected, answer.text);
        assert.equal(answer.body.total, expected, 'the total');
        assert.equal((await ask(`${path}&_summary=count`, token)).body.total, expected, 'the count');
      }
    });
  }

  it('finds no patient by the notes of a result', async () => {
    for (const [words, expected] of [
      ['noted', 0],
      ['canarydisplay', 1],
    ] as const) {
      const path = `Patient?_id=${id}&_has:Observation:patient:_content=${words}`;
      assert.equal(resourcesOf((await ask(path, physician)).body).length, 1, words);
      assert.equal(resourcesOf((await ask(path, biller)).body).length, expected, words);
    }
  });
});

import { strict as assert } from 'node:assert';

import { type ConsentStatus, initialStates, transitions } from '@salus/chaincode/consent/api';

import { laboratoryForNorthside, patient } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';

const states = Object.keys(transitions) as ConsentStatus[];
/** A first version, and what it becomes, for each state to be in. */
const waysTo: Readonly<Record<ConsentStatus, readonly ConsentStatus[]>> = {
  draft: ['draft'],
  proposed: ['proposed'],
  active: ['active'],
  rejected: ['draft', 'rejected'],
  inactive: ['active', 'inactive'],
  'entered-in-error': ['draft', 'entered-in-error'],
};

describe('the states of a consent, over HTTP', () => {
  const network = networkOfSuite();
  let token: string;
  let id: string;
  let day = 0;

  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
  });

  /** Each time it says something else, in what is signed and in what is not. */
  const consent = (status: ConsentStatus, said?: string): object => {
    day += 1;
    const dateTime = new Date(Date.UTC(2026, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);
    const text = { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${said}</div>` };
    return { ...laboratoryForNorthside(id), status, dateTime, ...(said === undefined ? {} : { text }) };
  };
  const give = (status: ConsentStatus, said = 'first'): Promise<Answer> =>
    network.ask('stmary', 'Consent', { token, body: consent(status, said) });
  const become = (consentId: string, status: ConsentStatus, said?: string): Promise<Answer> =>
    network.ask('stmary', `Consent/${consentId}`, {
      ...{ method: 'PUT', token },
      body: { ...consent(status, said), id: consentId },
    });
  const read = async (path: string): Promise<Answer> => await network.ask('stmary', path, { token });

  async function consentThatIs(state: ConsentStatus): Promise<string> {
    const [first = 'draft', ...more] = waysTo[state];
    const given = await give(first);
    assert.equal(given.status, 201, given.text);
    const consentId = String(given.body.id);
    for (const next of more) {
      const changed = await become(consentId, next, 'as it became');
      assert.equal(changed.status, 200, changed.text);
    }
    return consentId;
  }

  for (const from of states) {
    const illegal = states.filter((to) => !transitions[from].includes(to));
    it(`${from} does not become ${illegal.join(', ')}: refused with the reason, and nothing is stored`, async () => {
      const consentId = await consentThatIs(from);
      const before = await read(`Consent/${consentId}/_history`);
      for (const to of illegal) {
        const answer = await become(consentId, to, 'REFUSED');
        assert.equal(answer.status, 409, `${to}: ${answer.text}`);
        assert.match(answer.text, /"code":"illegal-transition"/);
        const reason = `${from} may become: ${transitions[from].join(', ') || 'nothing else'}`;
        assert.ok(answer.text.includes(reason), answer.text);
      }
      assert.equal((await read(`Consent/${consentId}/_history`)).text, before.text);
      for (const to of transitions[from].slice(-1)) {
        // Without a text of its own it would show that of a refused one, were that kept.
        const legal = await become(consentId, to);
        assert.equal(legal.status, 200, legal.text);
        const now = await read(`Consent/${consentId}`);
        assert.doesNotMatch(now.text, /REFUSED/);
      }
    }).timeout(60_000);
  }

  it(`does not begin as anything but ${initialStates.join(', ')}`, async () => {
    const total = async (): Promise<unknown> => (await read(`Consent?patient=${id}&_summary=count`)).body.total;
    const before = await total();
    for (const state of states.filter((each) => !initialStates.includes(each))) {
      const answer = await give(state, 'REFUSED');
      assert.equal(answer.status, 409, answer.text);
      assert.match(answer.text, /illegal-transition/);
    }
    assert.equal(await total(), before);
  });
});

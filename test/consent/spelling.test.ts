import { strict as assert } from 'node:assert';

import { glucose, optOut, patient } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';

describe('how a consent spells what it means, over HTTP', () => {
  const network = networkOfSuite();
  let physician: string;
  let own: string;
  let id: string;
  let newest = 0;

  const ask = (token: string, path: string, body?: object): Promise<Answer> =>
    network.ask('stmary', path, {
      token,
      headers: { 'x-min-block': String(newest) },
      ...(body === undefined ? {} : { body }),
    });

  async function made(token: string, body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await ask(token, resourceType, body);
    assert.equal(answer.status, 201, answer.text);
    newest = Number(answer.headers.get('x-block'));
    return `${resourceType}/${String(answer.body.id)}`;
  }

  const denial = (meaning: string, reference: string): object =>
    optOut(id, { type: 'deny', data: [{ meaning, reference: { reference } }] });

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = (await made(physician, patient)).slice('Patient/'.length);
    own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: id });
  });

  it('denies by the address of this server what it denies by name', async () => {
    const name = await made(physician, glucose(id, 81));
    const consent = await made(own, denial('instance', `${network.fhir('stmary')}/${name}`));
    assert.equal((await ask(physician, name)).status, 404);
    assert.match((await ask(own, consent)).text, new RegExp(`"reference":"${name}"`));
  });

  it('denies what depends on a resource, however that is referred to', async () => {
    const visit = await made(physician, {
      ...{ resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } },
      subject: { reference: `Patient/${id}` },
    });
    const names: string[] = [];
    for (const reference of [visit, `${visit}/_history/1`, `${network.fhir('stmary')}/${visit}`]) {
      names.push(await made(physician, { ...glucose(id, 82), encounter: { reference } }));
    }
    await made(own, denial('dependents', visit));
    for (const name of [visit, ...names]) assert.equal((await ask(physician, name)).status, 404, name);
  });

  const unheard: readonly (readonly [string, string, () => object])[] = [
    ['a version', 'data', () => denial('instance', 'Observation/1/_history/1')],
    ['another server', 'data', () => denial('instance', 'https://elsewhere.example/fhir/Observation/1')],
    ['a contained resource', 'data', () => denial('instance', '#o')],
    ['an unknown purpose', 'purpose', () => optOut(id, { type: 'deny', purpose: [{ code: 'treatment' }] })],
    [
      'a policy that nobody knows',
      'policyRule',
      () => ({ ...optOut(id, { period: { start: '2026' } }), policyRule: { coding: [{ code: 'OPT-OUT' }] } }),
    ],
  ];
  for (const [what, element, consent] of unheard) {
    it(`is refused for ${what}, which would deny nothing`, async () => {
      const answer = await ask(own, 'Consent', consent());
      assert.equal(answer.status, 422, answer.text);
      assert.match(answer.text, new RegExp(`Consent\\.[a-z.]*${element}`));
    });
  }
});

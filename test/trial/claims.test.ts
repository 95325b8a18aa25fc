import assert from 'node:assert/strict';
import type { StoredVersion } from '@salus/gateway/ports';
import { patientOf, subjectsOf } from '@salus/gateway/trial/content';
import { Gateways } from './ledger-double.js';
import { TRIAL, TrialWorld } from './world.js';

const PERSON = { system: 'http://hl7.org/fhir/sid/us-ssn', value: '217-45-6001' };
const spaced = { ...PERSON, value: '217 456 001' };
const local = { system: 'urn:mrn', value: '7', type: { coding: [{ code: 'MR' }] } };

describe('a claim of a person for a participant', () => {
  let world: TrialWorld;
  let gateways: Gateways;

  function admit(member: string, id: string, ...identifier: readonly object[]): void {
    const text = JSON.stringify({ resourceType: 'Patient', id, identifier });
    const stored = { type: 'Patient', id, version: 1, deleted: false, text } as StoredVersion;
    gateways.patients.set(`${member} Patient/${id}`, stored);
  }

  async function claim(member: string, participant: string, patient: string, role = 'investigator') {
    const parameter = Object.entries({ participant, patient }).map(([name, valueString]) => ({ name, valueString }));
    const body = { resourceType: 'Parameters', parameter };
    const { status, resource } = await gateways.ask(member, role, 'POST', `ResearchStudy/${TRIAL}/$claim`, body);
    const { issue = [] } = (resource ?? {}) as { issue?: { details?: { coding?: { code?: string }[] } }[] };
    return { status, code: issue[0]?.details?.coding?.[0]?.code };
  }

  const factsOf = (member: string) => ({
    fact: (_space: string, key: string) => gateways.facts.get(`${member} ${key}`),
    facts: (_space: string, prefix = '') =>
      [...gateways.facts]
        .filter(([key]) => key.startsWith(`${member} ${prefix}`))
        .map(([key, value]) => ({ key, value })),
  });

  before(async () => {
    world = await TrialWorld.enrolling();
    gateways = new Gateways(world);
    admit('stmary', 'ann', PERSON, local);
    admit('northside', 'ann-n', spaced);
    admit('northside', 'bob', { ...PERSON, value: '1' }, { ...PERSON, value: '2' });
    admit('northside', 'eve', local);
  });

  it('is lost by one of two sites that race for the same person, however its identifier is spaced', async () => {
    const both = await Promise.all([claim('stmary', 'P1', 'ann'), claim('northside', 'P2', 'ann-n')]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    assert.equal(both.find(({ status }) => status === 409)?.code, 'already-claimed');
    assert.equal((await claim('northside', 'P3', 'ann-n')).code, 'already-claimed');
    assert.equal((await claim('northside', 'P2', 'bob')).code, both[0].status === 200 ? undefined : 'already-claimed');
  });

  it('is made of a Patient of this hospital who is known beyond it, by those who enrol', async () => {
    assert.equal((await claim('northside', 'P4', 'eve')).code, 'no-identifier');
    assert.equal((await claim('northside', 'P4', 'ann')).code, 'not-found');
    assert.equal((await claim('northside', 'P5', 'bob', 'monitor')).code, 'not-your-role');
    assert.equal((await claim('acme', 'P5', 'bob')).status, 404);
  });

  it('puts as many codes on the ledger for everybody, in the collection of the hospitals alone, under one secret', () => {
    const writes = world.ledger.outcomes
      .filter(({ transaction, outcome }) => transaction === 'trial:claim' && outcome.status === 200)
      .map(({ outcome }) => outcome.rwset.writes);
    assert.ok(writes.length >= 2);
    for (const each of writes) {
      assert.deepEqual([...each.keys()], ['care']);
      assert.equal(each.get('care')?.size, 5);
    }
    const made = world.ledger.outcomes.filter(({ outcome }) => outcome.rwset.writes.has('care-keys'));
    assert.ok(made.length >= 1);
    const said = JSON.stringify(writes.flatMap((each) => [...each.get('care')!.values()].map(String)));
    // The whole identifier, however spaced: three of its digits stand in random hex by chance.
    assert.ok(!/217\W?45\W?6\W?001/.test(said) && !said.includes('ann'));
  });

  it('leaves at the site alone who the participant is', () => {
    const participants = ['P1', 'P2'].map((participant) => ({ trial: TRIAL, participant }));
    for (const subject of participants) {
      for (const member of ['acme', 'tally', 'westgate']) assert.equal(patientOf(factsOf(member), subject), undefined);
    }
    const known = participants.flatMap((each) => ['stmary', 'northside'].map((site) => patientOf(factsOf(site), each)));
    assert.ok(known.some((each) => each === 'ann' || each === 'bob' || each === 'ann-n'));
    assert.deepEqual(subjectsOf(factsOf('acme'), 'ann'), []);
  });
});

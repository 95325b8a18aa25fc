import assert from 'node:assert/strict';

import { HeldAccesses, MOST_HELD } from '@salus/gateway/access/held';
import type { JsonObject } from '@salus/gateway/fhir/json';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { eventually } from '../support/eventually.js';
import { SharingWorld } from '../support/sharing-world.js';

const baker: Actor = {
  member: 'northside',
  user: 'u-baker',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
};
const FIRST = 'patient=ann';
const FURTHER = `${FIRST}&_cursor=behind-the-first`;

describe('a search at another hospital, page by page', () => {
  let world: SharingWorld;
  let consentId: string;

  const asked = (): number => world.submitted.filter((each) => each === 'access:request').length;

  /** Names of the resources that are shown. */
  async function search(query = FURTHER, actor = baker, type = 'Observation'): Promise<string[]> {
    const request = { method: 'GET', path: type, query: new URLSearchParams(query), headers: {}, actor };
    const answer = await world.northside.sharing.remote.search(request, [type], 'ann');
    const { entry } = answer?.resource as { entry: { resource: JsonObject }[] };
    return entry.flatMap(({ resource }) => (typeof resource.id === 'string' ? [resource.id] : []));
  }

  beforeEach(async () => {
    world = await SharingWorld.open();
    await annAt(world);
    const text = JSON.stringify({ resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/ann' } });
    const write = { type: 'Observation', id: 'o1', expect: 0, text, patient: 'ann' };
    await world.stmary.sharing.writer.write(adams, [write]);
    consentId = await sendConsent(world.stmary, composeConsent('northside'));
    assert.deepEqual(await search(FIRST), ['o1']);
    assert.equal(asked(), 1);
  });
  afterEach(() => world.close());

  it('goes on under the access of the first, and what was given is anchored together', async () => {
    assert.deepEqual(await search(), ['o1']);
    assert.equal(asked(), 1);
    await eventually(() => {
      assert.equal(world.submitted.filter((each) => each === 'access:disclose').length, 1);
      return Promise.resolve();
    });
  });

  it('asks anew for a first page, another person, another purpose, another type', async () => {
    await search(FIRST);
    assert.equal(asked(), 2);
    await search(FURTHER, { ...baker, user: 'u-mallory' });
    await search(FURTHER, { ...baker, role: 'nurse' });
    await search(FURTHER, { ...baker, purpose: 'ETREAT' });
    await search(FURTHER, baker, 'Condition');
    assert.equal(asked(), 6);
  });

  it('shows nothing to whose token is for another patient', async () => {
    assert.deepEqual(await search(FURTHER, { ...baker, launch: 'ben', scopes: ['patient/*.rs'] }), []);
  });

  it('asks anew a minute before the door would refuse', async () => {
    await world.pass(8 * 60_000, 'stmary');
    await search();
    assert.equal(asked(), 1);
    await world.pass(60_001, 'northside');
    assert.deepEqual(await search(), ['o1']);
    assert.equal(asked(), 2);
  });

  it('shows nothing more from the withdrawal on, and has the denial on record', async () => {
    await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, consentId);
    assert.deepEqual(await search(), []);
    assert.equal(asked(), 2);
  });

  it('holds an access for the very person, role, purpose and question that it was given for', () => {
    const held = new HeldAccesses<string>(() => 0);
    const asked = { actor: baker, patient: 'ann', scope: { types: ['Observation'], interaction: 'search' as const } };
    held.keep(asked, '1970-01-01T00:00:00Z', 'permitted');
    assert.equal(held.find(asked), 'permitted');
    // The door would refuse each of these, too: none may come so far.
    for (const actor of [{ user: 'u-mallory' }, { role: 'nurse' }, { purpose: 'ETREAT' }]) {
      assert.equal(held.find({ ...asked, actor: { ...baker, ...actor } }), undefined, JSON.stringify(actor));
    }
    assert.equal(held.find({ ...asked, patient: 'ben' }), undefined);
    assert.equal(held.find({ ...asked, scope: { ...asked.scope, types: ['Condition'] } }), undefined);
  });

  it(`holds ${MOST_HELD} accesses, the latest`, () => {
    const held = new HeldAccesses<number>(() => 0);
    const about = (patient: number) => ({
      ...{ actor: baker, patient: String(patient) },
      scope: { types: ['Observation'], interaction: 'search' as const },
    });
    for (let patient = 0; patient <= MOST_HELD; patient += 1)
      held.keep(about(patient), '1970-01-01T00:00:00Z', patient);
    assert.deepEqual(
      [0, 1, MOST_HELD].map((each) => held.find(about(each))),
      [undefined, 1, MOST_HELD],
    );
  });
});

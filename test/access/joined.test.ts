import assert from 'node:assert/strict';

import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import { composeConsent, sendConsent } from '../door/consents.js';
import { random } from '../support/contract-world.js';
import { SharingWorld, type Hospital } from '../support/sharing-world.js';

const staffOf = (member: string): Actor => ({
  member,
  user: `u-${member}`,
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
});

describe('a chart joined by links', () => {
  let world: SharingWorld;

  async function admitted(hospital: Hospital, member: string, id: string): Promise<string> {
    const write = {
      type: 'Patient',
      id,
      expect: 0,
      text: JSON.stringify({ resourceType: 'Patient', id }),
      patient: id,
    };
    await hospital.sharing.writer.write(staffOf(member), [write]);
    return hospital.sharing.lookup.pidOf(id)!;
  }

  const chart = async (more: Partial<Actor> = {}): Promise<string> => {
    const actor = { ...staffOf('northside'), ...more };
    const request: FhirRequest = {
      ...{ method: 'GET', path: 'Patient/bea/$everything', query: new URLSearchParams(), headers: {}, actor },
    };
    const local: FhirResponse = { status: 200, headers: {}, resource: '{"resourceType":"Bundle","total":0}' };
    const { resource } = await world.northside.sharing.join(request, local, { patient: 'bea' });
    return typeof resource === 'string' ? resource : JSON.stringify(resource);
  };

  before(async () => {
    world = await SharingWorld.open();
    const ann = await admitted(world.stmary, 'stmary', 'ann');
    const bea = await admitted(world.northside, 'northside', 'bea');
    await sendConsent(world.stmary, composeConsent('northside'));
    const linkId = random();
    const request = { linkId, pid: ann, other: { pid: bea, custodian: 'northside' }, salt: random() };
    const { user, role, purpose } = staffOf('stmary');
    const actor = { user, role, purpose };
    await world.submit('stmary', 'patient:link', { request, actor });
    assert.equal(await chart(), '{"resourceType":"Bundle","total":0}');
    await world.submit('northside', 'patient:confirm', { request: { linkId, salt: random() }, actor });
  });
  after(() => world.close());

  it('asks nobody in an emergency, nor for a token that is for another patient', async () => {
    const before = world.submitted.length;
    await chart({ purpose: 'BTG' });
    await chart({ role: 'patient', purpose: 'PATRQT', patient: 'carl' });
    assert.equal(world.submitted.length, before);
    await chart();
    assert.equal(world.submitted[before], 'access:request');
  });

  it('asks nobody where the scopes do not cover what a search looks at on the way', async () => {
    const query = new URLSearchParams('_id=bea&_has:Condition:patient:code=F10.2');
    const local: FhirResponse = { status: 200, headers: {}, resource: '{"resourceType":"Bundle"}' };
    const types = ['Patient', 'Condition'];
    const asked = async (...scopes: readonly string[]): Promise<readonly string[]> => {
      const before = world.submitted.length;
      const request = {
        method: 'GET',
        path: 'Patient',
        query,
        headers: {},
        actor: { ...staffOf('northside'), scopes },
      };
      const { resource } = await world.northside.sharing.join(request, local, { patient: 'bea', types });
      assert.match(JSON.stringify(resource), /may-be-incomplete/);
      return world.submitted.slice(before);
    };
    assert.deepEqual(await asked('user/Patient.rs'), []);
    assert.equal((await asked('user/Patient.rs', 'user/Condition.rs'))[0], 'access:request');
  });

  it('names the custodian that does not answer, and keeps the own record', async () => {
    assert.doesNotMatch(await chart(), /stmary did not answer/);
    world.stmary.server!.closeAllConnections();
    await new Promise((resolve) => world.stmary.server!.close(resolve));
    const joined = await chart();
    assert.match(joined, /stmary did not answer/);
    assert.match(joined, /may-be-incomplete/);
    assert.deepEqual(world.northside.alarms, ['custodian-missing']);
  });
});

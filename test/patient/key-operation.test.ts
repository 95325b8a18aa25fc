import assert from 'node:assert/strict';

import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import { newJwk, SharingWorld } from '../support/sharing-world.js';

const staff: Actor = {
  member: 'stmary',
  user: 'u-adams',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
};

describe("the operation that registers a patient's key", () => {
  let world: SharingWorld;
  const own = newJwk('ann-phone');

  async function call(actor: Actor, parameters: Record<string, string>, id = 'ann'): Promise<FhirResponse> {
    const parameter = Object.entries(parameters).map(([name, valueString]) => ({ name, valueString }));
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const path = `Patient/${id}/$patient-key`;
    const request: FhirRequest = { method: 'POST', path, query: new URLSearchParams(), headers: {}, body, actor };
    const passed = (): never => assert.fail('the operation answers itself');
    return await world.stmary.sharing.logged(passed)(request);
  }

  before(async () => {
    world = await SharingWorld.open();
    const text = '{"resourceType":"Patient","id":"ann"}';
    await world.stmary.sharing.writer.write(staff, [{ type: 'Patient', id: 'ann', expect: 0, text, patient: 'ann' }]);
  });
  after(() => world.close());

  const held = () => world.stmary.sharing.patientKeys.active(world.stmary.sharing.lookup.pidOf('ann')!, 'ann-phone');

  it('registers it here and on the ledger, again without effect', async () => {
    const jwk = JSON.stringify(own.public);
    assert.equal((await call(staff, { jwk })).status, 200);
    assert.equal((await call(staff, { jwk })).status, 200);
    assert.equal(held()?.x, own.public.x);
    assert.equal(world.submitted.filter((each) => each === 'patient:key').length, 1);
  });

  it('refuses everybody but staff, a private key, and a patient that is not here', async () => {
    const jwk = JSON.stringify(own.public);
    assert.equal((await call({ ...staff, role: 'patient' }, { jwk })).status, 403);
    assert.equal((await call(staff, { jwk: JSON.stringify(own.private) })).status, 422);
    assert.equal((await call(staff, { jwk: 'x' })).status, 422);
    assert.equal((await call(staff, { jwk }, 'nobody')).status, 404);
  });

  it('revokes it', async () => {
    assert.equal((await call(staff, { jwk: JSON.stringify(own.public), state: 'revoked' })).status, 200);
    assert.equal(held(), undefined);
  });
});

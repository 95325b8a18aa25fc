import assert from 'node:assert/strict';

import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import type { Actor } from '@salus/gateway/ports';

import { adams, annAt } from '../support/ann.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

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
    await annAt(world);
  });
  after(() => world.close());

  const held = () => world.stmary.sharing.patientKeys.active(world.stmary.sharing.lookup.pidOf('ann')!, 'ann-phone');

  it('registers it here and on the ledger, again without effect', async () => {
    const jwk = JSON.stringify(own.public);
    assert.equal((await call(adams, { jwk })).status, 200);
    assert.equal((await call(adams, { jwk })).status, 200);
    assert.equal(held()?.x, own.public.x);
    assert.equal(world.submitted.filter((each) => each === 'patient:key').length, 1);
  });

  it('refuses everybody but staff, a private key, and a patient that is not here', async () => {
    const jwk = JSON.stringify(own.public);
    assert.equal((await call({ ...adams, role: 'patient' }, { jwk })).status, 403);
    assert.equal((await call(adams, { jwk: JSON.stringify(own.private) })).status, 422);
    assert.equal((await call(adams, { jwk: 'x' })).status, 422);
    assert.equal((await call(adams, { jwk }, 'nobody')).status, 404);
  });

  it('revokes it', async () => {
    assert.equal((await call(adams, { jwk: JSON.stringify(own.public), state: 'revoked' })).status, 200);
    assert.equal(held(), undefined);
  });
});

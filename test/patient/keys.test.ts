import assert from 'node:assert/strict';

import { PatientKeys } from '@salus/gateway/patient/keys';
import type { Ledger } from '@salus/gateway/ports';
import type { PublicJwk } from '@salus/gateway/settings';

import { adams, annAt } from '../support/ann.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

const keyOf = (kid: string): PublicJwk => newJwk(kid).public as never;

describe("patients' keys that count at a member", () => {
  let world: SharingWorld;
  let keys: PatientKeys;
  let pid: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
    keys = world.stmary.sharing.patientKeys;
  });
  afterEach(() => world.close());

  const sendingBy = (ledger: Pick<Ledger, 'submit'>): PatientKeys =>
    new PatientKeys(world.stmary.keys, ledger, { facts: world.stmary.projected, member: 'stmary' });

  it('do not count before the ledger took them, nor when it refuses', async () => {
    const phone = keyOf('phone');
    const during: unknown[] = [];
    const ledger: Pick<Ledger, 'submit'> = {
      submit: (call) => {
        during.push(keys.active(pid, 'phone'));
        return world.ledgerOf('stmary').submit(call);
      },
    };
    await sendingBy(ledger).register(adams, pid, phone, { holder: 'patient' });
    assert.deepEqual(during, [undefined]);
    assert.deepEqual(keys.active(pid, 'phone'), phone);
    const unknown = '0'.repeat(64);
    await assert.rejects(keys.register(adams, unknown, keyOf('tablet'), { holder: 'patient' }), {
      code: 'unknown-patient',
    });
    assert.equal(keys.active(unknown, 'tablet'), undefined);
  });

  it('keep their kid: another key under it is refused, and what it was refused for can be sent again', async () => {
    const phone = keyOf('phone');
    await assert.rejects(keys.register({ ...adams, role: 'patient' }, pid, keyOf('phone'), { holder: 'patient' }));
    await keys.register(adams, pid, phone, { holder: 'patient' });
    await assert.rejects(keys.register(adams, pid, keyOf('phone'), { holder: 'patient' }), { code: 'key-exists' });
    assert.deepEqual(keys.active(pid, 'phone'), phone);
  });

  it('count when the ledger took them and nobody heard of it, and never again once revoked', async () => {
    const phone = keyOf('phone');
    const deaf: Pick<Ledger, 'submit'> = {
      submit: async (call) => {
        await world.ledgerOf('stmary').submit(call);
        throw new Error('the line is down');
      },
    };
    await assert.rejects(sendingBy(deaf).register(adams, pid, phone, { holder: 'patient' }), /line/);
    assert.deepEqual(keys.active(pid, 'phone'), phone);
    assert.equal(keys.custodial(pid), undefined);
    await keys.register(adams, pid, phone, { holder: 'patient' });
    assert.deepEqual(keys.active(pid, 'phone'), phone);
    await keys.revoke(adams, pid, phone, 'patient');
    await assert.rejects(keys.register(adams, pid, phone, { holder: 'patient' }), { code: 'key-revoked' });
    assert.equal(keys.active(pid, 'phone'), undefined);
  });

  it('do not count when they were sent and the ledger has another under their kid', async () => {
    const request = { pid, jwk: keyOf('phone'), holder: 'patient', state: 'active', salt: '0'.repeat(64) };
    const actor = { user: 'u-mallory', role: 'admin', purpose: 'HSYSADMIN' };
    const late: Pick<Ledger, 'submit'> = {
      submit: async () => {
        await world.submit('stmary', 'patient:key', { request, actor });
        throw new Error('the line is down');
      },
    };
    await assert.rejects(sendingBy(late).register(adams, pid, keyOf('phone'), { holder: 'patient' }), /line/);
    assert.equal(keys.active(pid, 'phone'), undefined);
  });

  it('are not believed of the ledger alone', async () => {
    const request = { pid, jwk: keyOf('phone'), holder: 'patient', state: 'active', salt: '0'.repeat(64) };
    const actor = { user: 'u-mallory', role: 'admin', purpose: 'HSYSADMIN' };
    await world.submit('stmary', 'patient:key', { request, actor });
    await assert.rejects(keys.register(adams, pid, keyOf('phone'), { holder: 'patient' }), { code: 'key-exists' });
    assert.equal(keys.active(pid, 'phone'), undefined);
  });
});

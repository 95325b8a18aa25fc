import assert from 'node:assert/strict';

import type { ConsentRecord } from '@salus/chaincode/consent/api';
import type { PatientView } from '@salus/chaincode/patient/api';
import { canonicalForm, readStatement } from '@salus/gateway/identity/statements';
import { verifyStatement } from '../support/verify-statement.js';
import type { PublicJwk } from '@salus/gateway/settings';
import type { JWK } from 'jose';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

describe("a patient's key in the custodian's wallet", () => {
  let world: SharingWorld;
  let pid: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
  });
  afterEach(() => world.close());

  async function onLedger(): Promise<PatientView['keys']> {
    const { payload } = await world.contracts.evaluate('stmary', 'patient:read', { request: { pid } });
    return (JSON.parse(payload) as PatientView).keys;
  }

  async function recorded(consentId: string): Promise<ConsentRecord> {
    const call = { request: { consentId, version: 1 } };
    const { payload } = await world.contracts.evaluate('stmary', 'consent:read', call);
    return JSON.parse(payload) as ConsentRecord;
  }

  it('is registered along with the patient, in one transaction', async () => {
    const [key, ...more] = await onLedger();
    assert.deepEqual([key?.custodian, key?.holder, key?.state, more.length], ['stmary', 'custodian', 'active', 0]);
    assert.deepEqual(world.submitted, ['patient:register', 'ehr:write']);
  });

  it('signs what the patient and staff say at the custodian', async () => {
    const [key] = await onLedger();
    const ofPatient = await recorded(await sendConsent(world.stmary, composeConsent('northside')));
    assert.deepEqual(
      await verifyStatement(ofPatient.statement ?? '', { ...key!.jwk } as JWK),
      canonicalForm(ofPatient.consent),
    );
    assert.deepEqual(ofPatient.countsAt, ['stmary']);
    const own = { method: 'POST', path: 'Consent', query: new URLSearchParams(), headers: {} };
    const body = JSON.stringify(composeConsent('northside'));
    const sent = await world.stmary.sharing.handlers.Consent!({ ...own, body, actor: adams }, 'create', () =>
      assert.fail('the domain answers itself'),
    );
    const ofStaff = await recorded(/Consent\/([^/]+)\//.exec(sent.headers.Location ?? '')![1]!);
    assert.equal(readStatement(ofStaff.statement ?? '')?.kid, key!.jwk.kid);
  });

  it('does not lend its signature to a role that is not heard', async () => {
    const own = { method: 'POST', path: 'Consent', query: new URLSearchParams(), headers: {} };
    const request = { ...own, body: JSON.stringify(composeConsent('northside')) };
    const actor = { ...adams, role: 'laboratory' };
    const asked = world.stmary.sharing.handlers.Consent!({ ...request, actor }, 'create', () => assert.fail());
    await assert.rejects(asked, { code: 'not-authentic' });
  });

  it('gives way to a key of the patient, which the same transaction registers', async () => {
    const phone = newJwk('phone').public as unknown as PublicJwk;
    await world.stmary.sharing.patientKeys.register(adams, pid, phone, { holder: 'patient' });
    const keys = await onLedger();
    const states = keys.map(({ holder, state }) => `${holder} ${state}`).sort();
    assert.deepEqual(states, ['custodian revoked', 'patient active']);
    assert.equal(world.submitted.filter((name) => name === 'patient:key').length, 1);
    assert.equal(world.stmary.sharing.patientKeys.custodial(pid), undefined);
    const after = await recorded(await sendConsent(world.stmary, composeConsent('northside')));
    assert.equal(after.statement, undefined);
  });
});

import assert from 'node:assert/strict';

import type { PatientView, RegisterKey } from '@salus/chaincode/patient/api';
import { signingKey } from '@salus/gateway/identity/keys';
import { signStatement } from '@salus/gateway/identity/statements';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { PatientKeys } from '@salus/gateway/patient/keys';
import type { LedgerCall } from '@salus/gateway/ports';
import type { PublicJwk } from '@salus/gateway/settings';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { physician } from '../support/contract-world.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

describe('the keys of a patient whose record is erased', () => {
  let world: SharingWorld;
  let pid: string;

  beforeEach(async () => {
    world = await SharingWorld.open();
    pid = await annAt(world);
  });
  afterEach(() => world.close());

  const statesOnLedger = async (): Promise<string[]> => {
    const { payload } = await world.contracts.evaluate('stmary', 'patient:read', { request: { pid } });
    return (JSON.parse(payload) as PatientView).keys.map(({ holder, state }) => `${holder} ${state}`).sort();
  };

  it('sign nothing for the erased id any more, whosever they are, and whichever hospital brings it', async () => {
    const { patientKeys, hospital } = world.stmary.sharing;
    const guardians = newJwk('guardians');
    const owner = { holder: 'guardian', guardian: { patient: 'ann', person: 'eve' } } as const;
    await patientKeys.register(adams, pid, guardians.public as unknown as PublicJwk, owner);
    const said = composeConsent('northside');
    const signed = async (consent: string): Promise<string> => {
      const subject = { channel: 'health', consent, version: 1, replaces: null };
      return await signStatement(said, subject, signingKey(guardians.private));
    };
    await sendConsent(world.northside, said, undefined, await signed('before'));
    assert.deepEqual(await statesOnLedger(), ['custodian active', 'guardian active']);
    await hospital!.forget('ann');
    assert.deepEqual(await statesOnLedger(), ['custodian revoked', 'guardian revoked']);
    assert.equal(patientKeys.active(pid, 'guardians'), undefined);
    assert.equal(patientKeys.custodial(pid), undefined);
    for (const hospitalOf of [world.northside, world.stmary]) {
      const late = sendConsent(hospitalOf, said, undefined, await signed('after'));
      await assert.rejects(late, { code: 'not-authentic' });
    }
    const { keys } = world.stmary;
    const row = keys.database.prepare('SELECT 1 FROM signing_keys WHERE patient = ?').get('ann');
    assert.equal(row, undefined);
    await hospital!.forget('ann');
    assert.deepEqual(await statesOnLedger(), ['custodian revoked', 'guardian revoked']);
  });

  it('are none that the ledger takes later: one whose registration was not answered is revoked before', async () => {
    const { keys, sharing } = world.stmary;
    const sent: RegisterKey[] = [];
    const silent = {
      submit: ({ transient = {} }: LedgerCall): never => {
        sent.push(JSON.parse(Buffer.from(transient.request ?? []).toString()) as RegisterKey);
        throw new Refusal('unavailable', 'outcome-unknown', 'nobody answers');
      },
    };
    const unanswered = new PatientKeys(keys, silent, { facts: world.stmary.projected, member: 'stmary' });
    const phone = newJwk('phone').public as unknown as PublicJwk;
    await assert.rejects(unanswered.register(adams, pid, phone, { holder: 'patient' }), { code: 'outcome-unknown' });
    await sharing.hospital!.forget('ann');
    assert.deepEqual(await statesOnLedger(), ['custodian revoked', 'patient revoked']);
    const late = { request: { ...sent[0], replaces: undefined }, actor: physician };
    await world.contracts.refused('key-revoked', 'stmary', 'patient:key', late);
    assert.equal(sharing.patientKeys.active(pid, 'phone'), undefined);
  });

  it('are not followed by others: none is registered for an erased id', async () => {
    const register = async (kid: string): Promise<number> => {
      const jwk = { name: 'jwk', valueString: JSON.stringify(newJwk(kid).public) };
      const body = JSON.stringify({ resourceType: 'Parameters', parameter: [jwk] });
      const asked = { method: 'POST', path: 'Patient/ann/$patient-key', query: new URLSearchParams(), headers: {} };
      const fhir = world.stmary.sharing.logged(() => assert.fail('the operation answers itself'));
      return (await fhir({ ...asked, body, actor: adams })).status;
    };
    assert.equal(await register('phone'), 200);
    world.stmary.keys.erasePatientKey('ann');
    assert.equal(await register('tablet'), 404);
  });
});

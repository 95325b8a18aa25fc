import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { ANNOUNCED_LIFETIME_MS, MAX_HEARD_DENIALS } from '@salus/gateway/consent/announced';
import { wordHash } from '@salus/gateway/consent/authentic';
import { ConsentShelf } from '@salus/gateway/consent/shelf';
import { TrustedConsents } from '@salus/gateway/consent/trusted';
import { signingKey } from '@salus/gateway/identity/keys';
import { signStatement } from '@salus/gateway/identity/statements';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { PatientKeys } from '@salus/gateway/patient/keys';
import type { Actor, LedgerCall } from '@salus/gateway/ports';
import type { PublicJwk } from '@salus/gateway/settings';

import { composeConsent, sendConsent } from '../door/consents.js';
import { adams, annAt } from '../support/ann.js';
import { random } from '../support/contract-world.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

const deniesAdams = {
  ...composeConsent('stmary'),
  provision: { type: 'deny', actor: [{ reference: { identifier: { system: 'urn:salus:user', value: 'u-adams' } } }] },
};

const composeDenial = (): JsonObject => ({ ...composeConsent('northside'), provision: { type: 'deny' } });

describe('the consents a custodian decides on', () => {
  let world: SharingWorld;
  let pid: string;
  let alarms: string[];

  beforeEach(async () => {
    world = await SharingWorld.open();
    alarms = world.stmary.alarms;
    pid = await annAt(world);
  });
  afterEach(() => world.close());

  /** What two colluding members of `care` can commit: any value, also in a transaction of another member's. */
  function collude(consentId: string, consent: JsonObject, said: Readonly<Record<string, unknown>> = {}): void {
    const { version = 1, creator = 'NorthsideMSP', ...more } = said as { version?: number; creator?: string };
    const submitter = { member: 'stmary', user: 'u-adams', role: 'physician' };
    const about = { pid, consentId, version, status: 'active', countsAt: ['stmary'] };
    const record = { ...about, consent, submitter, recorded: '2026-01-01T00:00:00Z', ...more };
    const key = `\u0000consent\u0000${consentId}\u0000${version}\u0000`;
    world.project(randomBytes(8).toString('hex'), creator, 'care', key, Buffer.from(JSON.stringify(record)));
  }

  const ids = (reading: readonly { readonly id: string }[]): string[] => reading.map(({ id }) => id);

  /** As stmary's door takes them, by id; undefined = closed. */
  function atDoor(): readonly string[] | undefined {
    return trusted().toOthers(pid)?.flatMap(ids);
  }

  function trusted(
    shelf = new ConsentShelf(world.stmary.projected),
    applied: { block: number } = world.stmary.projected,
  ): TrustedConsents {
    const { sharing, memory, projected } = world.stmary;
    return new TrustedConsents({
      ...{ member: 'stmary', mspId: 'StmaryMSP', channel: 'health', memory, facts: projected, shelf, applied },
      patientKeys: sharing.patientKeys,
      alarm: (what) => alarms.push(what),
      now: () => new Date(world.contracts.clockMs).toISOString(),
    });
  }

  const seesPatient = (actor: Actor): boolean => {
    const stored = world.stmary.projected.current('Patient', 'ann')!;
    return world.stmary.sharing.decision.permit(actor, stored) !== undefined;
  };

  it("are not forged in the custodian's own name, whoever endorses its transaction", async () => {
    const permitId = await sendConsent(world.stmary, composeConsent('northside'));
    assert.deepEqual(atDoor(), [permitId]);
    collude('forged', composeConsent('northside'), { creator: 'StmaryMSP' });
    assert.equal(atDoor(), undefined);
    assert.deepEqual(alarms, ['foreign-consent']);
  });

  it('are obeyed where they deny from when they are heard of, for a day at most, also at a gateway that is behind', async () => {
    const permitId = await sendConsent(world.stmary, composeConsent('northside'));
    const { projected } = world.stmary;
    const rows = [...projected.facts('consent', `${pid}/`)];
    const denialId = await sendConsent(world.stmary, composeDenial());
    assert.deepEqual(trusted().toOthers(pid)?.map(ids), [[permitId, denialId]]);
    const behind = trusted(new ConsentShelf({ fact: () => undefined, facts: () => rows }));
    assert.deepEqual(behind.toOthers(pid)?.map(ids), [[permitId], [permitId, denialId]]);
    world.contracts.clockMs += ANNOUNCED_LIFETIME_MS;
    assert.deepEqual(behind.within(pid).map(ids), [[permitId], [permitId, denialId]]);
    world.contracts.clockMs += 1_000;
    assert.deepEqual(behind.within(pid).map(ids), [[permitId]]);
    assert.deepEqual(alarms, ['denial-overdue']);
  });

  it('open to no other member at a gateway that has not applied what another one saw, which is no rollback', async () => {
    const permitId = await sendConsent(world.stmary, composeConsent('northside'));
    const { projected, memory } = world.stmary;
    const [rows, block] = [[...projected.facts('consent', `${pid}/`)], projected.block];
    await sendConsent(world.stmary, composeConsent('acme'), permitId);
    assert.deepEqual(atDoor(), [permitId]);
    const shelf = new ConsentShelf({ fact: () => undefined, facts: () => rows });
    const behind = trusted(shelf, { block });
    assert.deepEqual([behind.toOthers(pid), behind.within(pid).map(ids)], [undefined, [[permitId], []]]);
    assert.deepEqual([alarms, memory.refusalOf(`patient/${pid}`)], [[], undefined]);
    assert.deepEqual(atDoor(), [permitId]);
    // Once it has applied that block and the version is not in it, somebody rolled back.
    assert.equal(trusted(shelf).toOthers(pid), undefined);
    assert.deepEqual(alarms, ['rollback']);
  });

  it(`are obeyed before the ledger has them if their word counts here, and ${MAX_HEARD_DENIALS} of them at most`, async () => {
    const permitId = await sendConsent(world.stmary, composeConsent('northside'));
    const say = (consentId: string, consent: JsonObject, teller = 'stmary'): number => {
      const record = { pid, consentId, version: 1, consent: { ...consent, id: consentId } as never, salt: random() };
      world.stmary.memory.keepWord(wordHash(record));
      trusted().hear(teller, record);
      return trusted().within(pid).at(-1)?.length ?? 0;
    };
    assert.equal(say('permit', composeConsent('acme')), 1, 'a permit waits for the ledger');
    assert.equal(say('garbled', { ...composeDenial(), provision: { type: 'deny', purpose: [{ code: 'NONE' }] } }), 1);
    assert.equal(say('foreign', composeDenial(), 'northside'), 1, 'another member says nothing in this one’s name');
    assert.equal(say(permitId, composeDenial()), 1, 'the ledger has this version');
    for (let said = 1; said <= MAX_HEARD_DENIALS; said += 1) say(`denial-${said}`, composeDenial());
    assert.equal(say('one-over', composeDenial()), 1 + MAX_HEARD_DENIALS);
  });

  it("are the custodian's own word where the patient has a key of the own", async () => {
    await world.stmary.sharing.patientKeys.register(adams, pid, newJwk('phone').public as never, { holder: 'patient' });
    const id = await sendConsent(world.stmary, composeConsent('northside'));
    assert.deepEqual(atDoor(), [id]);
    assert.deepEqual(alarms, []);
  });

  it('neither permit nor deny anything to its own staff when they are forged', () => {
    const researcher = { ...adams, user: 'u-eve', role: 'researcher', purpose: 'HRESCH' };
    collude('forged', { ...composeConsent('stmary'), provision: { type: 'permit' } });
    collude('forged-too', deniesAdams);
    assert.equal(seesPatient(researcher), false);
    assert.equal(seesPatient(adams), true);
    assert.deepEqual(alarms, ['foreign-consent']);
  });

  it('still deny to its own staff what they denied when somebody writes over them', async () => {
    const denialId = await sendConsent(world.stmary, deniesAdams);
    assert.equal(seesPatient(adams), false);
    collude(denialId, composeConsent('northside'));
    assert.equal(seesPatient(adams), false);
    collude(denialId, composeConsent('northside'), { version: 2, countsAt: ['northside'] });
    assert.equal(seesPatient(adams), false);
    collude(denialId, { ...deniesAdams, status: 'inactive' }, { version: 2, status: 'inactive' });
    assert.equal(seesPatient(adams), false);
    assert.equal(atDoor(), undefined);
  });

  it('stay when the key that signed them is replaced or revoked, and none that comes later counts', async () => {
    const { patientKeys } = world.stmary.sharing;
    const byWallet = await sendConsent(world.stmary, composeConsent('northside'));
    const phone = newJwk('phone');
    await patientKeys.register(adams, pid, phone.public as unknown as PublicJwk, { holder: 'patient' });
    assert.deepEqual(atDoor(), [byWallet]);
    const said = composeConsent('northside');
    const sign = async (consent: string) =>
      await signStatement(said, { channel: 'health', consent, version: 1, replaces: null }, signingKey(phone.private));
    await sendConsent(world.northside, said, undefined, await sign('by-phone'));
    await patientKeys.revoke(adams, pid, phone.public as unknown as PublicJwk, 'patient');
    assert.deepEqual(atDoor()?.toSorted(), [byWallet, 'by-phone'].toSorted());
    assert.deepEqual(alarms, []);
    collude('by-thief', said, { statement: await sign('by-thief') });
    assert.equal(atDoor(), undefined);
    assert.deepEqual(alarms, ['foreign-consent']);
  });

  it('are those of the patient whom what was signed names, though the key speaks for another one, too', async () => {
    const { sharing } = world.stmary;
    const text = '{"resourceType":"Patient","id":"ben"}';
    await sharing.writer.write(adams, [{ type: 'Patient', id: 'ben', expect: 0, text, patient: 'ben' }]);
    const guardians = newJwk('guardians');
    for (const child of [pid, sharing.lookup.pidOf('ben')!]) {
      const owner = { holder: 'guardian', guardian: { patient: 'ann', person: 'eve' } } as const;
      await sharing.patientKeys.register(adams, child, guardians.public as unknown as PublicJwk, owner);
    }
    const said = { ...composeConsent('northside'), patient: { reference: 'Patient/ben' } };
    const subject = { channel: 'health', consent: 'bens', version: 1, replaces: null };
    collude('bens', said, { statement: await signStatement(said, subject, signingKey(guardians.private)) });
    assert.equal(atDoor(), undefined);
    assert.deepEqual(alarms, ['foreign-consent']);
  });

  it('hold when they are signed with a key whose registration was never answered', async () => {
    const { keys, projected } = world.stmary;
    const phone = newJwk('phone');
    const deaf = {
      submit: async (call: LedgerCall) => {
        await world.ledgerOf('stmary').submit(call);
        throw new Error('the line is down');
      },
    };
    const sending = new PatientKeys(keys, deaf, { facts: projected, member: 'stmary' });
    await assert.rejects(sending.register(adams, pid, phone.public as unknown as PublicJwk, { holder: 'patient' }));
    const said = composeConsent('northside');
    const subject = { channel: 'health', consent: 'by-phone', version: 1, replaces: null };
    await sendConsent(world.northside, said, undefined, await signStatement(said, subject, signingKey(phone.private)));
    assert.deepEqual(atDoor(), ['by-phone']);
    assert.deepEqual(alarms, []);
  });
});

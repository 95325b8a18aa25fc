import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { composeConsent, sendConsent } from './consents.js';
import { DoorCaller } from '@salus/gateway/door/caller';
import { Memory } from '@salus/gateway/keys/memory';
import { Directory } from '@salus/gateway/registry/directory';
import { checkProof, MAX_PROOF_CHARACTERS, PROOF_LIFETIME_S, signProof } from '@salus/gateway/door/proof';
import { DENIAL_PATH, MAX_DENIAL_BYTES } from '@salus/gateway/door/denial';
import { MAX_DOOR_BODY_BYTES } from '@salus/gateway/door/server';
import { CARRIAGE_BYTES, CARRIAGE_PATH } from '@salus/gateway/supply/packs/carriage';
import { HANDOVER_BYTES, HANDOVER_PATH } from '@salus/gateway/supply/packs/handover';
import { LOT_BYTES, LOT_PATH } from '@salus/gateway/supply/packs/issuer';
import { EXCEPTION_BYTES, EXCEPTION_PATH } from '@salus/gateway/supply/trade/exceptions';
import { HOLDING_BYTES, HOLDING_PATH } from '@salus/gateway/supply/trade/holders';
import { TRACE_BYTES, TRACE_PATH } from '@salus/gateway/supply/trade/trace';
import { WITHDRAWAL_PATH } from '@salus/gateway/door/withdrawal';
import { signStatement } from '@salus/gateway/identity/statements';
import { signingKey } from '@salus/gateway/identity/keys';
import { request } from 'undici';

import { adams, annAt } from '../support/ann.js';
import { type Knock, type Knocked, Knocker } from '../support/knock.js';
import { newJwk, SharingWorld } from '../support/sharing-world.js';

const actor = { user: 'u-baker', role: 'physician' };

/** Longest body by path. */
const SUPPLY_LIMITS = [
  [CARRIAGE_PATH, CARRIAGE_BYTES],
  [HANDOVER_PATH, HANDOVER_BYTES],
  [EXCEPTION_PATH, EXCEPTION_BYTES],
  [HOLDING_PATH, HOLDING_BYTES],
  [TRACE_PATH, TRACE_BYTES],
  [LOT_PATH, LOT_BYTES],
] as const;

describe('the door', () => {
  let world: SharingWorld;
  let knocker: Knocker;
  let consentId: string;
  let pid: string;

  /** An access of northside's on the ledger; its id. */
  async function access(scope: object = { types: ['Observation'], interaction: 'search' }): Promise<string> {
    const aid = randomBytes(32).toString('hex');
    const asked = { aid, pid, purpose: 'TREAT', scope, salt: randomBytes(32).toString('hex') };
    await world.submit('northside', 'access:request', { request: asked, actor: { ...actor, purpose: 'TREAT' } });
    return aid;
  }

  /** One call, as northside's gateway makes it unless told otherwise. */
  const knock = (aid: string, more: Partial<Knock> = {}): Promise<Knocked> => {
    const { northside } = world;
    return knocker.knock(aid, {
      path: 'Observation?patient=ann',
      by: actor,
      signer: northside,
      line: northside,
      ...more,
    });
  };

  /** Status of a refusal, whose body must be that of anything absent. */
  async function refused(answer: Promise<{ status: number; body: string }>): Promise<void> {
    const { status, body } = await answer;
    const absent = await knock('0'.repeat(64), { proof: 'none' });
    assert.deepEqual({ status, body }, { status: 404, body: absent.body });
  }

  beforeEach(async () => {
    world = await SharingWorld.open();
    knocker = new Knocker(world);
    pid = await annAt(world);
    const text = JSON.stringify({ resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/ann' } });
    await world.stmary.sharing.writer.write(adams, [
      { type: 'Observation', id: 'o1', expect: 0, text, patient: 'ann' },
    ]);
    consentId = await sendConsent(world.stmary, composeConsent('northside'));
  });
  afterEach(async () => {
    await knocker.close();
    await world.close();
  });

  it('shows what the access permits, with evidence and without a total', async () => {
    const { status, body } = await knock(await access());
    assert.equal(status, 200);
    const bundle = JSON.parse(body) as { total?: number; entry: { resource: { id: string }; extension: object[] }[] };
    assert.deepEqual(
      bundle.entry.map(({ resource }) => resource.id),
      ['o1'],
    );
    assert.equal(bundle.entry[0]?.extension.length, 1);
    assert.equal(bundle.total, undefined);
  });

  /** A searchset without anything in it: an empty list is no FHIR. */
  const emptied = async (aid: string): Promise<void> => {
    const { status, body } = await knock(aid);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { resourceType: 'Bundle', type: 'searchset' });
  };

  it('refuses an access that is not there', () => refused(knock(randomBytes(32).toString('hex'))));

  it('refuses a proof that was used before', async () => {
    const aid = await access();
    const { proof } = await knock(aid);
    await refused(knock(aid, { proof }));
  });

  it('refuses a proof that could be used before its machine was started anew', async () => {
    const aid = await access();
    const { memory, keys } = world.stmary;
    const restarted = new Memory(keys, { id: 'anew', at: world.contracts.clockMs });
    memory.takeOnce = restarted.takeOnce.bind(restarted);
    await refused(knock(aid));
    // A clock that is ahead signs five seconds from now: a proof of after that cannot have been used before.
    await refused(knock(aid, { aheadMs: 5_000 }));
    world.contracts.clockMs += 6_000;
    assert.equal((await knock(aid)).status, 200);
  });

  it('refuses an access stolen by another member, or by another user', async () => {
    const aid = await access();
    await refused(knock(aid, { signer: world.stmary, line: world.stmary }));
    await refused(knock(aid, { signer: world.northside, line: world.stmary }));
    await refused(knock(aid, { by: { user: 'u-mallory', role: 'physician' } }));
  });

  it('refuses a proof for another call, and one that lives too long', async () => {
    const aid = await access();
    await refused(knock(aid, { claims: { htu: `${knocker.base}Observation?patient=ben` } }));
    await refused(knock(aid, { aheadMs: -(PROOF_LIFETIME_S + 1) * 1000 }));
  });

  it(`looks at no proof of more than ${MAX_PROOF_CHARACTERS} characters`, () => {
    const { signing, settings } = world.northside;
    const findKey = (): { member: string; jwk: object } => ({ member: 'northside', jwk: settings.members[1]!.jwk });
    const sized = (characters: number): string => {
      const claims = { aid: 'a', actor: { ...actor, user: 'x'.repeat(characters) }, htm: 'GET', htu: 'h', aud: 's' };
      return signProof(claims, signing, world.contracts.clockMs);
    };
    const most = Math.floor(((MAX_PROOF_CHARACTERS - sized(0).length) * 3) / 4);
    const [fits, over] = [sized(most - 3), sized(most + 3)];
    assert.ok(fits.length <= MAX_PROOF_CHARACTERS && over.length > MAX_PROOF_CHARACTERS);
    assert.equal(checkProof(fits, findKey, world.contracts.clockMs)?.member, 'northside');
    assert.equal(checkProof(over, findKey, world.contracts.clockMs), undefined);
  });

  it(`reads at most ${MAX_DOOR_BODY_BYTES} bytes of what it is told, and no address that is none`, async () => {
    const tell = async (path: string, body: string): Promise<number> => {
      const dispatcher = knocker.lineOf(world.northside);
      const { statusCode, body: answer } = await request(knocker.base + path, { dispatcher, method: 'POST', body });
      await answer.dump();
      return statusCode;
    };
    const told = JSON.stringify({ consentId: 'none', version: 2 });
    assert.equal(await tell(WITHDRAWAL_PATH, told.padEnd(MAX_DOOR_BODY_BYTES)), 200);
    assert.equal(await tell(WITHDRAWAL_PATH, told.padEnd(MAX_DOOR_BODY_BYTES + 1)), 413);
    assert.equal(await tell(DENIAL_PATH, told.padEnd(MAX_DENIAL_BYTES)), 404);
    assert.equal(await tell(DENIAL_PATH, told.padEnd(MAX_DENIAL_BYTES + 1)), 413);
    assert.equal(await tell('%', told), 404);
    // What the supply chain tells has limits of its own; an empty message is read whole and shown nothing.
    for (const [path, most] of SUPPLY_LIMITS) {
      assert.equal(await tell(path, '{}'.padEnd(most)), 404, path);
      assert.equal(await tell(path, '{}'.padEnd(most + 1)), 413, path);
    }
  });

  it('refuses what lies outside the scope', async () => {
    const aid = await access();
    await refused(knock(aid, { path: 'Condition?patient=ann' }));
    await refused(knock(aid, { path: 'Observation?patient=ben' }));
    await refused(knock(aid, { path: 'Observation' }));
    await refused(knock(aid, { path: 'Observation/o1' }));
    await refused(knock(aid, { path: 'Observation?patient=ann&subject:Patient.name=x' }));
    await refused(knock(aid, { path: 'Observation?patient=ann&_has:Provenance:target:agent=x' }));
    await refused(knock(aid, { path: 'Patient/ann/$everything' }));
  });

  it('refuses an access of more than ten minutes ago', async () => {
    const aid = await access();
    await world.pass(300_000, 'northside');
    assert.equal((await knock(aid)).status, 200);
    await world.pass(301_000, 'stmary');
    await refused(knock(aid));
  });

  it('stays shut when its own peer has seen no tick for a minute', async () => {
    const aid = await access();
    world.contracts.clockMs += 61_000;
    await refused(knock(aid));
  });

  it('refuses from the moment it hears of a withdrawal', async () => {
    const aid = await access();
    const { settings, signing } = world.northside;
    const directory = new Directory(world.northside.projected, settings);
    const caller = new DoorCaller({ settings, directory, signingKey: signing, clock: () => world.contracts.clockMs });
    await caller.tell(['stmary'], { consentId, version: 2 });
    await caller.close();
    await emptied(aid);
  });

  it('decides by the consent in force now, not by the one the access was given on', async () => {
    const aid = await access();
    assert.equal((JSON.parse((await knock(aid)).body) as { entry: unknown[] }).entry.length, 1);
    await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, consentId);
    await emptied(aid);
  });

  it('closes the patient when a consent is neither its own nor signed with a key it registered', async () => {
    const aid = await access();
    const forged = { ...composeConsent('northside'), provision: { type: 'permit' } };
    const stranger = signingKey(newJwk().private);
    const subject = { channel: 'health', consent: 'forged', version: 1, replaces: null };
    const record = {
      ...{ pid, consentId: 'forged', version: 1, status: 'active', consent: forged, countsAt: ['stmary'] },
      statement: await signStatement(forged, subject, stranger),
      submitter: { member: 'stmary', user: 'u-adams', role: 'physician' },
      recorded: new Date().toISOString(),
    };
    world.project(
      'forged-tx',
      'NorthsideMSP',
      'care',
      '\u0000consent\u0000forged\u00001\u0000',
      Buffer.from(JSON.stringify(record)),
    );
    await refused(knock(aid));
    assert.deepEqual(world.stmary.alarms, ['foreign-consent']);
  });

  it('closes the patient when a later version of a consent no longer counts where it counted', async () => {
    const aid = await access();
    const denial = { ...composeConsent('northside'), provision: { type: 'deny' } };
    const denialId = await sendConsent(world.stmary, denial);
    const lost = {
      ...{ pid, consentId: denialId, version: 2, status: 'active', consent: denial, countsAt: ['northside'] },
      submitter: { member: 'northside', user: 'u-mallory', role: 'physician' },
      recorded: new Date().toISOString(),
    };
    const key = `\u0000consent\u0000${denialId}\u00002\u0000`;
    world.project('lost-tx', 'NorthsideMSP', 'care', key, Buffer.from(JSON.stringify(lost)));
    await refused(knock(aid));
    assert.deepEqual(world.stmary.alarms, ['rollback']);
  });

  it('closes the patient when a version of a consent says something else than before', async () => {
    const own = newJwk();
    await world.stmary.sharing.patientKeys.register(adams, pid, own.public as never, { holder: 'patient' });
    const subject = { channel: 'health', consent: 'signed', version: 1, replaces: null };
    const key = signingKey(own.private);
    const said = composeConsent('acme');
    await sendConsent(world.northside, said, undefined, await signStatement(said, subject, key));
    const aid = await access();
    assert.equal((await knock(aid)).status, 200);
    const other = composeConsent('northside');
    const record = {
      ...{ pid, consentId: 'signed', version: 1, status: 'active', consent: other, countsAt: ['stmary'] },
      statement: await signStatement(other, subject, key),
      submitter: { member: 'northside', user: 'u-mallory', role: 'physician' },
      recorded: new Date().toISOString(),
    };
    const ledgerKey = '\u0000consent\u0000signed\u00001\u0000';
    world.project('other-tx', 'NorthsideMSP', 'care', ledgerKey, Buffer.from(JSON.stringify(record)));
    await refused(knock(aid));
    assert.deepEqual(world.stmary.alarms, ['rollback']);
  });

  it('takes a consent signed with a key it registered', async () => {
    const own = newJwk();
    const staff = { ...adams, scopes: [] };
    await world.stmary.sharing.patientKeys.register(staff, pid, own.public as never, { holder: 'patient' });
    const signed = composeConsent('northside');
    const subject = { channel: 'health', consent: 'signed', version: 1, replaces: null };
    const statement = await signStatement(signed, subject, signingKey(own.private));
    assert.equal(await sendConsent(world.northside, signed, undefined, statement), 'signed');
    await sendConsent(world.stmary, { ...composeConsent('northside'), status: 'inactive' }, consentId);
    assert.equal((await knock(await access())).status, 200);
    assert.deepEqual(world.stmary.alarms, []);
  });
});

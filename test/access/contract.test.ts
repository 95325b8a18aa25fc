import assert from 'node:assert/strict';
import { type AccessRecord, mayClaim, roles, purposesOf, purposes, namedPatient } from '@salus/chaincode/access/api';
import { CONSENTS_READ } from '@salus/chaincode/dist/access/contract.js';
import { ContractWorld, physician, random } from '../support/contract-world.js';
import { ask, consentOf, consentRequest, everything, registerPatient } from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

const grant = async (
  world: ContractWorld,
  pid: string,
  id: string,
  member: string,
  type: 'permit' | 'deny' = 'permit',
) => {
  const request = consentRequest(pid, consentOf(id, member, type));
  await world.submit('stmary', 'consent:record', { request, actor: physician });
};

describe('access on the ledger', () => {
  it('is denied without a consent, permitted by one, denied again once withdrawn; all of it is recorded', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const before = await ask(world, 'northside', pid);
    assert.equal(before.decision, 'deny');
    assert.equal(before.custodians.stmary?.path, 'implicit/between');
    await grant(world, pid, 'c-1', 'northside');
    const permitted = await ask(world, 'northside', pid);
    assert.equal(permitted.decision, 'permit');
    assert.deepEqual(permitted.custodians.stmary?.consent, { consentId: 'c-1', version: 1 });
    assert.deepEqual(permitted.consents, [{ consentId: 'c-1', version: 1 }]);
    assert.equal((await ask(world, 'northside', pid, { custodian: 'northside' })).decision, 'deny');
    const withdrawal = consentRequest(pid, consentOf('c-1', 'northside', 'permit', 'inactive'), 2);
    await world.submit('stmary', 'consent:record', { request: withdrawal, actor: physician });
    const after = await ask(world, 'northside', pid);
    assert.equal(after.decision, 'deny');
    assert.deepEqual(after.consents, []);
    assert.equal(after.requester, 'northside');
    assert.deepEqual(after.actor, { user: physician.user, role: 'physician' });
  });

  it('is void when a withdrawal is ordered first', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    await grant(world, pid, 'c-1', 'northside');
    const request = { aid: random(), pid, purpose: 'TREAT', scope: everything, salt: random() };
    const decided = await world.evaluate('northside', 'access:request', { request, actor: physician });
    const withdrawal = consentRequest(pid, consentOf('c-1', 'northside', 'permit', 'inactive'), 2);
    await world.submit('stmary', 'consent:record', { request: withdrawal, actor: physician });
    assert.equal(world.commit(decided), 'MVCC_READ_CONFLICT');
  });

  it('reads as much whether the patient has several consents, one, none, or is nobody', async () => {
    const world = await ContractWorld.founded();
    const pids = await Promise.all([0, 1, CONSENTS_READ].map(() => registerPatient(world)));
    const [, one = '', several = ''] = pids;
    await grant(world, one, 'c-1', 'northside');
    for (let each = 0; each < CONSENTS_READ; each += 1) await grant(world, several, `d-${each}`, 'acme');
    const reads: string[][] = [];
    for (const pid of [...pids, random()]) {
      await ask(world, 'northside', pid);
      const { outcome } = world.outcomes.findLast(({ transaction }) => transaction === 'access:request')!;
      reads.push(outcome.rwset.reads.map(({ place, key }) => `${place} ${key.split('\u0000')[1] ?? ''}`));
    }
    for (const each of reads) assert.deepEqual(each, reads[0]);
    assert.equal(reads[0]?.filter((each) => each === 'care consent').length, CONSENTS_READ);
  });

  it('costs and shows the same whether permitted, denied or asked about nobody', async () => {
    const world = await ContractWorld.founded();
    const [allowed, closed] = [await registerPatient(world), await registerPatient(world)];
    await grant(world, allowed, 'c-1', 'northside');
    const seen = [];
    for (const pid of [allowed, closed, random()]) {
      await ask(world, 'northside', pid);
      const { outcome } = world.outcomes.findLast(({ transaction }) => transaction === 'access:request')!;
      const places = [...outcome.rwset.writes].map(([place, writes]) => `${place} ${writes.size}`);
      seen.push({ places, payload: outcome.payload, event: outcome.rwset.event, inClear: outcome.inClear });
    }
    assert.deepEqual(seen[0]?.places, ['care 1']);
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[2], seen[0]);
  });

  it('is refused for another purpose than claimed, a taken id, an unclaimable purpose, break-glass without reason', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const request = { aid: random(), pid, purpose: 'TREAT', scope: everything, salt: random() };
    const refused = (code: string, change: object, actor: object = physician) =>
      world.refused(code, 'northside', 'access:request', { request: { ...request, ...change }, actor });
    await refused('purpose-mismatch', { purpose: 'HRESCH' });
    await refused('purpose-not-claimable', { purpose: 'HRESCH' }, { ...physician, purpose: 'HRESCH' });
    await refused('reason-missing', { purpose: 'BTG' }, { ...physician, purpose: 'BTG' });
    await refused('reason-missing', { breakGlass: { reasonCode: 'unconscious' } });
    await refused('signed-request-invalid', { onBehalfOf: new SigningKey('stolen').sign({ aid: request.aid }) });
    await world.submit('northside', 'access:request', { request, actor: physician });
    await refused('access-exists', {});
  });

  it('needs a tick at most 90 s old', async () => {
    const world = await ContractWorld.founded();
    const request = { aid: random(), pid: random(), purpose: 'TREAT', scope: everything, salt: random() };
    world.clockMs += 90_000;
    await world.submit('northside', 'access:request', { request, actor: physician });
    world.clockMs += 1;
    await world.refused('no-recent-tick', 'northside', 'access:request', {
      request: { ...request, aid: random() },
      actor: physician,
    });
  });

  it('is read by who asked, who was asked and the witness, and unknown to everybody else', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const { aid } = await ask(world, 'northside', pid);
    for (const member of ['stmary', 'northside', 'authority']) {
      assert.equal((await world.evaluate(member, 'access:read', { request: { aid } })).status, 200, member);
    }
    const own = await ask(world, 'stmary', random());
    await world.refused('unknown-access', 'northside', 'access:read', { request: { aid: own.aid } });
    await world.refused('unknown-access', 'northside', 'access:read', { request: { aid: random() } });
  });

  it('lets a member outside care ask through the custodian, by its own signature, once', async () => {
    const key = new SigningKey('acme-gateway0');
    const world = await ContractWorld.founded({ acme: key.jwk });
    const pid = await registerPatient(world);
    const aid = random();
    const actor = { user: 'u-9', role: 'investigator' };
    const says = {
      channel: 'health',
      aid,
      member: 'acme',
      custodian: 'stmary',
      patient: namedPatient({ aid, custodian: 'stmary', patient: 'patient-1' }),
      actor,
      purpose: 'TREAT',
      scope: everything,
    };
    const request = {
      aid,
      pid,
      purpose: 'TREAT',
      scope: everything,
      custodian: 'stmary',
      onBehalfOf: key.sign(says),
      salt: random(),
    };
    for (const forged of [
      { ...says, member: 'northside' },
      { ...says, custodian: 'northside' },
      { ...says, aid: random() },
    ]) {
      const wrong = { ...request, onBehalfOf: key.sign(forged) };
      await world.refused('signed-request-invalid', 'stmary', 'access:request', { request: wrong });
    }
    const another = { ...request, pid: await registerPatient(world, 'stmary', 'patient-2') };
    await world.refused('signed-request-invalid', 'stmary', 'access:request', { request: another });
    const stranger = { ...request, onBehalfOf: new SigningKey('acme-gateway0').sign(says) };
    await world.refused('signed-request-invalid', 'stmary', 'access:request', { request: stranger });
    await world.submit('stmary', 'access:request', { request });
    const { payload } = await world.evaluate('authority', 'access:read', { request: { aid } });
    const record = JSON.parse(payload) as { requester: string; submittedBy: string; custodians: object };
    assert.equal(`${record.requester} by ${record.submittedBy}`, 'acme by stmary');
    assert.deepEqual(Object.keys(record.custodians), ['stmary']);
  });

  it('anchors what a custodian delivered, only where it was permitted, and what a member read', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const denied = await ask(world, 'northside', pid);
    const manifest = { aid: denied.aid, manifestId: random(), root: random(), count: 3, salt: random() };
    await world.refused('not-permitted', 'stmary', 'access:disclose', { request: { manifests: [manifest] } });
    await grant(world, pid, 'c-1', 'northside');
    const { aid } = await ask(world, 'northside', pid);
    await world.refused('unknown-access', 'northside', 'access:disclose', {
      request: { manifests: [{ ...manifest, aid }] },
    });
    await world.submit('stmary', 'access:disclose', { request: { manifests: [{ ...manifest, aid }] } });
    await world.refused('manifest-exists', 'stmary', 'access:disclose', {
      request: { manifests: [{ ...manifest, aid }] },
    });
    const slice = { anchorId: random(), root: random(), first: 0, last: 9, salt: random() };
    const anchored = await world.submit('acme', 'access:anchor', { request: slice });
    assert.deepEqual([...anchored.rwset.writes.keys()], ['of-acme']);
    await world.refused('anchor-exists', 'acme', 'access:anchor', { request: slice });
  });
});

describe('the table of roles and purposes', () => {
  it('names known purposes, and nobody outside it may claim one', () => {
    for (const role of roles) {
      assert.ok(
        purposesOf[role].every((purpose) => (purposes as readonly string[]).includes(purpose)),
        role,
      );
    }
    assert.ok(mayClaim('physician', 'TREAT') && mayClaim('physician', 'BTG'));
    assert.ok(!mayClaim('biller', 'TREAT') && !mayClaim('researcher', 'BTG') && !mayClaim('constructor', 'name'));
  });

  it('opens in an emergency the summary first, and more to the same clinician soon after', async () => {
    const key = new SigningKey('acme-gateway0');
    const world = await ContractWorld.founded({ acme: key.jwk });
    const pid = await registerPatient(world);
    const nurse = { ...physician, role: 'nurse', purpose: 'BTG' };
    const summary = { types: ['Patient', 'AllergyIntolerance'], interaction: 'everything' };
    const request = { aid: random(), pid, purpose: 'BTG', scope: summary, salt: random() };
    const act = (change: object = {}) => ({ ...request, breakGlass: { reasonCode: 'UNCONSCIOUS' }, ...change });
    const refused = async (code: string, change: object, actor = nurse) => {
      await world.refused(code, 'northside', 'access:request', { request: act({ aid: random(), ...change }), actor });
    };
    await refused('summary-first', { scope: everything });
    await refused('summary-first', { scope: { types: ['Observation'], interaction: 'everything' } });
    await refused('summary-first', { scope: { types: ['Patient'], interaction: 'search' } });
    await refused('purpose-not-claimable', {}, { ...nurse, role: 'researcher' });
    await world.submit('northside', 'access:request', { request: act(), actor: nurse });
    const second = { scope: everything, breakGlass: { reasonCode: 'UNCONSCIOUS', follows: request.aid } };
    await refused('summary-first', { ...second, pid: random() });
    await refused('summary-first', second, { ...nurse, user: 'u-other' });
    await refused('summary-first', second, { ...nurse, role: 'physician' });
    const aid = random();
    await world.submit('northside', 'access:request', { request: act({ aid, ...second }), actor: nurse });
    const read = await world.evaluate('stmary', 'access:read', { request: { aid } });
    const record = JSON.parse(read.payload) as AccessRecord;
    assert.deepEqual([record.decision, record.custodians.stmary?.path], ['permit', 'implicit/break-glass']);
    await refused('summary-first', { ...second, breakGlass: { reasonCode: 'X', follows: aid } });
    const asked = { aid: random(), custodian: 'stmary', patient: 'patient-1' };
    const says = {
      ...{ channel: 'health', member: 'acme', ...asked, patient: namedPatient(asked) },
      purpose: 'BTG',
      scope: summary,
    };
    const onBehalfOf = key.sign({ ...says, actor: { user: 'u-9', role: 'nurse' } });
    const foreign = act({ aid: says.aid, custodian: 'stmary', onBehalfOf });
    await world.refused('not-a-hospital', 'stmary', 'access:request', { request: foreign });
  });

  it('stays closed in an emergency where the patient excluded that', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const consent = { ...consentOf('c-1', 'northside'), provision: { type: 'deny', purpose: [{ code: 'BTG' }] } };
    await world.submit('stmary', 'consent:record', { request: consentRequest(pid, consent), actor: physician });
    const scope = { types: ['Patient'], interaction: 'everything' };
    const breakGlass = { reasonCode: 'UNCONSCIOUS' };
    const request = { aid: random(), pid, purpose: 'BTG', scope, breakGlass, salt: random() };
    const actor = { ...physician, purpose: 'BTG' };
    await world.submit('northside', 'access:request', { request, actor });
    const read = await world.evaluate('stmary', 'access:read', { request: { aid: request.aid } });
    assert.equal((JSON.parse(read.payload) as AccessRecord).decision, 'deny');
    const follows = { aid: random(), scope: everything, breakGlass: { ...breakGlass, follows: request.aid } };
    await world.refused('summary-first', 'northside', 'access:request', { request: { ...request, ...follows }, actor });
  });
});

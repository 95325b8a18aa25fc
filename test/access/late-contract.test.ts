import assert from 'node:assert/strict';

import { MAX_FORMER, type AccessRecord } from '@salus/chaincode/access/api';
import type { InForce, MemberEntry, RegistryView } from '@salus/chaincode/registry/api';

import { approval, ContractWorld, manyMembers, physician, random } from '../support/contract-world.js';
import { consentOf, consentRequest, everything, registerPatient } from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

describe('an access that was opened while the ledger was away', () => {
  const keys = { northside: new SigningKey('northside-gateway0'), acme: new SigningKey('acme-gateway0') };
  const breakGlass = { reasonCode: 'unconscious' };
  let world: ContractWorld;
  let pid: string;

  beforeEach(async () => {
    const publics = { northside: keys.northside.jwk, acme: keys.acme.jwk };
    world = await ContractWorld.founded(publics, manyMembers);
    pid = await registerPatient(world);
  });

  const says = (change: object = {}) => ({
    ...{ channel: 'health', aid: random(), member: 'northside', pid, purpose: 'BTG', breakGlass },
    actor: { user: 'u-9', role: 'nurse' },
    scope: { types: ['Patient', 'AllergyIntolerance'], interaction: 'everything' },
    at: new Date(world.clockMs - 3_600_000).toISOString(),
    ...change,
  });
  const requestOf = (said: object, key = keys.northside) => ({ request: key.sign(said), salt: random() });
  const late = (member: string, request: object) => world.submit(member, 'access:late', { request });
  const refused = (code: string, said: object, by = 'northside', key = keys.northside) =>
    world.refused(code, by, 'access:late', { request: requestOf(said, key) });
  const recordOf = async (aid: string): Promise<AccessRecord> => {
    const { payload } = await world.evaluate('authority', 'access:read', { request: { aid } });
    return JSON.parse(payload) as AccessRecord;
  };

  for (const order of [
    ['northside', 'stmary'],
    ['stmary', 'northside'],
  ]) {
    it(`is recorded by ${order[0]} first, and by the other side that its log holds the same`, async () => {
      const said = says();
      const request = requestOf(said);
      const [first = '', second = ''] = order;
      const outcome = await late(first, request);
      assert.deepEqual(
        [...outcome.rwset.writes].map(([place, writes]) => `${place} ${writes.size}`),
        ['care 1'],
      );
      assert.equal(outcome.payload, '');
      assert.doesNotMatch(outcome.inClear, new RegExp(`u-9|${pid}|${said.aid}`));
      const half = await recordOf(said.aid);
      assert.deepEqual([half.late?.heldBy, half.late?.opened, half.decision], [[first], said.at, 'permit']);
      await world.refused('access-exists', first, 'access:late', { request });
      await late(second, request);
      const { late: whole, ...rest } = await recordOf(said.aid);
      assert.deepEqual(whole?.heldBy, ['northside', 'stmary']);
      assert.deepEqual([rest.requester, rest.actor, rest.breakGlass], ['northside', said.actor, breakGlass]);
      await world.refused('access-exists', second, 'access:late', { request });
    });
  }

  it('is nothing else than what the asking member signed', async () => {
    const said = says();
    await refused('signed-request-invalid', said, 'stmary', keys.acme);
    await refused('signed-request-invalid', { ...said, member: 'acme' }, 'stmary');
    await refused('signed-request-invalid', { ...said, channel: 'other' });
    await refused('signed-request-invalid', { ...said, pid: 'ann' });
    await refused('signed-request-invalid', said, 'northside', new SigningKey('northside-gateway0'));
    await late('northside', requestOf(said));
    await refused('late-differs', { ...said, actor: { ...said.actor, user: 'u-other' } }, 'stmary');
    const ordinary = { aid: random(), pid, purpose: 'TREAT', scope: everything, salt: random() };
    await world.submit('northside', 'access:request', { request: ordinary, actor: physician });
    await refused('late-differs', { ...said, aid: ordinary.aid }, 'stmary');
  });

  const inForce = async (): Promise<InForce<MemberEntry>> => {
    const { payload } = await world.evaluate('authority', 'registry:read');
    return (JSON.parse(payload) as RegistryView).members.find(({ entry }) => entry.name === 'northside')!;
  };
  /** Northside replaces its key; the entry that was in force. */
  const replaceKey = async (kid: string): Promise<MemberEntry> => {
    const { hash, entry } = await inForce();
    const next = { ...entry, keys: [new SigningKey(kid).jwk], replaces: hash };
    await world.submit('northside', 'registry:approve', approval(next));
    return entry;
  };

  it('is proven by a key that the asking member has replaced since, by the entries that were in force before', async () => {
    const [said, other] = [says(), says()];
    const first = await replaceKey('northside-gateway1');
    await refused('signed-request-invalid', said, 'stmary');
    await late('stmary', { ...requestOf(said), formerly: [first] });
    const second = await replaceKey('northside-gateway2');
    await late('stmary', { ...requestOf(other), formerly: [second, first] });
    for (const { aid } of [said, other]) {
      const { late: marks, requester } = await recordOf(aid);
      assert.deepEqual([marks?.keyReplaced, marks?.heldBy, requester], [true, ['stmary'], 'northside']);
    }
    const before = says();
    const declined = (formerly: readonly object[], code = 'signed-request-invalid', key = keys.northside) =>
      world.refused(code, 'stmary', 'access:late', { request: { ...requestOf(before, key), formerly } });
    await declined([first]);
    await declined([first, second]);
    await declined([second, { ...first, keys: [keys.acme.jwk] }], 'signed-request-invalid', keys.acme);
    await declined([second, first], 'signed-request-invalid', new SigningKey('northside-gateway0'));
    await declined(
      Array.from({ length: MAX_FORMER + 1 }, () => first),
      'invalid-request',
    );
    await declined(Array.from({ length: MAX_FORMER }, () => first));
  });

  it('carries no mark of a replaced key where the key is in force', async () => {
    const said = says();
    await late('stmary', requestOf(said));
    assert.equal('keyReplaced' in ((await recordOf(said.aid)).late ?? {}), false);
  });

  it('is for emergencies, by clinicians of hospitals, and not of the future', async () => {
    await refused('purpose-not-claimable', says({ purpose: 'TREAT' }));
    await refused('purpose-not-claimable', says({ purpose: 'HRESCH' }));
    await refused('purpose-not-claimable', says({ actor: { user: 'u-9', role: 'researcher' } }));
    await refused('summary-first', says({ scope: everything }));
    await refused('not-a-hospital', says({ member: 'acme' }), 'stmary', keys.acme);
    await refused('opened-ahead', says({ at: new Date(world.clockMs + 3_600_000).toISOString() }));
    await refused('opened-long-ago', says({ at: new Date(world.clockMs - 31 * 86_400_000).toISOString() }));
    await refused('opened-long-ago', says({ at: '2026-13-45T99:99:99.999Z' }));
    await late('northside', requestOf(says({ at: new Date(world.clockMs - 29 * 86_400_000).toISOString() })));
    await refused('not-a-party', says(), 'westgate');
    await refused('not-a-party', says({ pid: random() }), 'stmary');
    await late('northside', requestOf(says({ pid: random() })));
    await late('northside', requestOf(says({ scope: everything, breakGlass: { ...breakGlass, follows: random() } })));
  });

  it('says what the ledger decides, and what left can be anchored whatever that is', async () => {
    const consent = { ...consentOf('c-1', 'northside'), provision: { type: 'deny', purpose: [{ code: 'BTG' }] } };
    await world.submit('stmary', 'consent:record', { request: consentRequest(pid, consent), actor: physician });
    const said = says();
    await late('stmary', requestOf(said));
    assert.equal((await recordOf(said.aid)).decision, 'deny');
    const manifest = { aid: said.aid, manifestId: random(), root: random(), count: 3, salt: random() };
    await world.submit('stmary', 'access:disclose', { request: { manifests: [manifest] } });
  });

  it('is followed by no act on the ledger', async () => {
    const said = says();
    await late('northside', requestOf(said));
    const second = { scope: everything, breakGlass: { ...breakGlass, follows: said.aid } };
    const request = { aid: random(), pid, purpose: 'BTG', salt: random(), ...second };
    await world.refused('summary-first', 'northside', 'access:request', {
      request,
      actor: { ...said.actor, purpose: 'BTG' },
    });
  });
});

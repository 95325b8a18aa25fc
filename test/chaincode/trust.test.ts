import assert from 'node:assert/strict';
import { lookupEntryKey, lookupSecretKey, quarterOf } from '@salus/chaincode/patient/api';
import { ContractWorld, type Outcome, physician, random } from '../support/contract-world.js';
import {
  announceErasure,
  ask,
  consentOf,
  consentRequest,
  everything,
  registerKey,
  registerPatient,
  signedConsent,
} from '../support/patients.js';
import { SigningKey } from '../support/signing.js';

const CANARY = 'canary-3c9f';
const nurse = { user: CANARY, role: 'nurse', purpose: 'BTG' };
const value = () => ({ v: 1, salt: random(), ciphertext: CANARY.repeat(9), commitment: random() });

/** Every transaction that writes, once or more, with a canary wherever content goes. */
async function everyTransaction(world: ContractWorld): Promise<void> {
  const key = new SigningKey('phone');
  const pid = await registerPatient(world);
  await registerKey(world, pid, key);
  const other = { pid: random(), patientId: CANARY, jwk: new SigningKey('wallet').jwk, salt: random() };
  await world.submit('northside', 'patient:register', { request: other, actor: physician });
  const phone = { jwk: new SigningKey('tablet').jwk, holder: 'patient', state: 'active', replaces: 'wallet' };
  await world.submit('northside', 'patient:key', {
    request: { pid: other.pid, ...phone, salt: random() },
    actor: physician,
  });
  const link = { linkId: random(), pid: other.pid, other: { pid, custodian: 'stmary' }, salt: random() };
  const asPatient = { user: CANARY, role: 'patient', purpose: 'PATRQT' };
  await world.submit('northside', 'patient:link', { request: link, actor: asPatient });
  for (const change of ['patient:confirm', 'patient:unlink']) {
    await world.submit('stmary', change, { request: { linkId: link.linkId, salt: random() }, actor: asPatient });
  }
  const consent = { ...consentOf('c-1', 'northside'), identifier: [{ system: 'urn:x', value: CANARY }] };
  const request = signedConsent(consentRequest(pid, consent), key);
  await world.submit('northside', 'consent:record', { request, actor: { ...physician, user: CANARY } });
  const { aid } = await ask(world, 'northside', pid);
  await ask(world, 'northside', random());
  const scope = { types: ['Observation'], interaction: 'read', id: CANARY };
  await world.submit('northside', 'access:request', {
    request: { aid: random(), pid, purpose: 'TREAT', scope, salt: random() },
    actor: physician,
  });
  const summary = { types: ['Patient'], interaction: 'everything' };
  const broken = {
    aid: random(),
    pid,
    purpose: 'BTG',
    scope: summary,
    breakGlass: { reasonCode: CANARY },
    salt: random(),
  };
  await world.submit('northside', 'access:request', { request: broken, actor: nurse });
  const manifest = { aid, manifestId: random(), root: random(), count: 1, salt: random() };
  await world.submit('stmary', 'access:disclose', { request: { manifests: [manifest] } });
  const slice = { anchorId: random(), root: random(), first: 0, last: 1, salt: random() };
  await world.submit('stmary', 'access:anchor', { request: slice });
  const entries = [{ key: random(), version: 1, value: value() }];
  const write = { idempotencyKey: random(), digest: random(), entries, salt: random() };
  await world.submit('stmary', 'ehr:write', { request: write, actor: nurse });
  const erasureId = random();
  const announcement = { args: [JSON.stringify({ erasureId, reason: 'erasure', keys: 1, root: random() })] };
  await world.submit('stmary', 'ehr:erase-announce', announcement);
  const positions = entries.map(({ key: hmac, version }) => ({ key: hmac, version }));
  const purge = { erasureId, part: 0, entries: positions, salt: random() };
  await world.submit('stmary', 'ehr:erase', { request: purge });
  await everyLookup(world, pid);
  // The clock is in the next quarter by now.
  await world.submit('stmary', 'ehr:forget', { request: { idempotencyKeys: [write.idempotencyKey] } });
}

/** Every transaction about look-up codes that writes; the world's clock is in the next quarter then. */
async function everyLookup(world: ContractWorld, pid: string): Promise<void> {
  const quarter = quarterOf(new Date(world.clockMs).toISOString());
  await world.submit('stmary', 'patient:new-secret', { request: { quarter, secret: random(), salt: random() } });
  const entry = { entryId: random(), pid, codes: [random()] };
  await world.submit('stmary', 'patient:list-codes', { request: { quarter, entries: [entry], salt: random() } });
  const entries = [entry.entryId];
  const listed = await announceErasure(world, 'stmary', [lookupEntryKey('stmary', entry.entryId)]);
  await world.submit('stmary', 'patient:purge-codes', { request: { erasureId: listed, entries } });
  await world.pass(93 * 86_400_000, 'northside');
  const secret = await announceErasure(world, 'northside', [lookupSecretKey(quarter)]);
  await world.submit('northside', 'patient:retire-secret', { request: { erasureId: secret, quarter } });
}

describe('what every transaction leaves behind', () => {
  let world: ContractWorld;
  const writing = (): { readonly transaction: string; readonly outcome: Outcome }[] =>
    world.outcomes.filter(({ outcome }) => outcome.rwset.writes.size > 0);

  before(async () => {
    world = await ContractWorld.founded();
    await everyTransaction(world);
  });

  it('covers every transaction that writes', () => {
    const seen = [...new Set(writing().map(({ transaction }) => transaction))].sort();
    assert.deepEqual(seen, [
      'access:anchor',
      'access:disclose',
      'access:request',
      'clock:tick',
      'consent:record',
      'ehr:erase',
      'ehr:erase-announce',
      'ehr:forget',
      'ehr:write',
      'patient:confirm',
      'patient:key',
      'patient:link',
      'patient:list-codes',
      'patient:new-secret',
      'patient:purge-codes',
      'patient:register',
      'patient:retire-secret',
      'patient:unlink',
      'registry:approve',
    ]);
  });

  it('shows no content in keys, arguments, events, answers or public values', () => {
    for (const { transaction, outcome } of writing()) {
      assert.doesNotMatch(outcome.inClear, new RegExp(CANARY), transaction);
      assert.equal(outcome.payload, '', `${transaction} answers nothing`);
      for (const key of [...outcome.rwset.writes.values()].flatMap((writes) => [...writes.keys()])) {
        assert.doesNotMatch(key, new RegExp(CANARY), transaction);
      }
    }
  });

  it('writes one place, and reads what that place may read', () => {
    for (const { transaction, outcome } of writing()) {
      const { writes, reads, ranges } = outcome.rwset;
      assert.equal(writes.size, 1, transaction);
      const [place = ''] = writes.keys();
      const readable = place === '' ? [''] : ['', place];
      const values = reads.filter(({ hashOnly }) => !hashOnly).map((read) => read.place);
      assert.deepEqual(
        values.filter((read) => !readable.includes(read)),
        [],
        transaction,
      );
      assert.deepEqual(ranges, [], `${transaction} decides nothing from a range`);
    }
  });

  it('salts every private value with 256 bits of its own', () => {
    const salts: string[] = [];
    for (const { outcome } of writing()) {
      for (const [place, writes] of outcome.rwset.writes) {
        if (place === '') continue;
        for (const bytes of writes.values()) {
          if (bytes !== undefined) salts.push((JSON.parse(bytes.toString('utf8')) as { salt: string }).salt);
        }
      }
    }
    assert.ok(salts.length > 10);
    assert.ok(salts.every((salt) => /^[0-9a-f]{64}$/.test(salt)));
    assert.equal(new Set(salts).size, salts.length);
  });

  it('is the same from every endorser', async () => {
    const request = { aid: random(), pid: random(), purpose: 'TREAT', scope: everything, salt: random() };
    const call = { request, actor: physician };
    const [one, two] = [
      await world.evaluate('stmary', 'access:request', call),
      await world.evaluate('stmary', 'access:request', call),
    ];
    assert.deepEqual(two.rwset, one.rwset);
  });
});

describe('a refusal', () => {
  it('never repeats what it was given', async () => {
    const world = await ContractWorld.founded();
    const pid = await registerPatient(world);
    const requests: Readonly<Record<string, object>> = {
      'patient:register': { pid: random(), patientId: 'p', salt: random() },
      'patient:key': { pid, jwk: new SigningKey('k').jwk, holder: 'patient', state: 'active', salt: random() },
      'patient:link': { linkId: random(), pid, other: { pid: random(), custodian: 'northside' }, salt: random() },
      'consent:record': signedConsent(consentRequest(pid, consentOf('c-1', 'northside')), new SigningKey('k')),
      'access:request': { aid: random(), pid, purpose: 'TREAT', scope: everything, salt: random() },
      'ehr:write': {
        idempotencyKey: random(),
        digest: random(),
        entries: [{ key: 'a', version: 1, value: value() }],
        salt: random(),
      },
    };
    let refusals = 0;
    for (const [name, request] of Object.entries(requests)) {
      for (const planted of plantings(request)) {
        const { status, message } = await world.evaluate('stmary', name, { request: planted, actor: physician });
        refusals += status === 200 ? 0 : 1;
        assert.doesNotMatch(message, /ca?nary/i, `${name}: ${message}`);
      }
      const { message } = await world.evaluate('stmary', name, {
        request,
        actor: { ...physician, role: `a ${CANARY}` },
      });
      assert.doesNotMatch(message, new RegExp(CANARY), name);
    }
    assert.ok(refusals > 40, `${refusals} refusals`);
  });
});

/** The request with a canary in the place of each value in turn, and as a member more. */
function plantings(value_: unknown): unknown[] & object[] {
  const text = `a ${CANARY}\u0000`;
  const inside = (node: unknown): unknown[] => {
    if (node === null || typeof node !== 'object') return [text];
    const replaced = Object.entries(node).flatMap(([name, child]) =>
      inside(child).map((planted) => (Array.isArray(node) ? [planted] : { ...node, [name]: planted })),
    );
    return Array.isArray(node) ? [text, ...replaced] : [text, { ...node, surplus: text }, ...replaced];
  };
  return inside(value_) as unknown[] & object[];
}

import assert from 'node:assert/strict';
import {
  type HeadView,
  IDEMPOTENCY_DAYS,
  MAX_CIPHERTEXT_CHARACTERS,
  MAX_ENTRIES,
  MAX_ERASED_KEYS,
  versionKey,
} from '@salus/chaincode/ehr/api';
import { ContractWorld, physician, random } from '../support/contract-world.js';

const value = (ciphertext = 'A'.repeat(64)) => ({ v: 1, salt: random(), ciphertext, commitment: random() });
const writeOf = (entries: readonly object[]) => ({
  idempotencyKey: random(),
  digest: random(),
  entries,
  salt: random(),
});

describe('ehr on the ledger', () => {
  let world: ContractWorld;
  const by = (request: object) => ({ request, actor: physician });

  beforeEach(async () => {
    world = await ContractWorld.founded();
  });

  it('appends versions in line, each under a key of its own, in the collection of the caller', async () => {
    const key = random();
    const first = value();
    const outcome = await world.submit('acme', 'ehr:write', by(writeOf([{ key, version: 1, value: first }])));
    const written = outcome.rwset.writes.get('of-acme');
    assert.deepEqual(JSON.parse(written?.get(versionKey(key, 1))?.toString('utf8') ?? ''), first);
    assert.equal(written?.size, 2);
    await world.refused('version-conflict', 'acme', 'ehr:write', by(writeOf([{ key, version: 1, value: value() }])));
    await world.refused('version-conflict', 'acme', 'ehr:write', by(writeOf([{ key, version: 3, value: value() }])));
    await world.submit('acme', 'ehr:write', by(writeOf([{ key, version: 2, value: value() }])));
    // No version goes on from one under another key.
    const elsewhere = { key: random(), version: 3, previousKey: key, value: value() };
    await world.refused('invalid-request', 'acme', 'ehr:write', by(writeOf([elsewhere])));
    await world.refused('version-conflict', 'stmary', 'ehr:write', by(writeOf([{ key, version: 2, value: value() }])));
  });

  it('remembers each of the requests that share a transaction, and writes for all of them or none', async () => {
    const one = () => ({ key: random(), version: 1, value: value() });
    const shared = (entries: number) => ({ idempotencyKey: random(), digest: random(), entries });
    const others = [shared(2), shared(1)];
    const request = { ...writeOf([one(), one(), one(), one()]), others };
    const { txId } = await world.submit('stmary', 'ehr:write', by(request));
    const idempotencyKeys = [request, ...others].map((each) => each.idempotencyKey);
    const { payload } = await world.evaluate('stmary', 'ehr:head', { request: { entries: [], idempotencyKeys } });
    const records = (JSON.parse(payload) as HeadView).idempotency;
    assert.deepEqual(
      records.map((each) => [each?.digest, each?.txId, each?.entries]),
      [request, ...others].map(({ digest }, index) => [digest, txId, [1, 2, 1][index]]),
    );
    const retried = { ...writeOf([one(), one()]), others: [{ ...others[1], entries: 1 }] };
    await world.refused('already-done', 'stmary', 'ehr:write', by(retried));
    const reused = { ...retried, others: [{ ...others[1], digest: random() }] };
    await world.refused('idempotency-key-reused', 'stmary', 'ehr:write', by(reused));
    const missing = { ...writeOf([one(), one()]), others: [shared(2)] };
    await world.refused('entries-missing', 'stmary', 'ehr:write', by(missing));
    const twice = { ...writeOf([one(), one()]) };
    const same = { idempotencyKey: twice.idempotencyKey, digest: random(), entries: 1 };
    await world.refused('duplicate-entry', 'stmary', 'ehr:write', by({ ...twice, others: [same] }));
  });

  it('writes all or nothing, and never one version twice', async () => {
    const entry = { key: random(), version: 1, value: value() };
    await world.refused('duplicate-entry', 'stmary', 'ehr:write', by(writeOf([entry, { ...entry, value: value() }])));
    const [first, second] = [random(), random()];
    await world.submit('stmary', 'ehr:write', by(writeOf([{ key: first, version: 1, value: value() }])));
    const mixed = [
      { key: second, version: 1, value: value() },
      { key: first, version: 1, value: value() },
    ];
    await world.refused('version-conflict', 'stmary', 'ehr:write', by(writeOf(mixed)));
  });

  it('lets one of two racing writes of a version commit', async () => {
    const key = random();
    const one = await world.evaluate('stmary', 'ehr:write', by(writeOf([{ key, version: 1, value: value() }])));
    const two = await world.evaluate('stmary', 'ehr:write', by(writeOf([{ key, version: 1, value: value() }])));
    assert.equal(world.commit(one), 'VALID');
    assert.equal(world.commit(two), 'MVCC_READ_CONFLICT');
  });

  it('voids a create by criteria that another create answered since the gateway looked', async () => {
    const code = random();
    const on = (condition: object) =>
      by({ ...writeOf([{ key: random(), version: 1, value: value() }]), conditions: [condition] });
    const one = await world.evaluate('stmary', 'ehr:write', on({ code }));
    const two = await world.evaluate('stmary', 'ehr:write', on({ code }));
    assert.equal(world.commit(one), 'VALID');
    assert.equal(world.commit(two), 'MVCC_READ_CONFLICT');
    await world.refused('condition-changed', 'stmary', 'ehr:write', on({ code }));
    await world.refused('condition-changed', 'stmary', 'ehr:write', on({ code, seen: random() }));
    const { txId } = await world.submit('stmary', 'ehr:write', on({ code, seen: one.txId }));
    assert.notEqual(txId, one.txId);
  });

  it('takes effect once for one idempotency key, and says by which transaction', async () => {
    const request = writeOf([{ key: random(), version: 1, value: value() }]);
    const { txId } = await world.submit('stmary', 'ehr:write', by(request));
    const retry = { ...request, entries: [{ key: random(), version: 1, value: value() }] };
    await world.refused('already-done', 'stmary', 'ehr:write', by(retry));
    await world.refused('idempotency-key-reused', 'stmary', 'ehr:write', by({ ...retry, digest: random() }));
    const asked = { entries: [], idempotencyKeys: [request.idempotencyKey, random()] };
    const head = JSON.parse((await world.evaluate('stmary', 'ehr:head', by(asked))).payload) as HeadView;
    assert.equal(head.idempotency[0]?.txId, txId);
    assert.equal(head.idempotency[1], null);
  });

  describe(`remembers an idempotency key for ${IDEMPOTENCY_DAYS} days of ticks`, () => {
    const DAYS_MS = IDEMPOTENCY_DAYS * 86_400_000;
    const first = writeOf([{ key: random(), version: 1, value: value() }]);
    const { idempotencyKey } = first;
    const again = { ...first, entries: [{ key: random(), version: 1, value: value() }] };
    const forget = (...keys: string[]) => ({ request: { idempotencyKeys: keys } });
    const head = async (): Promise<HeadView> =>
      JSON.parse(
        (await world.evaluate('stmary', 'ehr:head', by({ entries: [], idempotencyKeys: [idempotencyKey] }))).payload,
      ) as HeadView;

    beforeEach(async () => {
      await world.submit('stmary', 'ehr:write', by(first));
    });

    it('and not a moment less', async () => {
      await world.pass(DAYS_MS, 'northside');
      await world.refused('already-done', 'stmary', 'ehr:write', by(again));
      await world.refused('idempotency-key-reused', 'stmary', 'ehr:write', by({ ...again, digest: random() }));
      await world.refused('still-remembered', 'stmary', 'ehr:forget', forget(random(), idempotencyKey));
      assert.notEqual((await head()).idempotency[0], null);
    });

    it('then it may be used anew, for this request or another', async () => {
      // Time that no tick has told of changes nothing.
      world.clockMs += DAYS_MS + 1;
      await world.refused('already-done', 'stmary', 'ehr:write', by(again));
      await world.pass(0, 'northside');
      assert.deepEqual((await head()).idempotency, [null]);
      const { txId } = await world.submit('stmary', 'ehr:write', by(again));
      assert.equal((await head()).idempotency[0]?.txId, txId);
      await world.refused('already-done', 'stmary', 'ehr:write', by(again));
      await world.pass(DAYS_MS + 1, 'acme');
      await world.submit('stmary', 'ehr:write', by({ ...writeOf([]), ...again, digest: random(), entries: [one()] }));
    });

    it('then it may be let go of, once or again', async () => {
      await world.pass(DAYS_MS + 1, 'northside');
      const { rwset } = await world.submit('stmary', 'ehr:forget', forget(idempotencyKey));
      assert.deepEqual([rwset.purges, rwset.writes.get('of-stmary')?.size], [[], 1], 'deleted, not purged');
      await world.submit('stmary', 'ehr:forget', forget(idempotencyKey));
      assert.deepEqual((await head()).idempotency, [null]);
      const many = Array.from({ length: MAX_ENTRIES + 1 }, random);
      await world.refused('invalid-request', 'stmary', 'ehr:forget', forget(...many));
      await world.submit('stmary', 'ehr:forget', forget(...many.slice(1)));
      world.clockMs += 2 * 86_400_000;
      await world.refused('no-recent-tick', 'stmary', 'ehr:forget', forget(idempotencyKey));
    });

    const one = () => ({ key: random(), version: 1, value: value() });
  });

  it(`takes ${MAX_ENTRIES} versions in one transaction and not one more`, async () => {
    const entries = Array.from({ length: MAX_ENTRIES + 1 }, () => ({ key: random(), version: 1, value: value() }));
    await world.refused('invalid-request', 'stmary', 'ehr:write', by(writeOf(entries)));
    await world.submit('stmary', 'ehr:write', by(writeOf(entries.slice(1))));
    const whole = value('A'.repeat(MAX_CIPHERTEXT_CHARACTERS));
    await world.submit('stmary', 'ehr:write', by(writeOf([{ key: random(), version: 1, value: whole }])));
    const huge = value('A'.repeat(MAX_CIPHERTEXT_CHARACTERS + 1));
    await world.refused(
      'invalid-request',
      'stmary',
      'ehr:write',
      by(writeOf([{ key: random(), version: 1, value: huge }])),
    );
  });

  it('purges only under an erasure that the member announced, at most as many keys', async () => {
    const entries = [1, 2].map((version) => ({ key: 'a'.repeat(64), version }));
    await world.submit('stmary', 'ehr:write', by(writeOf([{ ...entries[0], value: value() }])));
    await world.submit('stmary', 'ehr:write', by(writeOf([{ ...entries[1], value: value() }])));
    const erasureId = random();
    const purge = (request: object) => ({ request: { erasureId, part: 0, entries, salt: random(), ...request } });
    await world.refused('unknown-erasure', 'stmary', 'ehr:erase', purge({}));
    const announcement = { args: [JSON.stringify({ erasureId, reason: 'erasure', keys: 2, root: random() })] };
    const beyond = { erasureId: random(), reason: 'erasure', keys: MAX_ERASED_KEYS + 1, root: random() };
    await world.refused('invalid-request', 'stmary', 'ehr:erase-announce', { args: [JSON.stringify(beyond)] });
    await world.submit('stmary', 'ehr:erase-announce', announcement);
    await world.refused('erasure-exists', 'acme', 'ehr:erase-announce', announcement);
    await world.refused('not-your-erasure', 'acme', 'ehr:erase', purge({}));
    const third = { key: random(), version: 1 };
    await world.refused('too-many-keys', 'stmary', 'ehr:erase', purge({ entries: [...entries, third] }));
    await world.refused('duplicate-entry', 'stmary', 'ehr:erase', purge({ entries: [third, third] }));
    const erased = await world.submit('stmary', 'ehr:erase', purge({}));
    assert.equal(erased.rwset.purges.length, 2);
    assert.equal(erased.rwset.event?.name, 'ehr:erased');
    const head = await world.evaluate('stmary', 'ehr:head', { request: { entries, idempotencyKeys: [] } });
    assert.deepEqual((JSON.parse(head.payload) as HeadView).entries, [false, false]);
    // What was announced is all there is: the same part is done, another one has no keys left.
    await world.refused('part-done', 'stmary', 'ehr:erase', purge({}));
    await world.refused('too-many-keys', 'stmary', 'ehr:erase', purge({ part: 1, entries: [third] }));
  });
});

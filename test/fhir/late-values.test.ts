import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { heldBy } from '@salus/gateway/ledger/held';
import { follow, type FollowOptions } from '@salus/gateway/projection/follower';
import { ASKED_AT_ONCE, HELD_MS } from '@salus/gateway/projection/hold';
import { Projection } from '@salus/gateway/projection/projection';
import type { Projector } from '@salus/gateway/projection/projector';
import { readCollections } from '@salus/network/config/collections';

import { BASE, physician } from '../support/fhir-server.js';
import { isRecord, recordProjector, recordWrite, RecordLedger } from '../support/record-ledger.js';
import { patient } from './resources.js';

/** Blocks that may pass before a look is taken at what did not happen. */
const A_MOMENT_MS = 300;
const LONG_MS = 20_000;

/** Values under `fact/<name>/<n>` say a fact by that name; an empty one ends it. */
const projector: Projector = (write, transaction, open) => {
  const { key = '', value } = write;
  const [kind, name = ''] = key.split('/');
  if (kind !== 'fact') return recordProjector(write, transaction, open);
  if (value === undefined) return [];
  const said = Buffer.from(value).toString();
  return [{ kind: 'fact', space: 'said', key: name, ...(said === '' ? {} : { value: said }) }];
};

describe('values that a peer has later than their block', () => {
  let folder: string;
  let ledger: RecordLedger;
  let opened: Projection[];
  let running: { readonly stop: AbortController; readonly done: Promise<void> }[];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'salus-late-'));
    ledger = new RecordLedger();
    opened = [];
    running = [];
    await write('p', 0);
  });
  afterEach(async () => {
    await stopAll();
    for (const each of opened) each.close();
    rmSync(folder, { recursive: true });
  });

  async function stopAll(): Promise<void> {
    for (const { stop } of running) stop.abort();
    await Promise.all(running.splice(0).map(({ done }) => done));
  }

  function projection(name = 'p.db'): Projection {
    const made = new Projection({
      path: join(folder, name),
      projectors: [projector],
      open: () => undefined,
      held: isRecord,
      base: `${BASE}/`,
    });
    opened.push(made);
    return made;
  }

  /** As of the moment `age` after the last block there is now. */
  function following(at: Projection, age: number, more: FollowOptions = {}): Projection {
    const now = Date.parse(ledger.chain.at(-1)!.transactions[0]!.timestamp) + age;
    const stop = new AbortController();
    running.push({ stop, done: follow(at, ledger, stop.signal, { now: () => now, ...more }) });
    return at;
  }

  const write = (id: string, expect: number, more: object = {}): Promise<unknown> =>
    ledger.write(physician, [
      { type: 'Patient', id, expect, text: JSON.stringify({ resourceType: 'Patient', id, ...patient(more) }) },
    ]);
  const say = (name: string, value: string): string => {
    const key = `fact/${name}/${ledger.chain.length}`;
    ledger.append([recordWrite(key, value)]);
    return key;
  };
  const newest = (): number => ledger.chain.length - 1;

  async function until(holds: () => boolean, what: string): Promise<void> {
    const end = Date.now() + LONG_MS;
    while (!holds()) {
      assert.ok(Date.now() < end, what);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What a new projection makes of the ledger as the peer delivers it now. */
  async function rebuilt(): Promise<string> {
    const again = following(projection(`again-${opened.length}.db`), 0, { heldMs: 0 });
    assert.ok(await again.reached(newest(), LONG_MS));
    return again.digest();
  }

  it('are waited for, and blocks behind them too', async () => {
    ledger.withheld.add('Patient/q/1');
    await write('q', 0);
    await write('r', 0);
    // Blocks are a second apart.
    const one = following(projection(), HELD_MS - 1_001);
    assert.equal(await one.reached(2, A_MOMENT_MS), false);
    assert.equal(one.block, 1);
    assert.equal(one.awaited, 0);
    ledger.withheld.clear();
    assert.ok(await one.reached(3, LONG_MS));
    assert.equal(one.current('Patient', 'q')?.version, 1);
    assert.equal(one.digest(), await rebuilt());
  });

  it('are gone on without when their block is old, and take their place when they come', async () => {
    ledger.withheld.add('Patient/p/2').add('Patient/q/1');
    await write('p', 1, { active: true });
    await write('p', 2, { active: false });
    await write('q', 0);
    const one = following(projection(), HELD_MS);
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 2);
    assert.equal(one.version('Patient', 'p', 2), undefined);
    assert.equal(one.digest(), await rebuilt());
    ledger.withheld.clear();
    await until(() => one.awaited === 0, 'the values were not asked for again');
    assert.equal(one.current('Patient', 'p')?.version, 3);
    assert.equal(one.current('Patient', 'q')?.version, 1);
    const history = one.history({ type: 'Patient', id: 'p', limit: 10 });
    assert.deepEqual(
      history.map(({ stored }) => [stored.version, stored.block]),
      [
        [3, 3],
        [2, 2],
        [1, 1],
      ],
    );
    assert.equal(one.digest(), await rebuilt());
    await write('p', 3, { active: true });
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.current('Patient', 'p')?.version, 4);
  });

  it('do not hide what was said later, nor bring back what was ended', async () => {
    ledger.withheld.add(say('changed', 'old')).add(say('ended', 'old')).add(say('alone', 'only'));
    say('changed', 'new');
    say('ended', '');
    const one = following(projection(), HELD_MS);
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 3);
    ledger.withheld.clear();
    await until(() => one.awaited === 0, 'the values were not asked for again');
    assert.deepEqual(one.facts('said'), [
      { key: 'alone', value: 'only' },
      { key: 'changed', value: 'new' },
    ]);
    assert.equal(one.digest(), await rebuilt());
  });

  it('keep their order among themselves, whichever comes first', async () => {
    const first = say('twice', 'first');
    const second = say('twice', 'second');
    ledger.withheld.add(first).add(second);
    const one = following(projection(), HELD_MS);
    assert.ok(await one.reached(newest(), LONG_MS));
    ledger.withheld.delete(second);
    await until(() => one.awaited === 1, 'the second was not asked for again');
    ledger.withheld.delete(first);
    await until(() => one.awaited === 0, 'the first was not asked for again');
    assert.equal(one.fact('said', 'twice'), 'second');
  });

  it('are still awaited after a restart', async () => {
    ledger.withheld.add('Patient/q/1');
    await write('q', 0);
    const first = following(projection(), HELD_MS);
    assert.ok(await first.reached(newest(), LONG_MS));
    await stopAll();
    opened.pop()?.close();
    ledger.withheld.clear();
    const second = following(projection(), HELD_MS);
    assert.equal(second.awaited, 1);
    await until(() => second.awaited === 0, 'it was not asked for again');
    assert.equal(second.current('Patient', 'q')?.version, 1);
    assert.equal(second.digest(), await rebuilt());
  });

  it('are not waited for when a block behind purges them, nor awaited from then on', async () => {
    for (let at = 0; at < ASKED_AT_ONCE + 1; at += 1) await write(`q${at}`, 0);
    for (let at = 0; at < ASKED_AT_ONCE + 1; at += 1) ledger.purge('Patient', `q${at}`);
    const one = following(projection(), 0, { heldMs: Number.MAX_SAFE_INTEGER });
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 0);
    assert.equal(one.digest(), await rebuilt());
  });

  it('are forgotten when the purge comes while they are awaited', async () => {
    ledger.withheld.add('Patient/q/1');
    await write('q', 0);
    const one = following(projection(), HELD_MS);
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 1);
    ledger.purge('Patient', 'q');
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 0);
  });

  it('come in rounds when there are more than one round asks for', async () => {
    for (let at = 0; at < ASKED_AT_ONCE + 1; at += 1) {
      ledger.withheld.add(`Patient/q${at}/1`);
      await write(`q${at}`, 0);
    }
    const one = following(projection(), HELD_MS);
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, ASKED_AT_ONCE + 1);
    // Only the one that no first round reaches.
    ledger.withheld.delete(`Patient/q${ASKED_AT_ONCE}/1`);
    await until(() => one.awaited === ASKED_AT_ONCE, 'the last was not asked for');
  });

  it('are of no concern where the member does not hold them', async () => {
    ledger.append([{ collection: 'of-other', keyHash: '00'.repeat(32), isDelete: false, isPurge: false }]);
    const one = following(projection(), 0);
    assert.ok(await one.reached(newest(), LONG_MS));
    assert.equal(one.awaited, 0);
  });
});

const COLLECTIONS_FILE = fileURLToPath(new URL('../../../chaincode/dist/collections.json', import.meta.url));

describe('the collections whose values a member’s peer holds', () => {
  it('are those that the chaincode’s build lists for it', () => {
    const members = { stmary: ['hospital'], acme: ['manufacturer', 'sponsor'], authority: ['regulator', 'witness'] };
    for (const [member, roles] of Object.entries(members)) {
      const held = heldBy({ member, roles });
      for (const { name, members: whose } of readCollections(COLLECTIONS_FILE)) {
        const own = whose === 'self';
        const expected = own || whose.some((role) => roles.includes(role));
        assert.equal(held(own ? `of-${member}` : name), expected, `${name} at ${member}`);
      }
      assert.equal(held('of-somebody'), false);
    }
  });
});

/**
 * Erasure at a hospital with three peers, on Fabric: one is away while records are erased under load and a kill of the
 * gateway, another joins when all is over. Neither may hold anything of them.
 */
import { strict as assert } from 'node:assert';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import { connectLedger } from '@salus/gateway/ledger/fabric-ledger';
import { establish } from '@salus/network/fabric/establish';
import { loadTopology } from '@salus/network/topology';

import { type FaultyConsortium, startConsortium } from '../faults/run/consortium.js';
import { glucose, patient } from '../story/people.js';
import { found, shapesOf } from '../support/bytes-search.js';
import { campaign } from '../support/campaigns.js';
import { salus } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { programsOrPending } from '../support/fabric-network.js';
import { freePortBase } from '../support/free-ports.js';
import { gatewaySettings } from '../support/gateway-settings.js';
import { scratchFolder } from '../support/scratch.js';
import { fewMembers } from '../support/topology-file.js';

const MEMBERS = ['stmary', 'northside', 'acme', 'authority'];
const erasure = campaign('erasure-peers');
/** Half of them are erased. */
const PATIENTS = erasure.size({ slice: 8, full: 200 });
/** Asked for at once. */
const AT_ONCE = 8;
const TRIES = 60;
const word = (index: number): string => `FIELDFARE${String(index).padStart(3, '0')}QX`;

describe('erasure at a hospital with three peers, on Fabric', function () {
  this.timeout(600_000 + 15_000 * PATIENTS);
  const scratch = scratchFolder();
  const ids: string[] = [];
  let consortium: FaultyConsortium;

  before(async function () {
    await programsOrPending(this);
    const portBase = await freePortBase();
    const file = fewMembers(scratch.path, portBase, MEMBERS);
    consortium = await startConsortium(loadTopology(file, { portBase, peers: { stmary: 3 } }));
  });
  after(async () => {
    const started = consortium as FaultyConsortium | undefined;
    await started?.stop();
    started?.discard(false);
    scratch.remove();
  });

  const stateDir = (): string => consortium.prepared.stateDir;
  const kept = (): string[] => ids.slice(PATIENTS / 2);
  const erased = (): string[] => ids.slice(0, PATIENTS / 2);

  async function ask(path: string, by: { role: string; user: string }, body?: object, key?: string) {
    const [url = ''] = consortium.members.urlsOf('stmary');
    const token = await consortium.members.token('stmary', 0, { subject: by.user, role: by.role });
    const headers = {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    const response = await fetch(new URL(`/fhir/R4/${path}`, url), {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text === '' ? '{}' : text) as Record<string, unknown> };
  }
  const adams = { role: 'physician', user: 'dr-adams' };

  /** Sends it under one key until the gateway, which may be gone for a while, says that it is made. */
  async function made(type: string, body: object, key: string): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask(type, adams, body, key).catch(() => undefined);
      if (answer?.status === 201) return String(answer.body['id']);
      assert.ok(tries < TRIES, answer?.text ?? 'no answer');
      await sleep(1_000);
    }
  }

  async function inTurns<T>(items: readonly T[], work: (item: T, index: number) => Promise<unknown>): Promise<void> {
    const queue = [...items.entries()];
    const turn = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next[1], next[0]);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, turn));
  }

  const remarked = (index: number, value: number): object => ({
    ...glucose(ids[index] ?? '', value),
    note: [{ text: `${word(index)}REMARK${value}` }],
  });

  function rows(file: string, sql: string, ...values: string[]): Record<string, unknown>[] {
    const database = new DatabaseSync(join(consortium.dataOf('stmary'), file), { readOnly: true });
    const all = database.prepare(sql).all(...values);
    database.close();
    return all;
  }
  const erasedKeys = (): string[] =>
    rows('keys.db', 'SELECT ledger_key AS key FROM erasure_keys').map(({ key }) => String(key));
  const keptKeys = (): string[] =>
    kept().flatMap((id) =>
      rows('projection-gateway0.db', 'SELECT ledger_key AS key FROM version WHERE patient = ?', id).map(({ key }) =>
        String(key),
      ),
    );
  const stateOf = (id: string): unknown =>
    rows('keys.db', 'SELECT state FROM erasures WHERE patient = ?', id).at(-1)?.['state'];

  /** Ledger keys under which a peer gives out a private value of stmary's, by a walk over all of its blocks. */
  async function valuesAt(peer: string): Promise<ReadonlySet<string>> {
    const settings = gatewaySettings(stateDir(), 'stmary');
    const ledger = connectLedger({ ...settings, peers: settings.peers.filter(({ name }) => name.startsWith(peer)) });
    const stopping = new AbortController();
    const keys = new Set<string>();
    try {
      const tip = await ledger.tip();
      for await (const { number, transactions } of ledger.blocks(0, stopping.signal)) {
        for (const { collection, key, value } of transactions.flatMap(({ writes }) => writes)) {
          if (collection === 'of-stmary' && key !== undefined && value !== undefined) keys.add(key);
        }
        if (number >= tip) break;
      }
    } finally {
      stopping.abort();
      ledger.close();
    }
    return keys;
  }

  /** Of what was erased and of what was kept: how many values a peer gives out, and how many it lacks. */
  async function standing(peer: string): Promise<{ erased: number; lacks: number }> {
    const values = await valuesAt(peer);
    return {
      erased: erasedKeys().filter((key) => values.has(key)).length,
      lacks: keptKeys().filter((key) => !values.has(key)).length,
    };
  }

  async function holdsTheOthersAlone(peer: string): Promise<void> {
    await eventually(async () => {
      assert.deepEqual(await standing(peer), { erased: 0, lacks: 0 }, peer);
    });
  }

  it('finds every value at each of them before', async () => {
    await inTurns(Array.from({ length: PATIENTS }), async (_, index) => {
      const person = { ...patient, name: [{ family: `${word(index)}NAME` }] };
      ids[index] = await made('Patient', person, `patient-${index}`);
      await made('Observation', remarked(index, 1), `first-${index}`);
    });
    const [first = ''] = ids;
    const [{ key } = {}] = rows(
      'projection-gateway0.db',
      'SELECT ledger_key AS key FROM version WHERE patient = ?',
      first,
    );
    for (const peer of ['peer0', 'peer1', 'peer2']) {
      await eventually(async () => {
        assert.ok((await valuesAt(peer)).has(String(key)), `${peer} holds what is erased later`);
      });
      await holdsTheOthersAlone(peer);
    }
  });

  it('is carried through while one of them is away, others write, and the gateway is killed', async () => {
    await consortium.kill('peer2.stmary');
    const wish = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'basis', valueCode: 'unlawful-processing' },
        { name: 'reason', valueString: 'entered for the wrong person' },
      ],
    };
    await inTurns(erased(), async (id) => {
      const asked = await ask(`Patient/${id}/$erase`, { role: 'privacy-officer', user: 'officer-a' }, wish);
      assert.equal(asked.status, 202, asked.text);
    });
    const writing = inTurns(kept(), (_id, index) => {
      const at = index + PATIENTS / 2;
      return made('Observation', remarked(at, 2), `second-${at}`);
    });
    const officer = { role: 'privacy-officer', user: 'officer-b' };
    const approving = inTurns(erased(), async (id) => {
      for (let tries = 1; stateOf(id) === 'pending'; tries += 1) {
        assert.ok(tries < TRIES, 'not approved');
        await ask(`Patient/${id}/$erase`, officer, wish).catch(() => sleep(1_000));
      }
    });
    await sleep(500);
    await consortium.kill('gateway0.stmary');
    await consortium.start('gateway0.stmary');
    await Promise.all([writing, approving]);
    while (erased().some((id) => stateOf(id) !== 'done')) await sleep(5_000);
    assert.ok(erasedKeys().length >= PATIENTS, 'a Patient and an Observation each');
    for (const peer of ['peer0', 'peer1']) await holdsTheOthersAlone(peer);
  });

  it('leaves nothing at the one that was away, once it is back', async () => {
    await consortium.start('peer2.stmary');
    await holdsTheOthersAlone('peer2');
  });

  it('leaves nothing at one that joins later', async () => {
    await consortium.kill('peer2.stmary');
    rmSync(join(stateDir(), 'members', 'stmary', 'ledger', 'peer2'), { recursive: true });
    await consortium.start('peer2.stmary');
    await establish(stateDir(), () => undefined);
    await holdsTheOthersAlone('peer2');
  });

  it('leaves no word in any file of any member, and the others whole', async () => {
    const words = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => shapesOf(word(from + index))).flat();
    assert.deepEqual(found(stateDir(), words(PATIENTS / 2)), []);
    assert.notDeepEqual(found(stateDir(), words(1, PATIENTS - 1)), []);
    for (const id of kept()) {
      const observed = await ask(`Observation?patient=${id}`, adams);
      assert.equal(observed.body['total'], 2, observed.text);
    }
    for (const id of erased()) assert.equal((await ask(`Patient/${id}`, adams)).status, 404);
    const rebuilt = await salus(stateDir(), ['rebuild', '--member', 'stmary']);
    assert.equal(rebuilt.code, 0, rebuilt.out + rebuilt.err);
    const verified = await salus(stateDir(), ['verify', '--member', 'stmary']);
    assert.equal(verified.code, 0, verified.out + verified.err);
  });
});

import { strict as assert } from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { LedgerBlock } from '@salus/gateway/ports';
import { ProjectionError } from '@salus/gateway/projection/block-applier';
import { BATCH_LIMITS, follow } from '@salus/gateway/projection/follower';
import { generatedSearch } from '@salus/gateway/projection/generated';
import type { Projection } from '@salus/gateway/projection/projection';

import { newProjection, physician } from '../support/fhir-server.js';
import { RecordLedger } from '../support/record-ledger.js';
import { narrative, observation, patient } from './resources.js';

describe('the projection', () => {
  let folder: string;
  let ledger: RecordLedger;
  const open: Projection[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'salus-projection-'));
    ledger = new RecordLedger();
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
    rmSync(folder, { recursive: true });
  });
  const projection = (name = 'p.db'): Projection => {
    const opened = newProjection(join(folder, name));
    open.push(opened);
    return opened;
  };
  const closeAll = (): void => {
    for (const each of open.splice(0)) each.close();
  };
  const write = async (type: string, id: string, resource?: object, expect = 0): Promise<void> => {
    const text = JSON.stringify({ resourceType: type, id, ...resource });
    await ledger.write(physician, [{ type, id, expect, ...(resource === undefined ? {} : { text }) }]);
  };
  const someHistory = async (): Promise<void> => {
    await write('Patient', 'p', patient());
    await write('Patient', 'q', patient({ name: [{ family: 'Only-In-Q' }] }));
    await write('Observation', 'o', observation('Patient/q'));
    await write('Patient', 'p', patient({ active: true }), 1);
    await write('Patient', 'p', undefined, 2);
    await write('Patient', 'p', patient({ active: false }), 3);
  };

  it('goes on with a database of a time before versions named their writers', async () => {
    await someHistory();
    const first = projection();
    first.apply(ledger.chain.slice(0, 3));
    closeAll();
    const database = new DatabaseSync(join(folder, 'p.db'));
    database.exec('ALTER TABLE version DROP COLUMN author');
    database.close();
    const again = projection();
    again.apply(ledger.chain.slice(3));
    const whole = projection('other.db');
    whole.apply(ledger.chain);
    assert.equal(again.digest(), whole.digest());
    assert.equal(again.version('Patient', 'p', 1)?.by, undefined);
  });

  it('gives the same digest after a rebuild from genesis', async () => {
    await someHistory();
    const one = projection();
    for (const block of ledger.chain) one.apply([block]);
    const digest = one.digest();
    const all = projection('other.db');
    all.apply(ledger.chain);
    assert.equal(all.digest(), digest);
    one.clear();
    assert.notEqual(one.digest(), digest);
    one.apply(ledger.chain);
    assert.equal(one.digest(), digest);
    await write('Patient', 'q', patient(), 1);
    one.apply(ledger.chain.slice(-1));
    assert.notEqual(one.digest(), digest);
  });

  it('drops every row of what is purged, and a rebuild does not bring it back', async () => {
    await someHistory();
    const one = projection();
    one.apply(ledger.chain);
    ledger.purge('Patient', 'q');
    one.apply(ledger.chain.slice(-1));
    assert.equal(one.current('Patient', 'q'), undefined);
    assert.equal(one.version('Patient', 'q', 1), undefined);
    const again = projection('again.db');
    again.apply(ledger.chain);
    assert.equal(again.digest(), one.digest());
    closeAll();
    const database = new DatabaseSync(join(folder, 'p.db'));
    const terms = database.prepare("SELECT count(*) AS n FROM term WHERE a LIKE 'only-in-q%'").get();
    database.close();
    assert.equal(terms?.n, 0);
  });

  it('leaves no word of what is purged in any file', async () => {
    const text = narrative('Wordonly<b>innarrative</b> kept');
    const note = [{ text: 'Wordonly-innote, kept' }];
    await write('Observation', 'o', observation('Patient/q', { text, note }));
    await write('Observation', 'k', observation('Patient/q', { note: [{ text: 'kept' }] }));
    const one = projection();
    one.apply(ledger.chain);
    const bytes = (): string =>
      readdirSync(folder)
        .map((file) => readFileSync(join(folder, file), 'latin1').toLowerCase())
        .join('');
    const words = ['wordonlyinnarrative', 'innote', 'glucose'];
    assert.deepEqual(
      words.map((word) => bytes().includes(word)),
      [true, true, true],
    );
    ledger.purge('Observation', 'o');
    one.apply(ledger.chain.slice(-1));
    assert.deepEqual(
      words.map((word) => bytes().includes(word)),
      [false, false, true],
    );
    const again = projection('again.db');
    again.apply(ledger.chain);
    assert.equal(again.digest(), one.digest());
  });

  it('goes on where it was after it is opened again', async () => {
    await someHistory();
    const first = projection();
    first.apply(ledger.chain.slice(0, 4));
    closeAll();
    const second = projection();
    assert.equal(second.block, 3);
    second.apply(ledger.chain.slice(4));
    const other = projection('other.db');
    other.apply(ledger.chain);
    assert.equal(second.digest(), other.digest());
  });

  it('refuses rows without a checkpoint', async () => {
    await someHistory();
    projection().apply(ledger.chain);
    closeAll();
    const database = new DatabaseSync(join(folder, 'p.db'));
    database.exec('DELETE FROM checkpoint');
    database.close();
    assert.throws(() => projection(), ProjectionError);
  });

  it('derives its index again when it was made by other search parameters', async () => {
    await someHistory();
    const first = projection();
    first.apply(ledger.chain);
    const digest = first.digest();
    closeAll();
    const database = new DatabaseSync(join(folder, 'p.db'));
    database.exec("DELETE FROM posting; DELETE FROM term; UPDATE checkpoint SET form = 'older'");
    database.close();
    assert.equal(projection().digest(), digest);
  });

  it('refuses a block out of turn, off the chain or with a wrong hash, and applies nothing of the batch', async () => {
    await someHistory();
    const [first, second, third] = ledger.chain as [LedgerBlock, LedgerBlock, LedgerBlock];
    const one = projection();
    const wrong: [string, LedgerBlock[]][] = [
      ['a gap', [first, third]],
      ['again', [first, first]],
      ['another chain', [first, { ...second, previousHash: third.hash }]],
      ['a wrong hash', [first, { ...second, hash: third.hash }]],
      ['other data', [first, { ...second, dataHash: third.dataHash }]],
    ];
    for (const [what, blocks] of wrong) {
      assert.throws(
        () => {
          one.apply(blocks);
        },
        ProjectionError,
        what,
      );
      assert.equal(one.block, -1, what);
    }
    one.apply([first, second]);
    assert.equal(one.block, 1);
  });

  it('refuses to follow a ledger that is not the one it knows', async () => {
    await someHistory();
    const one = projection();
    one.apply(ledger.chain);
    const other = new RecordLedger();
    for (let at = 0; at < ledger.chain.length; at++) other.append([]);
    other.chain.splice(6, 1, { ...(other.chain[6] as LedgerBlock), hash: '00'.repeat(32) });
    await assert.rejects(follow(one, other, new AbortController().signal), ProjectionError);
  });

  it('follows, wakes whoever waits for a block, and reconnects when the stream breaks', async () => {
    const one = projection();
    const stop = new AbortController();
    const interrupted: unknown[] = [];
    let broken = false;
    const flaky = Object.assign(Object.create(ledger) as RecordLedger, {
      async *blocks(start: number, signal: AbortSignal) {
        for await (const block of ledger.blocks(start, signal)) {
          if (block.number === 2 && !broken) {
            broken = true;
            throw new Error('stream');
          }
          yield block;
        }
      },
    });
    const following = follow(one, flaky, stop.signal, { onInterrupted: (error) => interrupted.push(error) });
    const count = BATCH_LIMITS.blocks + 3;
    const waiting = one.reached(count, 60_000);
    for (let at = 0; at < count; at++) await write('Patient', `p${at}`, patient());
    assert.equal(await waiting, true);
    assert.equal(one.block, count);
    assert.equal(await one.reached(count + 1, 5), false);
    assert.equal(interrupted.length, 1);
    stop.abort();
    await following;
  });

  it('counts no write of an invalid transaction', async () => {
    await someHistory();
    const block = ledger.chain[1] as LedgerBlock;
    const invalid = { ...block, transactions: block.transactions.map((each) => ({ ...each, code: 11 })) };
    const one = projection();
    one.apply([ledger.chain[0] as LedgerBlock, invalid]);
    assert.equal(one.current('Patient', 'p'), undefined);
    assert.equal(one.block, 1);
  });
});

describe('the compiled search parameters', () => {
  const { types, parameters, unserved, unindexed } = generatedSearch();

  it('cover R4 but for what is listed here', () => {
    assert.equal(types.length, 146);
    assert.deepEqual(unserved, [
      'Bundle composition',
      'Bundle message',
      'MolecularSequence chromosome-variant-coordinate',
      'MolecularSequence chromosome-window-coordinate',
      'MolecularSequence referenceseqid-variant-coordinate',
      'MolecularSequence referenceseqid-window-coordinate',
    ]);
    const served = Object.values(parameters).reduce((sum, own) => sum + Object.keys(own).length, 0);
    assert.equal(served, 2275);
  });

  it('leave out no value but those their kind cannot hold', () => {
    assert.deepEqual(unindexed, [
      'Bundle composition Resource',
      'Bundle message Resource',
      'CarePlan activity-date string',
      'Consent source-reference Attachment',
      'Group characteristic-value Quantity',
      'Group characteristic-value Range',
      'Group characteristic-value Reference',
      'Immunization date string',
      'Procedure date string',
      'Procedure date Age',
      'Procedure date Range',
      'RiskAssessment probability Range',
    ]);
  });
});

import { strict as assert } from 'node:assert';

import type { LedgerWrite } from '@salus/gateway/ports';
import { Projection } from '@salus/gateway/projection/projection';
import type { Change } from '@salus/gateway/projection/projector';

import { BASE, physician } from '../support/fhir-server.js';
import { isRecord, RecordLedger, recordProjector } from '../support/record-ledger.js';
import { patient } from './resources.js';

/** A fact for every key that is written. */
function factProjector({ key }: LedgerWrite): readonly Change[] {
  return key === undefined ? [] : [{ kind: 'fact', space: 'written', key, value: 'once' }];
}

describe('what decisions ask of the projection over and over', () => {
  let ledger: RecordLedger;
  let projection: Projection;
  beforeEach(() => {
    ledger = new RecordLedger();
    const projectors = [recordProjector, factProjector];
    projection = new Projection({ path: ':memory:', projectors, open: () => undefined, held: isRecord, base: BASE });
  });
  afterEach(() => {
    projection.close();
  });

  /** Writes a Patient's next version and applies its block. */
  async function write(id: string, expect = 0): Promise<void> {
    const text = JSON.stringify({ id, ...patient({ active: expect % 2 === 0 }) });
    await ledger.write(physician, [{ type: 'Patient', id, expect, text }]);
    projection.apply(ledger.chain.slice(projection.block + 1));
  }
  const version = (): number | undefined => projection.current('Patient', 'p')?.version;
  const fact = (): string | undefined => projection.fact('written', 'Patient/p/1');
  const written = (): readonly string[] => projection.facts('written', 'Patient/p/').map(({ key }) => key);

  it('is read once while nothing changes', async () => {
    await write('p');
    assert.equal(projection.current('Patient', 'p'), projection.current('Patient', 'p'));
    assert.equal(projection.facts('written', 'Patient/p/'), projection.facts('written', 'Patient/p/'));
    assert.notEqual(projection.facts('written', 'Patient/q/'), projection.facts('written', 'Patient/p/'));
  });

  it('is answered anew after every change of the projection', async () => {
    assert.deepEqual([version(), written(), fact()], [undefined, [], undefined]);
    await write('p');
    assert.deepEqual([version(), written(), fact()], [1, ['Patient/p/1'], 'once']);
    await write('p', 1);
    assert.deepEqual([version(), written()], [2, ['Patient/p/1', 'Patient/p/2']]);
    projection.drop(['Patient/p/2']);
    assert.equal(version(), 1);
    ledger.purge('Patient', 'p');
    projection.apply(ledger.chain.slice(projection.block + 1));
    assert.equal(version(), undefined);
    projection.clear();
    assert.deepEqual([written(), fact()], [[], undefined]);
  });

  it('is answered anew after a value that was missing came late', async () => {
    const text = JSON.stringify({ id: 'p', ...patient() });
    await ledger.write(physician, [{ type: 'Patient', id: 'p', expect: 0, text }]);
    const whole = ledger.chain.at(-1)!;
    const hashOnly = ({ collection = '', keyHash = '', valueHash = '' }: LedgerWrite): LedgerWrite => {
      return { collection, keyHash, valueHash, isDelete: false, isPurge: false };
    };
    const transactions = whole.transactions.map((each) => ({ ...each, writes: each.writes.map(hashOnly) }));
    projection.apply([...ledger.chain.slice(0, -1), { ...whole, transactions }]);
    assert.equal(version(), undefined);
    projection.applyLate(whole);
    assert.equal(version(), 1);
  });
});

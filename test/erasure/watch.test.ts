import assert from 'node:assert/strict';

import { erasureKey } from '@salus/chaincode/ehr/api';
import { PurgeWatch } from '@salus/gateway/erasure/watch';
import type { LedgerBlock, LedgerTransaction, LedgerWrite } from '@salus/gateway/ports';

const id = 'e'.repeat(64);
const purge: LedgerWrite = { collection: 'of-stmary', keyHash: 'aa', isDelete: true, isPurge: true };
const announcement: LedgerWrite = {
  key: erasureKey(id),
  value: Buffer.from(JSON.stringify({ erasureId: id, member: 'stmary', reason: 'erasure', keys: 2 })),
  isDelete: false,
  isPurge: false,
};

function blockOf(writes: readonly LedgerWrite[], more: Partial<LedgerTransaction> = {}): LedgerBlock {
  const transaction = { txId: 'tx', index: 0, code: 0, timestamp: '', creatorMspId: 'StmaryMSP', endorsers: [] };
  const elsewhere = { writes: 0, purges: 0 };
  const transactions = [{ ...transaction, transaction: '', argument: '', writes, elsewhere, ...more }];
  return { number: 1, hash: '', previousHash: '', dataHash: '', commitHash: '', transactions };
}

describe('the watch over purges', () => {
  let alarms: string[];
  const watch = (fact?: string): PurgeWatch =>
    new PurgeWatch({ fact: () => fact }, (alarm) => {
      alarms.push(alarm);
    });
  const reads = [erasureKey(id)];

  beforeEach(() => {
    alarms = [];
  });

  it('raises an alarm at a purge that read no erasure, or one that nobody announced', () => {
    watch().observe(blockOf([purge]));
    watch().observe(blockOf([purge], { reads }));
    assert.deepEqual(alarms, ['purge-without-erasure', 'purge-without-erasure']);
  });

  it('raises an alarm at purges in a collection of which the member holds nothing', () => {
    const elsewhere = { writes: 3, purges: 3 };
    watch().observe(blockOf([], { elsewhere }));
    watch().observe(blockOf([announcement], { elsewhere, reads }));
    assert.deepEqual(alarms, ['purge-without-erasure', 'purge-beyond-erasure']);
  });

  it('is quiet about what was announced, now or before a restart', () => {
    const running = watch();
    running.observe(blockOf([announcement]));
    running.observe(blockOf([purge, purge], { reads }));
    const record = { erasureId: id, member: 'stmary', reason: 'erasure', keys: 2 };
    watch(JSON.stringify({ record, txId: 'tx' })).observe(blockOf([purge], { reads }));
    running.observe(blockOf([purge], { code: 11 }));
    assert.deepEqual(alarms, []);
  });

  it("raises one at a purge under another member's erasure, and at more keys than announced", () => {
    const running = watch();
    running.observe(blockOf([announcement]));
    running.observe(blockOf([purge], { reads, creatorMspId: 'NorthsideMSP' }));
    running.observe(blockOf([purge, purge, purge], { reads }));
    assert.deepEqual(alarms, ['purge-without-erasure', 'purge-beyond-erasure']);
  });
});

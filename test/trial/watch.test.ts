import assert from 'node:assert/strict';

import { transactions, type TrialView } from '@salus/chaincode/trial/api';
import type { LedgerBlock } from '@salus/gateway/ports';
import { watchUnblindings } from '@salus/gateway/trial/watch';

const TRIAL = 'salus-001';
const ARGUMENT = { trial: TRIAL, stratum: 'all', slot: 1, reason: 'anaphylaxis', delegate: 'dr-lee' };

function unblinding(code: number): LedgerBlock {
  const transaction = {
    ...{ txId: 'tx', index: 0, code, timestamp: '', creatorMspId: 'StmaryMSP', endorsers: [], writes: [] },
    transaction: transactions.unblindOne,
    argument: JSON.stringify(ARGUMENT),
    elsewhere: { writes: 0, purges: 0 },
  };
  return { number: 1, hash: '', previousHash: '', dataHash: '', commitHash: '', transactions: [transaction] };
}

describe('the watch over unblindings', () => {
  const view = { trial: { parties: { sponsor: 'novara', board: 'authority' } } } as unknown as TrialView;
  const raised = async (member: string, code = 0, failures = 0): Promise<string[]> => {
    const alarms: string[] = [];
    let asked = 0;
    const ports = {
      member,
      view: () => (++asked > failures ? Promise.resolve(view) : Promise.reject(new Error('no answer'))),
      alarm: (what: string, about: Readonly<Record<string, string>>) => alarms.push(`${what} ${about.trial ?? ''}`),
      signal: AbortSignal.timeout(30_000),
    };
    await watchUnblindings(ports, unblinding(code));
    return alarms;
  };

  it('tells sponsor and board, and nobody else', async () => {
    assert.deepEqual(await raised('novara'), [`trial-unblinding ${TRIAL}`]);
    assert.deepEqual(await raised('authority'), [`trial-unblinding ${TRIAL}`]);
    assert.deepEqual(await raised('stmary'), []);
    assert.deepEqual(await raised('novara', 11), []);
  });

  it('tells them also when the trial could not be read at first', async () => {
    assert.deepEqual(await raised('novara', 0, 2), [`trial-unblinding ${TRIAL}`]);
  }).timeout(30_000);
});

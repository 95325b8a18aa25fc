import assert from 'node:assert/strict';

import type { Act } from '@salus/chaincode/supply/api';
import { OutcomeUnknown } from '@salus/gateway/ledger/failure';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor, LedgerCall } from '@salus/gateway/ports';
import { SharedActs } from '@salus/gateway/supply/packs/sharing';

import { random } from '../support/contract-world.js';
import { call, freshDesk, pharmacist } from './world.js';

describe('acts whose shared transaction failed', () => {
  const desk = freshDesk();
  const actor: Actor = { ...pharmacist, member: 'stmary', scopes: [] };

  /** Two packs dispensed at the same moment, the second one dispensed before: what becomes of each. */
  const dispensed = async (failure: Error) => {
    const sent: string[] = [];
    const shared = new SharedActs({
      submit: async ({ transaction, argument = '' }: LedgerCall) => {
        sent.push(transaction);
        if (transaction === 'supply:acts') throw failure;
        const { item } = JSON.parse(argument) as Act;
        if ((await desk.statusOf(item)).item?.state === 'dispensed') {
          throw new Refusal('conflict', 'already-dispensed', 'it was dispensed before');
        }
        await desk.world.submit('stmary', transaction, call(JSON.parse(argument) as object, pharmacist));
        return { txId: random(), block: 1 };
      },
    });
    const premises = random();
    const acts: Act[] = [];
    for (const item of desk.lot.units.ids.slice(0, 3)) {
      acts.push({ act: 'dispense', item, salt: await desk.delivered(item, 'stmary'), premises });
    }
    const [, second] = acts;
    await desk.act('stmary', second ?? {}, pharmacist);
    const ends = await Promise.all(
      acts.map((act) =>
        shared.submit(actor, act).then(
          () => 'done',
          (error: unknown) => (error instanceof Refusal ? error.code : 'unknown'),
        ),
      ),
    );
    return { ends, sent: sent.length };
  };

  for (const code of [
    'ledger-error',
    'ledger-unreachable',
    'endorsers-behind',
    'orderer-declined',
    'transaction-invalid',
  ]) {
    it(`are each asked alone where it came to nothing: ${code}`, async () => {
      const { ends, sent } = await dispensed(new Refusal('unavailable', code, 'said for the test'));
      assert.deepEqual([ends, sent], [['done', 'already-dispensed', 'done'], 4]);
    });
  }

  it('are asked no more where nobody knows whether it took effect', async () => {
    assert.deepEqual(await dispensed(new OutcomeUnknown('tx')), { ends: ['unknown', 'unknown', 'unknown'], sent: 1 });
  });

  it('are asked no more where the gateway was told to look again later', async () => {
    const { ends, sent } = await dispensed(new Refusal('unavailable', 'outcome-unknown', 'said for the test'));
    assert.deepEqual([new Set(ends), sent], [new Set(['outcome-unknown']), 1]);
  });
});

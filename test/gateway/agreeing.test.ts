import assert from 'node:assert/strict';

import { agreeing } from '@salus/gateway/ledger/agreeing';
import { Refusal } from '@salus/gateway/ledger/refusal';

const call = { transaction: 'trial:enrol', argument: '{}' };
const commit = { txId: 't', block: 7 };
const behind = new Refusal('conflict', 'no-consent', 'not seen here');
const own = new Refusal('conflict', 'slot-taken', 'propose the next slot');

/** A ledger whose other endorsers refuse so many times, and whose own peer endorses or not. */
function ledgerOf(refusals: number, isEndorsedHere: boolean, error: Error = behind) {
  const asked = { submits: 0, evaluates: [] as (readonly string[] | undefined)[] };
  const ledger = {
    submit: () => {
      asked.submits += 1;
      return asked.submits > refusals ? Promise.resolve(commit) : Promise.reject(error);
    },
    evaluate: ({ endorsers }: { readonly endorsers?: readonly string[] }) => {
      asked.evaluates.push(endorsers);
      return isEndorsedHere ? Promise.resolve(new Uint8Array()) : Promise.reject(own);
    },
  };
  return { asked, ledger: agreeing(ledger, 'StmaryMSP', 1, 50) };
}

describe('a refusal of an endorser', () => {
  it('that is behind the own peer is asked about again until it has caught up', async () => {
    const { asked, ledger } = ledgerOf(3, true);
    assert.deepEqual(await ledger.submit(call), commit);
    assert.deepEqual(asked, { submits: 4, evaluates: [['StmaryMSP'], ['StmaryMSP'], ['StmaryMSP']] });
  });

  it('gives way at once to what the own peer refuses it for', async () => {
    const { asked, ledger } = ledgerOf(3, false);
    await assert.rejects(ledger.submit(call), own);
    assert.equal(asked.submits, 1);
  });

  it('of a peer that stays behind is none: nothing is known yet', async () => {
    const { asked, ledger } = ledgerOf(1_000, true);
    await assert.rejects(ledger.submit(call), { category: 'unavailable', code: 'endorsers-behind' });
    assert.ok(asked.submits > 1);
  });

  it('is none where nobody knows the outcome: that is not asked again', async () => {
    const unknown = new Refusal('unavailable', 'outcome-unknown', 'look again later');
    const { asked, ledger } = ledgerOf(3, true, unknown);
    await assert.rejects(ledger.submit(call), unknown);
    assert.equal(asked.submits, 1);
  });
});

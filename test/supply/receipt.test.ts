import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { type ReportException, transactions } from '@salus/chaincode/supply/api';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { LedgerCall } from '@salus/gateway/ports';
import { packChanges } from '@salus/gateway/supply/packs/stored';
import { Exceptions } from '@salus/gateway/supply/trade/exceptions';

const actor = { member: 'meridian', user: 'u', role: 'supply-operator', purpose: 'HOPERAT', scopes: [] };
const terms = { kind: 'product-no-data', epcs: ['https://id.gs1.org/01/1'], note: 'n', shipmentId: 's' } as const;
const exceptionId = createHash('sha256').update('about').digest('hex');

/** A gateway that is killed at a step: what it kept and submitted stays. */
class Killed {
  readonly facts = new Map<string, string>();
  readonly reported: ReportException[] = [];
  readonly told: object[] = [];
  dieAt: 'submit' | 'tell' | undefined;

  readonly exceptions = new Exceptions({
    member: 'meridian',
    keep: (records) => {
      for (const { type, value } of records) {
        for (const change of packChanges(type, 'id', JSON.stringify(value)) ?? [])
          if (change.kind === 'fact' && change.value !== undefined) this.facts.set(change.key, change.value);
      }
      return Promise.resolve();
    },
    ledger: { submit: (call) => this.submit(call) },
    telling: {
      tell: (_id, { message }) => {
        if (this.dieAt === 'tell') throw new Error('killed');
        this.told.push(message);
        return Promise.resolve(true);
      },
    },
    projection: {
      fact: (_space, key) => this.facts.get(key),
      facts: () => [],
      reached: () => Promise.resolve(true),
    },
  });

  private submit({ transaction, argument = '' }: LedgerCall) {
    assert.equal(transaction, transactions.report);
    if (this.dieAt === 'submit') throw new Error('killed');
    const request = JSON.parse(argument) as ReportException;
    if (this.reported.some((each) => each.exceptionId === request.exceptionId)) {
      throw new Refusal('conflict', 'exception-exists', 'taken');
    }
    this.reported.push(request);
    return Promise.resolve({ txId: 't', block: 7 });
  }
}

describe('an exception that a gateway was killed over', () => {
  for (const dieAt of ['submit', 'tell'] as const) {
    it(`is gone on with where ${dieAt} was to come: reported once, in the same words`, async () => {
      const gateway = new Killed();
      gateway.dieAt = dieAt;
      await assert.rejects(gateway.exceptions.report(actor, 'acme', terms, exceptionId), /killed/);
      gateway.dieAt = undefined;
      const other = { ...terms, note: 'seen again' };
      assert.equal(await gateway.exceptions.report(actor, 'acme', other, exceptionId), exceptionId);
      assert.equal(gateway.reported.length, 1);
      const [{ exception }] = gateway.told as [{ exception: { note: string } }];
      assert.equal(exception.note, 'n');
    });
  }

  it('is another one where it is reported by hand', async () => {
    const gateway = new Killed();
    await gateway.exceptions.report(actor, 'acme', terms);
    await gateway.exceptions.report(actor, 'acme', terms);
    assert.equal(new Set(gateway.reported.map((each) => each.exceptionId)).size, 2);
  });
});

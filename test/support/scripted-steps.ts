import { randomBytes } from 'node:crypto';

import { Retriable } from '@salus/gateway/ledger/failure';
import type { Endorsed, Outcome, TransactionSteps } from '@salus/gateway/ledger/steps';
import type { LedgerCall } from '@salus/gateway/ports';

/** A ledger whose answers a test scripts; what it was asked is kept. Not scripted: endorses, commits as VALID. */
export class ScriptedSteps implements TransactionSteps {
  readonly calls: LedgerCall[] = [];
  readonly sent: string[] = [];
  readonly committed = new Map<string, Outcome>();
  /** What becomes of an envelope, by its transaction id; set by the test. */
  decide: (call: LedgerCall, attempt: number) => number | Error | 'silent' = () => 0;
  /** Called before each endorsement; may throw what the endorser answers. */
  endorser: (call: LedgerCall, attempt: number) => void = () => undefined;
  /** Called when an envelope arrives. */
  onSend: (endorsed: Endorsed) => void = () => undefined;
  #block = 10;
  readonly #byId = new Map<string, { call: LedgerCall; attempt: number }>();

  async endorse(call: LedgerCall): Promise<Endorsed> {
    this.calls.push(call);
    await Promise.resolve();
    this.endorser(call, this.calls.length);
    const txId = randomBytes(32).toString('hex');
    this.#byId.set(txId, { call, attempt: this.calls.length });
    return { txId, envelope: Buffer.from(`envelope of ${txId}`) };
  }

  async send(endorsed: Endorsed): Promise<void> {
    await Promise.resolve();
    this.sent.push(endorsed.txId);
    this.onSend(endorsed);
    // The same envelope sent twice is ordered once.
    if (this.committed.has(endorsed.txId)) return;
    const known = this.#byId.get(endorsed.txId);
    const verdict = known === undefined ? 0 : this.decide(known.call, known.attempt);
    if (verdict instanceof Error) throw verdict;
    if (verdict === 'silent') throw new Retriable('unavailable');
    this.#block += 1;
    this.committed.set(endorsed.txId, { block: this.#block, code: verdict });
  }

  async outcome(txId: string): Promise<Outcome | undefined> {
    return await Promise.resolve(this.committed.get(txId));
  }

  async evaluate(): Promise<Uint8Array> {
    return await Promise.resolve(Buffer.from('{"entries":[],"idempotency":[null]}'));
  }
}

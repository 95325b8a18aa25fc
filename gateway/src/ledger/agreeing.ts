/**
 * Endorsers' peers are not all at the same block: one that has not seen what an act follows on refuses it, although it is
 * committed and whoever asks saw it. What the own peer would endorse is therefore proposed again for a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Commit, Ledger, LedgerCall } from '../ports.js';
import { isDeclined, Refusal } from './refusal.js';

/** For how long such a call is proposed again, and after which pause, milliseconds. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 250;

type Asked = Pick<Ledger, 'submit' | 'evaluate'>;

/** The same ledger; a refusal that it throws is the own peer's, who knows best what is committed. */
export function agreeing(ledger: Asked, mspId: string, pauseMs = PAUSE_MS, patienceMs = PATIENCE_MS): Asked {
  return {
    evaluate: (call) => ledger.evaluate(call),
    submit: async (call) => {
      for (const end = performance.now() + patienceMs; ;) {
        const done = await submitted(ledger, call);
        if (!(done instanceof Refusal)) return done;
        await ledger.evaluate({ ...call, endorsers: [mspId] });
        if (performance.now() > end) throw behind(done);
        await sleep(pauseMs);
      }
    },
  };
}

function behind(cause: Refusal): Refusal {
  const detail = 'other members have not seen what this follows on: ask again';
  return new Refusal('unavailable', 'endorsers-behind', detail, { cause });
}

async function submitted(ledger: Asked, call: LedgerCall): Promise<Commit | Refusal> {
  try {
    return await ledger.submit(call);
  } catch (error) {
    if (isDeclined(error)) return error;
    throw error;
  }
}

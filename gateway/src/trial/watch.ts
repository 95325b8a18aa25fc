/** Tells sponsor and board at once, as an alarm at their own gateways, that an arm was asked for. */
import { setTimeout as sleep } from 'node:timers/promises';

import { parseUnblindOne, transactions, type TrialView } from '@salus/chaincode/trial/api';

import { VALID } from '../ledger/blocks.js';
import type { LedgerBlock } from '../ports.js';

/** Pause before a trial that could not be read is asked for again, milliseconds. */
const AGAIN_MS = 1_000;

/** What the watch needs of the gateway; it gives up when `signal` aborts. */
export interface WatchPorts {
  readonly member: string;
  readonly view: (trial: string) => Promise<TrialView | undefined>;
  readonly alarm: (what: 'trial-unblinding', about: Readonly<Record<string, string>>) => void;
  readonly signal: AbortSignal;
}

/** Looks at one block for unblindings of trials whose sponsor or board this member is. */
export async function watchUnblindings(ports: WatchPorts, block: LedgerBlock): Promise<void> {
  const { member, alarm } = ports;
  for (const { code, transaction, argument, creatorMspId, txId } of block.transactions) {
    if (code !== VALID || transaction !== transactions.unblindOne) continue;
    const { trial, stratum, slot } = parseUnblindOne(JSON.parse(argument) as unknown, 'unblinding');
    const parties = (await untilRead(ports, trial))?.trial.parties;
    if (parties?.sponsor !== member && parties?.board !== member) continue;
    alarm('trial-unblinding', { trial, stratum, slot: String(slot), by: creatorMspId, txId });
  }
}

/** An alarm must not be lost because the peer did not answer just then. */
async function untilRead({ view, signal }: WatchPorts, trial: string): Promise<TrialView | undefined> {
  while (!signal.aborted) {
    try {
      return await view(trial);
    } catch {
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

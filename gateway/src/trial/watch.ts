/** Tells sponsor and board at once, as an alarm at their own gateways, that an arm was asked for. */
import { parseUnblindOne, transactions, type TrialView } from '@salus/chaincode/trial/api';

import { VALID } from '../ledger/blocks.js';
import type { LedgerBlock } from '../ports.js';

/** What the watch needs of the gateway. */
export interface WatchPorts {
  readonly member: string;
  readonly view: (trial: string) => Promise<TrialView | undefined>;
  readonly alarm: (what: 'trial-unblinding', about: Readonly<Record<string, string>>) => void;
}

/** Looks at one block for unblindings of trials whose sponsor or board this member is. */
export async function watchUnblindings({ member, view, alarm }: WatchPorts, block: LedgerBlock): Promise<void> {
  for (const { code, transaction, argument, creatorMspId, txId } of block.transactions) {
    if (code !== VALID || transaction !== transactions.unblindOne) continue;
    const { trial, stratum, slot } = parseUnblindOne(JSON.parse(argument) as unknown, 'unblinding');
    const parties = (await view(trial))?.trial.parties;
    if (parties?.sponsor !== member && parties?.board !== member) continue;
    alarm('trial-unblinding', { trial, stratum, slot: String(slot), by: creatorMspId, txId });
  }
}

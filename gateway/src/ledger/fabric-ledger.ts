/** The ledger as the gateway sees it, over its own member's peers. */
import { readFileSync } from 'node:fs';

import type { BlockAndPrivateDataEventsRequest } from '@hyperledger/fabric-gateway';

import type { Commit, Ledger, LedgerBlock, LedgerCall } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { decodeBlock } from './blocks.js';
import { connectPeer, type PeerConnection } from './connection.js';
import { readFailure } from './failure.js';
import { Inspector } from './inspector.js';
import { messageSigner } from './signer.js';
import { FabricSteps, type TransactionSteps } from './steps.js';
import { submitCall } from './submit.js';
import { readTip } from './tip.js';

/** Ledger and steps over one connection; `close` ends it. */
export interface ConnectedLedger extends Ledger {
  readonly steps: TransactionSteps;
  readonly inspector: Inspector;
  /** Number of the channel's newest block, as the peer has it. Throws when it does not answer. */
  tip(): Promise<number>;
  close(): void;
}

/** Connects to the member's first peer; does not wait for it to be there. */
export function connectLedger(settings: GatewaySettings): ConnectedLedger {
  const first = settings.peers[0];
  if (first === undefined) throw new Error('settings name no peer');
  const connection = connectPeer(settings, first);
  const steps = new FabricSteps(connection, settings, messageSigner(readFileSync(settings.identity.key, 'utf8')));
  return {
    steps,
    inspector: new Inspector(connection.gateway, steps, settings),
    tip: () => readTip(connection, settings.channel),
    submit: (call: LedgerCall): Promise<Commit> => submitCall(steps, call),
    evaluate: (call: LedgerCall): Promise<Uint8Array> => steps.evaluate(call),
    blocks: (start: number, signal: AbortSignal): AsyncIterable<LedgerBlock> =>
      followBlocks(connection, settings, start, signal),
    close: () => {
      connection.close();
    },
  };
}

async function* followBlocks(
  connection: PeerConnection,
  settings: GatewaySettings,
  start: number,
  signal: AbortSignal,
): AsyncIterable<LedgerBlock> {
  if (signal.aborted) return;
  const network = connection.gateway.getNetwork(settings.channel);
  const request: BlockAndPrivateDataEventsRequest = network.newBlockAndPrivateDataEventsRequest({
    startBlock: BigInt(start),
  });
  const events = await request.getEvents();
  const stop = (): void => {
    events.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const message of events) {
      yield decodeBlock(message, settings.chaincode);
      if (isAborted(signal)) return;
    }
  } catch (error) {
    if (!isAborted(signal)) throw readFailure(error);
  } finally {
    signal.removeEventListener('abort', stop);
    events.close();
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

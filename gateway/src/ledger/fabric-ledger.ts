/** The ledger as the gateway sees it, over its own member's peers. */
import { readFileSync } from 'node:fs';

import { messageSigner } from '@salus/network/identity/signature';

import type { Commit, Ledger, LedgerBlock, LedgerCall } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { decodeBlock } from './blocks.js';
import { connectPeer } from './connection.js';
import { readFailure, Retriable } from './failure.js';
import { heldBy } from './held.js';
import { Inspector } from './inspector.js';
import { readBlock } from './raw-blocks.js';
import { Rotation } from './rotation.js';
import { blockAndPrivateDataEvents } from './shift.js';
import { FabricSteps, type TransactionSteps } from './steps.js';
import { exhausted, submitCall } from './submit.js';
import { readTip } from './tip.js';
import { lastConfigOf, membersOf } from './trust.js';
import { readInBlock, WrittenTransactions } from './written.js';

/** Ledger and steps over the member's peers; `close` ends the connections. */
export interface ConnectedLedger extends Ledger {
  readonly steps: TransactionSteps;
  readonly inspector: Inspector;
  readonly written: WrittenTransactions;
  /** Number of the channel's newest block, as the peer has it. Throws when it does not answer. */
  tip(): Promise<number>;
  /** MSP ids of the channel's members, by its configuration now; undefined while the peer does not show it. */
  members(): Promise<ReadonlySet<string> | undefined>;
  close(): void;
}

/** Connects to the member's peers; does not wait for them to be there. */
export function connectLedger(settings: GatewaySettings): ConnectedLedger {
  const sign = messageSigner(readFileSync(settings.identity.key, 'utf8'));
  const steps = new Rotation(
    settings.peers.map((peer) => {
      const connection = connectPeer(settings, peer);
      return { connection, steps: new FabricSteps(connection, settings, sign) };
    }),
  );
  const gateway = () => steps.peer.connection.gateway;
  const tip = () => readTip(steps.peer.connection, settings.channel, () => Date.now() + settings.clockOffsetMs);
  return {
    steps,
    inspector: new Inspector(gateway, steps, settings),
    written: new WrittenTransactions(readInBlock(gateway, steps, settings)),
    tip,
    members: async () => {
      const newest = await readBlock(gateway(), settings, await tip());
      const config = newest && (await readBlock(gateway(), settings, lastConfigOf(newest)));
      return config && membersOf(config);
    },
    submit: (call: LedgerCall): Promise<Commit> => submitCall(steps, call),
    evaluate: (call: LedgerCall): Promise<Uint8Array> => steps.evaluate(call).catch(asRefusal),
    blocks: (start: number, signal: AbortSignal): AsyncIterable<LedgerBlock> =>
      followBlocks(steps, settings, start, signal),
    close: () => {
      steps.close();
    },
  };
}

/** A peer that is away is no fault of the gateway's: whoever asked is told to ask again. */
function asRefusal(error: unknown): never {
  throw error instanceof Retriable ? exhausted(error) : error;
}

async function* followBlocks(
  peers: Rotation,
  settings: GatewaySettings,
  start: number,
  signal: AbortSignal,
): AsyncIterable<LedgerBlock> {
  if (signal.aborted) return;
  const held = heldBy(settings);
  const { peer } = peers;
  const events = await blockAndPrivateDataEvents(peer.connection.gateway, settings, start).getEvents();
  const stop = (): void => {
    events.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const message of events) {
      yield decodeBlock(message, settings.chaincode, held);
      if (isAborted(signal)) return;
    }
  } catch (error) {
    if (isAborted(signal)) return;
    // Whoever follows comes again, and then to the next peer.
    if (peers.peer === peer) peers.next();
    throw readFailure(error);
  } finally {
    signal.removeEventListener('abort', stop);
    events.close();
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** A member's writer over a real key store and outbox, and what it is answered by. */
import type { WriteVersions } from '@salus/chaincode/ehr/api';
import { RecentContents } from '@salus/gateway/ehr/recent';
import { EhrWriter } from '@salus/gateway/ehr/writer';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Outbox } from '@salus/gateway/ledger/outbox';
import { OutboxStore } from '@salus/gateway/ledger/outbox-store';
import type { LedgerCall } from '@salus/gateway/ports';

import { ScriptedSteps } from '../support/scripted-steps.js';

/** A writer as a gateway begins with it, and how it ends. */
export interface OpenWriter {
  readonly keys: KeyStore;
  readonly steps: ScriptedSteps;
  readonly outbox: Outbox;
  readonly writer: EhrWriter;
  readonly close: () => Promise<void>;
}

/** Opens the writer of the gateway whose files lie in a folder; what it is told after `answerWaitMs` is unknown. */
export function writerAt(
  folder: string,
  answerWaitMs: number,
  storeOf = (seal: KeyStore['seal']): OutboxStore => new OutboxStore(folder, 'gateway0', seal),
): OpenWriter {
  const keys = new KeyStore(folder);
  const steps = new ScriptedSteps();
  const outbox = new Outbox(steps, storeOf(keys.seal), keys);
  const writer = new EhrWriter({
    ...{ keys, outbox, recent: new RecentContents(), mspId: 'StmaryMSP', gateway: 'gateway0' },
    freeVersion: (_code, version) => version,
    findDone: () => Promise.resolve(undefined),
    answerWaitMs,
  });
  const close = async (): Promise<void> => {
    await outbox.stop();
    keys.close();
  };
  return { keys, steps, outbox, writer, close };
}

/** What `ehr:write` was asked for. */
export function requestOf(call: LedgerCall): WriteVersions {
  return JSON.parse(Buffer.from(call.transient!.request!).toString()) as WriteVersions;
}

/**
 * What a gateway keeps doing beside answering: it anchors its read log, ends the keys of guardians who are none any more,
 * and lets go of what it need not remember.
 */
import { keepAnchored, type AnchorPorts } from '../access/anchor.js';
import { keepForgetting, type ForgettingPorts } from '../ehr/forgetting.js';
import { keepKeysEnded, type GuardianKeyPorts } from '../patient/guardian-keys.js';

/** What all work on, and who hears of a failure. */
export interface KeepingPorts
  extends
    Omit<AnchorPorts, 'onFailure' | 'ledger'>,
    Omit<GuardianKeyPorts, 'onFailure'>,
    Omit<ForgettingPorts, 'onFailure'> {
  readonly delayed: (what: string, error: unknown) => void;
  readonly alarm: (what: string, about: Readonly<Record<string, string>>) => void;
}

/** Goes on until the signal aborts. */
export async function keepUp(ports: KeepingPorts, signal: AbortSignal): Promise<void> {
  const failing = (what: string) => (error: unknown) => {
    ports.alarm(what, { error: String(error) });
  };
  await Promise.all([
    keepAnchored({ ...ports, onFailure: failing('read-log-not-anchored') }, signal),
    keepKeysEnded({ ...ports, onFailure: failing('guardian-key-not-ended') }, signal),
    keepForgetting({ ...ports, onFailure: ports.delayed.bind(undefined, 'forgetting keys') }, signal),
  ]);
}

/** A withdrawal that some gateway heard of: from now on this door refuses what the consent permitted. */
import { MAX_VERSION } from '@salus/chaincode/consent/api';

import type { Memory } from '../keys/memory.js';
import { refusalSubject } from './trusted-consents.js';

export const WITHDRAWAL_PATH = '$withdrawal';

/** What one door tells another. */
export interface Withdrawal {
  readonly consentId: string;
  /** The version that ends it: once the ledger has it, the refusal is not needed any more. */
  readonly version: number;
}

export interface WithdrawalPorts {
  readonly memory: Memory;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Puts the refusal in force; any member may say it, since it opens nothing. False for what is no withdrawal. */
export function hearWithdrawal(ports: WithdrawalPorts, body: string): boolean {
  const said = parse(body);
  if (said === undefined) return false;
  const subject = refusalSubject.consent(said.consentId);
  const known = ports.memory.refusalOf(subject);
  // What was said before of a lower version must not keep this one from being obeyed.
  if (known !== undefined && Number(known) < said.version) ports.memory.lift(subject);
  ports.memory.refuse(subject, String(said.version), ports.now());
  return true;
}

function parse(body: string): Withdrawal | undefined {
  try {
    const { consentId, version } = JSON.parse(body) as Partial<Withdrawal>;
    if (typeof consentId !== 'string' || !/^[A-Za-z0-9.-]{1,64}$/.test(consentId)) return undefined;
    const isVersion = Number.isSafeInteger(version) && Number(version) > 1 && Number(version) <= MAX_VERSION;
    return isVersion ? { consentId, version: Number(version) } : undefined;
  } catch {
    return undefined;
  }
}

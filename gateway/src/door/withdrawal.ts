/** A withdrawal that some gateway heard of: from now on this door refuses what the consent permitted. */
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
  ports.memory.refuse(refusalSubject.consent(said.consentId), String(said.version), ports.now());
  return true;
}

function parse(body: string): Withdrawal | undefined {
  try {
    const { consentId, version } = JSON.parse(body) as Partial<Withdrawal>;
    if (typeof consentId !== 'string' || !/^[A-Za-z0-9.-]{1,64}$/.test(consentId)) return undefined;
    return Number.isSafeInteger(version) ? { consentId, version: version as number } : undefined;
  } catch {
    return undefined;
  }
}

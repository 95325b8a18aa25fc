/** A withdrawal that some gateway heard of: from now on this door refuses what the consent permitted. */
import { MAX_VERSION } from '@salus/chaincode/consent/api';

import { refusalSubject } from '../consent/trusted.js';
import type { Memory } from '../keys/memory.js';
import type { Directory } from '../registry/directory.js';

export const WITHDRAWAL_PATH = '$withdrawal';

/** What one door tells another. */
export interface Withdrawal {
  readonly consentId: string;
  /** The version that ends it: once the ledger has it, the refusal is not needed any more. */
  readonly version: number;
}

export interface WithdrawalPorts {
  readonly memory: Memory;
  readonly directory: Pick<Directory, 'roles'>;
  /** Newest version of a consent that counts at this member; undefined = there is none. */
  readonly consentVersion: (consentId: string) => number | undefined;
  /** FHIR instant. */
  readonly now: () => string;
}

/**
 * Puts the refusal in force, if a hospital says it of the next version of a consent that counts here: what else is
 * said changes nothing, and is answered the same. False for what is no withdrawal.
 */
export function hearWithdrawal(ports: WithdrawalPorts, teller: string, body: string): boolean {
  const said = parse(body);
  if (said === undefined) return false;
  if (ports.directory.roles(teller).includes('hospital') && ports.consentVersion(said.consentId) === said.version - 1)
    refuse(ports, said);
  return true;
}

function refuse({ memory, now }: WithdrawalPorts, { consentId, version }: Withdrawal): void {
  const subject = refusalSubject.consent(consentId);
  const known = memory.refusalOf(subject);
  // What was said before of a lower version must not keep this one from being obeyed.
  if (known !== undefined && Number(known) < version) memory.lift(subject);
  memory.refuse(subject, String(version), now());
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

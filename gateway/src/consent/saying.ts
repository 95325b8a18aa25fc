/** How a version of a consent is said: signed by the patient, by the wallet for the patient, or as this member's word. */
import { heardAtCustodian } from '@salus/chaincode/access/api';
import { transactions, type RecordConsent } from '@salus/chaincode/consent/api';

import type { Memory } from '../keys/memory.js';
import type { SignForPatient } from '../patient/custody.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Actor, LedgerCall } from '../ports.js';
import { wordHash } from './authentic.js';

/** Who signs for a patient without a device, and where this member's own word is remembered. */
export interface SayingPorts {
  readonly channel: string;
  readonly memory: Pick<Memory, 'keepWord'>;
  /** Signs with the patient's custodial key what is said here without a statement. */
  readonly signForPatient: SignForPatient;
}

/** Who says it, and the statement that was brought along. */
export interface Said {
  readonly actor: Actor;
  readonly statement?: string;
}

/** The call that records a version as it was said. */
export function callOf(request: RecordConsent, actor: Actor): LedgerCall {
  return {
    transaction: transactions.record,
    transient: { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(actor) },
  };
}

/**
 * A version as it is said: with the patient's own statement; else the wallet's, or this member's word, which it remembers:
 * they speak for those alone whose word is heard at a custodian.
 */
export async function saidBy(
  ports: SayingPorts,
  { actor, statement }: Said,
  request: RecordConsent,
  patientId: string,
): Promise<RecordConsent> {
  if (statement !== undefined || !(heardAtCustodian as readonly string[]).includes(actor.role)) return request;
  const { pid, consentId: consent, version, replaces = null } = request;
  const subject = { channel: ports.channel, consent, version, replaces };
  const made = await ports.signForPatient({ pid, patientId }, request.consent, subject);
  if (made !== undefined) return { ...request, statement: made };
  ports.memory.keepWord(wordHash(request));
  return request;
}

/** `$unblind`: puts an emergency unblinding on record, and brings the arm, sealed for the one person who asks. */
import { transactions, type TrialView } from '@salus/chaincode/trial/api';

import type { Given } from '../fhir/parameters.js';
import { isRefusal, Refusal } from '../ledger/refusal.js';
import type { Commit } from '../ports.js';
import { askArm } from './arm.js';

/** What an unblinding needs. */
export interface UnblindPorts {
  readonly submit: (transaction: string, asked: object) => Promise<Commit>;
  readonly view: () => Promise<TrialView>;
  readonly ask: Parameters<typeof askArm>[0];
}

/** What was done: the commit where this call put it on record, and the arm where the person signed for it. */
export interface Unblinded {
  readonly commit?: Commit;
  /** Compact JWE. */
  readonly sealed?: string;
}

/** Asks for one arm. Who asked before and got no answer asks again with the same words. Throws Refusal. */
export async function unblind(ports: UnblindPorts, trial: string, given: Given): Promise<Unblinded> {
  const place = { trial, stratum: given.text('stratum'), slot: given.number('slot') };
  const asked = { ...place, reason: given.text('reason'), delegate: given.text('delegate') };
  const [statement] = given.texts('statement');
  const question = statement && { ...place, statement, to: keyOf(given.text('key')) };
  const commit = await recorded(ports, asked, question !== undefined);
  if (!question) return { ...(commit && { commit }) };
  const { allocator } = (await ports.view()).trial.parties;
  return { ...(commit && { commit }), sealed: await askArm(ports.ask, allocator, question) };
}

async function recorded({ submit }: UnblindPorts, asked: object, isAgain: boolean): Promise<Commit | undefined> {
  try {
    return await submit(transactions.unblindOne, asked);
  } catch (error) {
    if (isAgain && isRefusal(error, 'already-unblinded')) return undefined;
    throw error;
  }
}

function keyOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal('invalid', 'structure', 'key is a public P-256 JWK as JSON text');
  }
}

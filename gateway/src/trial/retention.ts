/** How long the data of those who take part in trials is kept: Regulation (EU) No 536/2014 article 58. */
import type { TrialView } from '@salus/chaincode/trial/api';

import type { Facts } from '../patient/lookup.js';
import type { Ledger } from '../ports.js';
import { subjectsOf } from './content.js';
import { demandTrial, readLine } from './reading.js';

/** Years that the trial master file, and what it rests on at the sites, is kept after the end of the trial. */
const KEPT_YEARS = 25;

/**
 * Milliseconds since 1970 until when the data of the trials is kept in which a Patient consented to take part; Infinity
 * while one of them goes on, undefined where there is none. Throws Refusal.
 */
export async function trialsKeptUntil(
  { ledger, facts }: { readonly ledger: Pick<Ledger, 'evaluate'>; readonly facts: Pick<Facts, 'facts'> },
  patient: string,
): Promise<number | undefined> {
  const ends: number[] = [];
  for (const { trial, participant } of subjectsOf(facts, patient)) {
    const { consents } = await readLine(ledger, trial, participant);
    if (consents.length > 0) ends.push(keptUntil(await demandTrial({ ledger }, trial)));
  }
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** A trial ends when it is unblinded. */
function keptUntil({ milestones }: Pick<TrialView, 'milestones'>): number {
  const end = milestones.find(({ name }) => name === 'unblinding');
  if (end === undefined) return Infinity;
  const until = new Date(end.at);
  return until.setUTCFullYear(until.getUTCFullYear() + KEPT_YEARS);
}

/** A trial, and one of its participants, as the own peer has them. */
import { type ParticipantView, playsPartOf, transactions, type TrialView } from '@salus/chaincode/trial/api';

import { Refusal } from '../ledger/refusal.js';
import type { Actor, Ledger } from '../ports.js';

type Evaluates = Pick<Ledger, 'evaluate'>;

/** A trial as the ledger has it; undefined where there is none of this name. */
export async function readTrial(ledger: Evaluates, trial: string): Promise<TrialView | undefined> {
  try {
    return (await evaluated(ledger, transactions.read, { trial })) as TrialView;
  } catch (error) {
    if (error instanceof Refusal && ['unknown-trial', 'invalid-request'].includes(error.code)) return undefined;
    throw error;
  }
}

/** The same for a trial that must be there. Throws Refusal. */
export async function demandTrial({ ledger }: { readonly ledger: Evaluates }, trial: string): Promise<TrialView> {
  const view = await readTrial(ledger, trial);
  if (view === undefined) throw new Refusal('not-found', 'unknown-trial', 'no trial of this name is registered');
  return view;
}

/** Everything public of one participant. Throws Refusal. */
export async function readLine(ledger: Evaluates, trial: string, participant: string): Promise<ParticipantView> {
  return (await evaluated(ledger, transactions.line, { trial, participant })) as ParticipantView;
}

/**
 * Whether what was collected of a participant is kept as the law asks, and not shown: to nobody where the participant withdrew and
 * wants no further use; beyond the site, where consents of the participant deny it.
 */
export function isUseEnded({ consents, uses }: ParticipantView, where: 'site' | 'beyond' = 'beyond'): boolean {
  if (consents.at(-1)?.withdrawn === 'use-no-data') return true;
  return where === 'beyond' && uses.at(-1)?.isRestricted === true;
}

/**
 * Whether somebody works in this trial here, and so sees who signed and the whole study definition. Of a participant, and of whoever
 * else is a patient of a site, it is not known here who that is: they see what anybody sees.
 */
export function worksIn(member: string, { trial }: TrialView, { role }: Pick<Actor, 'role'>): boolean {
  return role !== 'patient' && playsPartOf(role, member, trial.parties);
}

/** Whether a member plays a part of the trial. */
export function isParty(member: string, { trial }: TrialView): boolean {
  return Object.values(trial.parties).flat().includes(member);
}

/** Whether contents are shown here as the site's own, or beyond it. */
export function placeOf(member: string, { trial }: TrialView): 'site' | 'beyond' {
  return trial.parties.sponsor === member ? 'beyond' : 'site';
}

async function evaluated(ledger: Evaluates, transaction: string, asked: object): Promise<unknown> {
  const bytes = await ledger.evaluate({ transaction, argument: JSON.stringify(asked) });
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
}

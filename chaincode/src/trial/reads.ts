/** What evaluates answer of a trial and of one participant: everything public. */
import type { SalusContext } from '../lib/context';
import { list, load } from '../lib/record';
import { DOCUMENT } from './consent-facts';
import { standingOf } from './facts';
import type { ConsentRecord } from './records';
import { phaseOf } from './rules';
import * as state from './state';
import type { ParticipantView, TrialView } from './views';

/** Everything public of a trial but its data points: for evaluates. */
export async function viewOf(ctx: SalusContext, name: string): Promise<TrialView> {
  const standing = await standingOf(ctx, name);
  const { trial, inForce, status } = standing;
  const document = await load(ctx, state.inForceKind, name, DOCUMENT);
  const lists = await list(ctx, state.listKind, name);
  const slots: TrialView['slots'][number][] = [];
  for (const { stratum } of lists) slots.push({ stratum, taken: await list(ctx, state.slotKind, name, stratum) });
  return {
    trial,
    phase: phaseOf(standing),
    ...(inForce && { inForce }),
    ...(document && { document }),
    ...(status && { status }),
    statuses: await list(ctx, state.statusActKind, name),
    versions: await list(ctx, state.versionKind, name),
    approvals: await list(ctx, state.approvalKind, name),
    milestones: await list(ctx, state.milestoneKind, name),
    looks: await list(ctx, state.lookKind, name),
    results: await list(ctx, state.resultsKind, name),
    lists,
    slots,
    reveals: await list(ctx, state.revealKind, name),
    unblindings: await list(ctx, state.unblindingKind, name),
    events: await list(ctx, state.eventKind, name),
    submissions: await list(ctx, state.submissionKind, name),
    acknowledgements: await list(ctx, state.acknowledgementKind, name),
    documents: await list(ctx, state.documentKind, name),
    delegates: await list(ctx, state.delegateKind, name),
    withdrawals: await withdrawalsOf(ctx, name, slots),
  };
}

/** Of those who have a slot and whose last word is a withdrawal, that word. */
async function withdrawalsOf(
  ctx: SalusContext,
  trial: string,
  slots: TrialView['slots'],
): Promise<readonly ConsentRecord[]> {
  const enrolled = new Set(slots.flatMap(({ taken }) => taken.map(({ participant }) => participant)));
  const last = new Map((await list(ctx, state.consentKind, trial)).map((record) => [record.participant, record]));
  return [...last.values()].filter((record) => enrolled.has(record.participant) && record.withdrawn !== undefined);
}

/** Everything public of one participant: for evaluates. */
export async function participantView(ctx: SalusContext, trial: string, name: string): Promise<ParticipantView> {
  await standingOf(ctx, trial);
  const participant = await load(ctx, state.participantKind, trial, name);
  const entered = await load(ctx, state.enteredKind, trial, name);
  return {
    trial,
    ...(participant && { participant }),
    ...(entered && { entered }),
    eligibility: await list(ctx, state.eligibleKind, trial, name),
    consents: await list(ctx, state.consentKind, trial, name),
    uses: await list(ctx, state.useKind, trial, name),
    points: await list(ctx, state.pointKind, trial, name),
  };
}

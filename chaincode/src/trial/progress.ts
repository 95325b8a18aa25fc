/** Steps that move a whole trial on: milestones, interim looks, unlocking, unblinding. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { BoardAct, Reveal, Signature, Unlock } from './acts';
import { reveal as judgeReveal } from './allocation';
import type { ApproveVersion, PostResults } from './api';
import {
  actOf,
  firstVersion,
  isApproved,
  listsOf,
  type MILESTONES,
  neighbours,
  permitted,
  PROTOCOL,
  versionOf,
} from './facts';
import type { Act, MilestoneRecord, StatusRecord } from './records';
import { refuse } from './refusals';
import * as rules from './rules';
import { demandSignature, demandUnlockers } from './signing';
import {
  approvalKind,
  inForceKind,
  listKind,
  lookKind,
  milestoneKind,
  numberPart,
  resultsKind,
  revealKind,
  statusActKind,
  statusKind,
} from './state';

/** Records that a milestone came, with the protocol version in force. Of several locks the last counts. */
export async function reach(
  ctx: SalusContext,
  { trial, inForce }: rules.Standing,
  name: (typeof MILESTONES)[number],
  more: Pick<MilestoneRecord, 'root' | 'points' | 'statements'> = {},
): Promise<void> {
  const { version = 0, hash = '' } = inForce ?? {};
  await save(ctx, milestoneKind, [trial.trial, name], { name, version, hash, ...more, ...actOf(ctx) });
}

/** Brings a trial to another state: the newest under the trial's name, and each under a number of its own, for ever. */
export async function enterState(
  ctx: SalusContext,
  { trial, inForce, status }: rules.Standing,
  change: Omit<StatusRecord, 'n' | 'version' | keyof Act>,
): Promise<void> {
  const n = (status?.n ?? 0) + 1;
  const record = { ...change, n, version: inForce?.version ?? 0, ...actOf(ctx) };
  await save(ctx, statusKind, [trial.trial], record);
  await save(ctx, statusActKind, [trial.trial, numberPart(n)], record);
}

/** Records an interim look: its number is used once. */
export async function recordLook(
  ctx: SalusContext,
  standing: rules.Standing,
  look: number,
  reason: string,
): Promise<void> {
  const key = [standing.trial.trial, numberPart(look)] as const;
  const isNext = look === 1 || (await load(ctx, lookKind, key[0], numberPart(look - 1))) !== undefined;
  if (!isNext || (await load(ctx, lookKind, ...key)) !== undefined) {
    throw refuse('version-out-of-line', 'send the next number of an interim look');
  }
  await save(ctx, lookKind, key, { look, version: standing.inForce?.version ?? 0, reason, ...actOf(ctx) });
}

/** The board's word halts or resumes a trial, signed after what stopped or started it last, so that it counts once. */
export async function stop(
  ctx: SalusContext,
  standing: rules.Standing,
  request: BoardAct,
  act: 'halt' | 'resume',
): Promise<void> {
  const { reason } = request;
  const signature = await demandSignature(ctx, request, { meaning: act, reason, after: standing.status?.tx });
  const state = act === 'halt' ? 'halted' : 'running';
  await enterState(ctx, standing, { act, state, reason, ...signature });
}

/** Unlocks the data base, signed by two over the reason and the lock; enrolment stays halted until the board resumes it. */
export async function unlock(ctx: SalusContext, standing: rules.Standing, request: Unlock): Promise<void> {
  const { reason } = request;
  const content = { meaning: 'unlock', reason, after: standing.status?.tx };
  const signatures = await demandUnlockers(ctx, standing.trial, request.signatures, content);
  await enterState(ctx, standing, { act: 'unlock', state: 'halted', reason, ...signatures });
}

/** Reveals a list; the first one revealed unblinds the trial. */
export async function reveal(ctx: SalusContext, standing: rules.Standing, request: Reveal): Promise<void> {
  const { trial, stratum } = request;
  const list = await load(ctx, listKind, trial, stratum);
  const known = await load(ctx, revealKind, trial, stratum);
  await save(ctx, revealKind, [trial, stratum], allowed(judgeReveal(request, list, known, actOf(ctx))));
  if (standing.status?.state === 'unblinded') return;
  await enterState(ctx, standing, { act: 'unblinding', state: 'unblinded' });
  await reach(ctx, standing, 'unblinding');
}

/** Posts published results, judged by the outcomes in force at first enrolment. */
export async function postResults(ctx: SalusContext, standing: rules.Standing, request: PostResults): Promise<void> {
  const { trial, publication } = request;
  const registered = await versionOf(ctx, trial, standing.firstEnrolment?.version ?? 0);
  const known = await load(ctx, resultsKind, trial, publication);
  await save(
    ctx,
    resultsKind,
    [trial, publication],
    allowed(rules.postResults(request, registered, known, actOf(ctx))),
  );
}

/** Puts an approved version in force. */
export async function activate(ctx: SalusContext, standing: rules.Standing, version: number): Promise<void> {
  const { trial, inForce } = standing;
  const near = await neighbours(ctx, standing, version);
  const record = near.there;
  const strata = inForce === undefined ? (record?.protocol.allocation.strata ?? []) : [];
  const has = record !== undefined && (await isApproved(ctx, standing, record.hash));
  const lists = await listsOf(ctx, standing, strata);
  const first = await firstVersion(ctx, trial.trial);
  const judged = { phase: rules.phaseOf(standing), near, first, isApproved: has, lists };
  await save(ctx, inForceKind, [trial.trial, PROTOCOL], allowed(rules.activate(version, judged, actOf(ctx))));
}

/** Records the sponsor's signature of a version, or an approval of it. */
export async function approveVersion(
  ctx: SalusContext,
  request: ApproveVersion,
  meaning: 'sign-version' | 'approve-version',
): Promise<void> {
  const { trial, version } = request;
  await permitted(ctx, trial, meaning);
  const record = await versionOf(ctx, trial, version);
  await approve(ctx, request, { subject: `version:${version}`, meaning, record });
}

/** Records a signed approval of something by its hash. */
export async function approve(
  ctx: SalusContext,
  request: { readonly trial: string; readonly hash: string; readonly signature: Signature },
  about: { readonly subject: string; readonly meaning: string; readonly record: { readonly hash: string } | undefined },
): Promise<void> {
  const { trial, hash } = request;
  const { subject, meaning, record } = about;
  const act = actOf(ctx);
  const key = [trial, hash, act.by.role, act.by.member] as const;
  const known = await load(ctx, approvalKind, ...key);
  const approval = allowed(rules.approve(subject, hash, record, known, act));
  await save(ctx, approvalKind, key, {
    ...approval,
    ...(await demandSignature(ctx, request, { meaning, subject, hash })),
  });
}

/** Steps that move a whole trial on: milestones, interim looks, unlocking, unblinding. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { Reveal, Signature } from './acts';
import { reveal as judgeReveal } from './allocation';
import type { PostResults } from './api';
import {
  actOf,
  firstVersion,
  isApproved,
  listsOf,
  type MILESTONES,
  neighbours,
  PROTOCOL,
  signersOf,
  versionOf,
} from './facts';
import type { MilestoneRecord } from './records';
import { refuse } from './refusals';
import * as rules from './rules';
import { signed } from './signatures';
import {
  approvalKind,
  inForceKind,
  listKind,
  lookKind,
  milestoneKind,
  numberPart,
  resultsKind,
  revealKind,
  statusKind,
} from './state';

/** Records that a milestone came, with the protocol version in force. Of several locks the last counts. */
export async function reach(
  ctx: SalusContext,
  { trial, inForce }: rules.Standing,
  name: (typeof MILESTONES)[number],
  more: Pick<MilestoneRecord, 'root' | 'points'> = {},
): Promise<void> {
  const { version = 0, hash = '' } = inForce ?? {};
  await save(ctx, milestoneKind, [trial.trial, name], { name, version, hash, ...more, ...actOf(ctx) });
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

/** Unlocks the data base; enrolment stays halted until the board resumes it. With the signatures of two people of two members, over the reason. */
export async function unlock(
  ctx: SalusContext,
  request: { readonly trial: string; readonly reason: string; readonly signatures: readonly Signature[] },
): Promise<void> {
  const { trial, reason, signatures } = request;
  const signers = await signersOf(ctx, trial, signatures);
  const members = new Set(signatures.map(({ kid }) => signers.get(kid)?.member));
  if (members.size !== 2) throw refuse('two-signatures', 'two people of two members sign');
  const content = { channel: ctx.channel, trial, meaning: 'unlock', reason };
  for (const signature of signatures) {
    const refusal = signed(signature, signers.get(signature.kid), content, ctx.now);
    if (refusal !== undefined) throw refusal;
  }
  await save(ctx, statusKind, [trial], { state: 'halted', reason, ...actOf(ctx) });
}

/** Reveals a list; the first one revealed unblinds the trial. */
export async function reveal(ctx: SalusContext, standing: rules.Standing, request: Reveal): Promise<void> {
  const { trial, stratum } = request;
  const list = await load(ctx, listKind, trial, stratum);
  const known = await load(ctx, revealKind, trial, stratum);
  await save(ctx, revealKind, [trial, stratum], allowed(judgeReveal(request, list, known, actOf(ctx))));
  if (standing.status?.state === 'unblinded') return;
  await save(ctx, statusKind, [trial], { state: 'unblinded', ...actOf(ctx) });
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

/** Records an approval of something by its hash. */
export async function approve(
  ctx: SalusContext,
  trial: string,
  subject: string,
  hash: string,
  record: { readonly hash: string } | undefined,
): Promise<void> {
  const act = actOf(ctx);
  const key = [trial, hash, act.by.role, act.by.member] as const;
  const known = await load(ctx, approvalKind, ...key);
  await save(ctx, approvalKind, key, allowed(rules.approve(subject, hash, record, known, act)));
}

/** Who is who in a trial: the delegation log, claims of persons, the keeper of the arms. */
import type { SalusContext } from '../lib/context';
import { exists, load, save, saveSalted } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { ClaimRequest, DelegateRequest, KeepArms, NewSecret, TellArm, ToldArm, UnblindRequest } from './acts';
import { matches, tellArm as judgeTelling, unblindOne as judgeUnblinding } from './allocation';
import { delegateOf } from './delegates';
import { actOf, firstVersion, standingOf } from './facts';
import type { TrialSecret } from './records';
import { refuse } from './refusals';
import { playsPartOf } from './rights';
import type { Standing } from './rules';
import {
  armsKind,
  claimKind,
  delegateKind,
  enrolledKind,
  listKind,
  numberPart,
  secretKind,
  slotKind,
  unblindingKind,
} from './state';

/** Puts a key of one of the calling member's people on the delegation log, in a role of a part that the member plays. */
export async function delegate(
  ctx: SalusContext,
  standing: Standing,
  { trial, role, jwk }: DelegateRequest,
): Promise<void> {
  if (!playsPartOf(role, ctx.caller.member, standing.trial.parties)) {
    throw refuse('not-your-part', `the calling member plays no part of this trial in which a ${role} acts`);
  }
  const known = await delegateOf(ctx, trial, jwk.kid);
  if (known !== undefined) throw refuse('delegate-exists', 'this key id is taken in this trial');
  await save(ctx, delegateKind, [trial, jwk.kid], { ...actOf(ctx), member: ctx.caller.member, role, jwk });
}

/** Ends a delegation of the calling member. */
export async function endDelegation(ctx: SalusContext, trial: string, kid: string): Promise<void> {
  const known = await delegateOf(ctx, trial, kid);
  if (known?.member !== ctx.caller.member || known.ended !== undefined) {
    throw refuse('not-delegated', 'the calling member has no such key on the delegation log');
  }
  await save(ctx, delegateKind, [trial, kid], { ...known, ended: ctx.now });
}

/** Claims a person for one participant, before anything public names the participant. */
export async function claim(ctx: SalusContext, { trial, participant, hmacs, salt }: ClaimRequest): Promise<void> {
  if (new Set(hmacs).size !== hmacs.length) throw refuse('duplicate-item', 'a code is named once');
  const site = ctx.caller.member;
  const known: unknown[] = [await load(ctx, claimKind, trial, site, participant)];
  for (const hmac of hmacs) known.push(await load(ctx, enrolledKind, hmac));
  if (known.some(Boolean)) throw refuse('already-claimed', 'this person or participant is claimed');
  const record = { trial, participant, site };
  for (const hmac of hmacs) await saveSalted(ctx, enrolledKind, [hmac], record, salt);
  await saveSalted(ctx, claimKind, [trial, site, participant], record, salt);
}

/** Keeps the secret of a trial's claims: the first one stays. */
export async function newSecret(ctx: SalusContext, { trial, secret, salt }: NewSecret): Promise<void> {
  if (await exists(ctx, secretKind, trial))
    throw refuse('secret-exists', 'the trial has its secret: trial:secret reads it');
  await saveSalted(ctx, secretKind, [trial], { secret }, salt);
}

/** The secret of a trial's claims. */
export async function secretOf(ctx: SalusContext, trial: string): Promise<TrialSecret> {
  const known = await load(ctx, secretKind, trial);
  if (known === undefined) throw refuse('unknown-secret', 'the trial has no secret yet');
  return { secret: known.secret };
}

/** Keeps a list in clear at the allocator: only the one that was committed to, of arms that the protocol names. */
export async function keepArms(ctx: SalusContext, { salt, ...arms }: KeepArms): Promise<void> {
  const committed = await load(ctx, listKind, arms.trial, arms.stratum);
  if (!matches(arms, committed)) throw refuse('reveal-mismatch', 'this is not the list committed to');
  const named = new Set((await firstVersion(ctx, arms.trial)).protocol.allocation.arms.map(({ code }) => code));
  if (arms.slots.some(({ arm }) => !named.has(arm))) throw refuse('unknown-arm', 'the protocol names no such arm');
  await saveSalted(ctx, armsKind, [arms.trial, arms.stratum], arms, salt);
}

/** Puts an unblinding on record. */
export async function unblindOne(ctx: SalusContext, request: UnblindRequest): Promise<void> {
  const key = [request.trial, request.stratum, numberPart(request.slot)] as const;
  const taken = await load(ctx, slotKind, ...key);
  const known = await load(ctx, unblindingKind, ...key);
  const delegate = await delegateOf(ctx, request.trial, request.delegate);
  await save(ctx, unblindingKind, key, allowed(judgeUnblinding(request, taken, known, delegate, actOf(ctx))));
}

/** One arm for one person, out of the allocator's own collection: for evaluates of its gateway. */
export async function tellArm(ctx: SalusContext, request: TellArm): Promise<ToldArm> {
  const { trial, stratum, slot } = request;
  const { parties } = (await standingOf(ctx, trial)).trial;
  if (parties.allocator !== ctx.caller.member) throw refuse('not-a-party', 'arms are kept by the allocator alone');
  const unblinding = await load(ctx, unblindingKind, trial, stratum, numberPart(slot));
  const delegate = unblinding && (await delegateOf(ctx, trial, unblinding.delegate));
  const arms = await load(ctx, armsKind, trial, stratum);
  return allowed(judgeTelling(request, { channel: ctx.channel, unblinding, delegate, arms }));
}

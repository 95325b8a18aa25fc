/** Loads what the rules judge by. */
import type { SalusContext } from '../lib/context';
import { exists, existsAt, load } from '../lib/record';
import { hasRole, memberNames } from '../registry/reads';
import type { EnrolRequest, PointRequest } from './acts';
import type { EnrolmentFacts } from './allocation';
import type { RegisterTrial } from './api';
import { consentStanding } from './consent-facts';
import { delegateOf, signersOf } from './delegates';
import type { PointFacts } from './points';
import type { Act, ListRecord, VersionRecord } from './records';
import { refuse } from './refusals';
import { type Action, permit } from './rights';
import type { EventFacts } from './safety';
import {
  approversOf,
  isSigned,
  type ListStanding,
  phaseOf,
  type RegistrationFacts,
  type Standing,
  type VersionNeighbours,
} from './rules';
import * as state from './state';

const { numberPart } = state;

/** The one attribute that names a kind of thing in force. */
export const PROTOCOL = 'protocol';
/** Milestones against which a version's outcomes are compared. */
export const MILESTONES = ['first-enrolment', 'lock', 'unblinding'] as const;

/** Who acts, when, in which transaction. */
export function actOf(ctx: SalusContext): Act {
  return { by: { member: ctx.caller.member, role: ctx.actor.role }, at: ctx.now, tx: ctx.transactionId };
}

/** The trial as it stands; refused where the table of rights does not allow the action. */
export async function permitted(ctx: SalusContext, trial: string, action: Action): Promise<Standing> {
  const standing = await standingOf(ctx, trial);
  const refusal = permit(action, actOf(ctx).by, standing.trial.parties, phaseOf(standing));
  if (refusal !== undefined) throw refusal;
  return standing;
}

/** The trial as it stands, for anybody. */
export async function standingOf(ctx: SalusContext, trial: string): Promise<Standing> {
  const record = await load(ctx, state.trialKind, trial);
  if (record === undefined) throw refuse('unknown-trial', 'no trial of this name is registered');
  const inForce = await load(ctx, state.inForceKind, trial, PROTOCOL);
  const firstEnrolment = await load(ctx, state.milestoneKind, trial, MILESTONES[0]);
  return { trial: record, inForce, firstEnrolment, status: await load(ctx, state.statusKind, trial) };
}

/** What a first registration is judged by. */
export async function registrationFacts(
  ctx: SalusContext,
  { trial, parties }: RegisterTrial,
): Promise<RegistrationFacts> {
  const { sponsor, allocator, board, ethics, regulators, sites } = parties;
  const members = await memberNames(ctx);
  const named = [sponsor, allocator, board, ...ethics, ...regulators, ...sites];
  let areRegulators = true;
  for (const name of regulators) areRegulators &&= await hasRole(ctx, name, 'regulator');
  return {
    known: await load(ctx, state.trialKind, trial),
    areMembers: named.every((name) => members.includes(name)),
    areRegulators,
  };
}

/** The protocol in force. Refused before there is one. */
export async function versionInForce(ctx: SalusContext, { trial, inForce }: Standing): Promise<VersionRecord> {
  const version = inForce === undefined ? undefined : await versionOf(ctx, trial.trial, inForce.version);
  if (version === undefined) throw refuse('unknown-version', 'no version of the protocol is in force');
  return version;
}

/** One version of the protocol. */
export async function versionOf(ctx: SalusContext, trial: string, version: number): Promise<VersionRecord | undefined> {
  return version < 1 ? undefined : load(ctx, state.versionKind, trial, numberPart(version));
}

/** The version that a trial was registered with. */
export async function firstVersion(ctx: SalusContext, trial: string): Promise<VersionRecord> {
  const first = await versionOf(ctx, trial, 1);
  if (first === undefined) throw new Error('a trial has a first version');
  return first;
}

/** What a further version is judged by. */
export async function neighbours(ctx: SalusContext, standing: Standing, version: number): Promise<VersionNeighbours> {
  const { trial } = standing.trial;
  const baselines: { milestone: string; record: VersionRecord }[] = [];
  for (const milestone of MILESTONES) {
    const came = await load(ctx, state.milestoneKind, trial, milestone);
    const record = came === undefined ? undefined : await versionOf(ctx, trial, came.version);
    if (record !== undefined) baselines.push({ milestone, record });
  }
  const { inForce } = standing;
  return {
    before: await versionOf(ctx, trial, version - 1),
    there: await versionOf(ctx, trial, version),
    inForce: inForce === undefined ? undefined : await versionOf(ctx, trial, inForce.version),
    baselines,
  };
}

/** Whether everybody who must has approved this version and signed it. */
export async function isApproved(ctx: SalusContext, { trial }: Standing, hash: string): Promise<boolean> {
  for (const { role, member } of approversOf(trial.parties)) {
    if (!isSigned(await load(ctx, state.approvalKind, trial.trial, hash, role, member))) return false;
  }
  return true;
}

/** The list of every stratum, and whether it is approved and kept; asked before the first activation only. */
export async function listsOf(
  ctx: SalusContext,
  { trial }: Standing,
  strata: readonly string[],
): Promise<ListStanding[]> {
  const lists: ListStanding[] = [];
  for (const stratum of strata) {
    const committed = await load(ctx, state.listKind, trial.trial, stratum);
    let has = false;
    for (const member of committed === undefined ? [] : trial.parties.regulators) {
      const key = [trial.trial, committed?.hash ?? '', 'regulator', member] as const;
      has ||= isSigned(await load(ctx, state.approvalKind, ...key));
    }
    const isKept = await existsAt(ctx, trial.parties.allocator, state.armsKind, trial.trial, stratum);
    lists.push({ list: committed, isApproved: has, isKept });
  }
  return lists;
}

/** Lists committed so far, by stratum. */
export async function committedLists(
  ctx: SalusContext,
  trial: string,
  strata: readonly string[],
): Promise<readonly ListRecord[]> {
  const found: ListRecord[] = [];
  for (const stratum of strata) {
    const committed = await load(ctx, state.listKind, trial, stratum);
    if (committed !== undefined) found.push(committed);
  }
  return found;
}

/** What an enrolment is judged by. Of the claim only the hash is read. */
export async function enrolmentFacts(
  ctx: SalusContext,
  request: EnrolRequest,
  version: number,
): Promise<EnrolmentFacts> {
  const { trial, participant, stratum, slot, consent } = request;
  return {
    list: await load(ctx, state.listKind, trial, stratum),
    slotBefore: slot === 1 ? undefined : await load(ctx, state.slotKind, trial, stratum, numberPart(slot - 1)),
    slotThere: await load(ctx, state.slotKind, trial, stratum, numberPart(slot)),
    participant: await load(ctx, state.participantKind, trial, participant),
    isClaimed: await exists(ctx, state.claimKind, trial, ctx.caller.member, participant),
    consent: await consentStanding(ctx, trial, participant, consent),
    eligible: await load(ctx, state.eligibleKind, trial, participant, numberPart(version)),
    version,
  };
}

/** What an act on a data point is judged by. */
export async function pointFacts(ctx: SalusContext, request: PointRequest, standing: Standing): Promise<PointFacts> {
  const { trial, participant, visit, form, n } = request;
  const key = [trial, participant, visit, form] as const;
  return {
    channel: ctx.channel,
    parties: standing.trial.parties,
    schedule: (await versionInForce(ctx, standing)).protocol.visits,
    participant: await load(ctx, state.participantKind, trial, participant),
    before: n === 1 ? undefined : await load(ctx, state.pointKind, ...key, numberPart(n - 1)),
    there: await load(ctx, state.pointKind, ...key, numberPart(n)),
    delegate: await delegateOf(ctx, trial, request.delegate),
    signers: await signersOf(ctx, trial, request.signatures ?? []),
  };
}

/** What a step of an adverse event is judged by. */
export async function eventFacts(
  ctx: SalusContext,
  { trial: { trial, parties } }: Standing,
  { event, n, participant }: { readonly event: string; readonly n: number; readonly participant?: string },
): Promise<EventFacts> {
  return {
    taking: participant === undefined ? undefined : await takingPart(ctx, trial, participant),
    before: n === 1 ? undefined : await load(ctx, state.eventKind, trial, event, numberPart(n - 1)),
    there: await load(ctx, state.eventKind, trial, event, numberPart(n)),
    isReported: await isReported(ctx, [trial, event], n - 1, parties.regulators),
    tick: await ctx.clock(),
  };
}

/** Where somebody takes part, and since when: from the consent on. */
export async function takingPart(ctx: SalusContext, trial: string, participant: string): Promise<EventFacts['taking']> {
  const consent = await load(ctx, state.consentKind, trial, participant, numberPart(1));
  return consent && { site: consent.by.member, since: consent.at };
}

/**
 * Whether every regulator acknowledged a report of what the site last told, as of the n-th step; assessments come in between.
 * That the sponsor says that it sent one ends nothing.
 */
async function isReported(
  ctx: SalusContext,
  name: readonly [trial: string, event: string],
  n: number,
  regulators: readonly string[],
): Promise<boolean> {
  for (let step = n; step > 0; step -= 1) {
    let has = 0;
    for (const member of regulators) {
      const known = await load(ctx, state.acknowledgementKind, ...name, numberPart(step), member);
      if (known !== undefined) has += 1;
    }
    if (has === regulators.length) return true;
    const record = await load(ctx, state.eventKind, ...name, numberPart(step));
    if (record?.act !== 'assess') return false;
  }
  return false;
}

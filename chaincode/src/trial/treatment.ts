/** Acts on kits, and the steps of adverse events: load, judge, save. */
import { isCommittedLot } from '../supply/reads';
import type { SalusContext } from '../lib/context';
import { list, load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { AcknowledgeEvent, AssessEvent, ReportEvent, SubmitEvent } from './acts';
import { demandConsent } from './consent-facts';
import { delegateOf } from './delegates';
import { actOf, eventFacts } from './facts';
import type { KitRequest } from './kit-acts';
import { actOnKit, type KitFacts } from './kits';
import type { KitRecord } from './kit-records';
import type { Standing } from './rules';
import { refuse } from './refusals';
import * as safety from './safety';
import {
  acknowledgementKind,
  eventKind,
  kitKind,
  listKind,
  numberPart,
  participantKind,
  submissionKind,
} from './state';

/** The next act on a kit. What is dispensed needs a consent that holds. */
export async function kit(ctx: SalusContext, standing: Standing, request: KitRequest): Promise<void> {
  const { trial, kit: name, n, act, participant } = request;
  const record = allowed(actOnKit(request, await kitFacts(ctx, standing, request), actOf(ctx)));
  if (act === 'dispense-kit') await demandConsent(ctx, { ...request, participant: participant ?? '' });
  await save(ctx, kitKind, [trial, name, numberPart(n)], record);
}

async function kitFacts(ctx: SalusContext, standing: Standing, request: KitRequest): Promise<KitFacts> {
  const { trial, kit: name, n, stratum, participant, opened } = request;
  return {
    before: n === 1 ? undefined : await load(ctx, kitKind, trial, name, numberPart(n - 1)),
    there: await load(ctx, kitKind, trial, name, numberPart(n)),
    delegate: await delegateOf(ctx, trial, request.delegate),
    list: stratum === undefined ? undefined : await load(ctx, listKind, trial, stratum),
    sites: standing.trial.parties.sites,
    participant: participant === undefined ? undefined : await load(ctx, participantKind, trial, participant),
    isLot: opened !== undefined && (await isCommittedLot(ctx, opened.lot)),
  };
}

/** Every act on every kit: for evaluates. */
export function kitsOf(ctx: SalusContext, trial: string): Promise<readonly KitRecord[]> {
  return list(ctx, kitKind, trial);
}

/** A report of an adverse event, or a follow-up. */
export async function reportEvent(ctx: SalusContext, standing: Standing, request: ReportEvent): Promise<void> {
  const { trial, event, n, participant } = request;
  const known = await eventFacts(ctx, standing, { event, n, participant });
  await save(ctx, eventKind, [trial, event, numberPart(n)], allowed(safety.reportEvent(request, known, actOf(ctx))));
}

/** The sponsor's assessment. */
export async function assessEvent(ctx: SalusContext, standing: Standing, request: AssessEvent): Promise<void> {
  const { trial, event, n } = request;
  const record = allowed(safety.assessEvent(request, await eventFacts(ctx, standing, { event, n }), actOf(ctx)));
  await save(ctx, eventKind, [trial, event, numberPart(n)], record);
}

/** The report to the regulator. */
export async function submitEvent(ctx: SalusContext, request: SubmitEvent): Promise<void> {
  const key = [request.trial, request.event, numberPart(request.n)] as const;
  const reported = await load(ctx, eventKind, ...key);
  const known = await load(ctx, submissionKind, ...key);
  const judged = safety.submitEvent(request, reported, known, await ctx.clock(), actOf(ctx));
  await save(ctx, submissionKind, key, allowed(judged));
}

/** The word of the sponsor that it has a site's report, or of a regulator that it has the sponsor's. */
export async function acknowledgeEvent(
  ctx: SalusContext,
  { trial: { parties } }: Standing,
  request: AcknowledgeEvent,
): Promise<void> {
  const { member } = ctx.caller;
  // A site's gateway acts in the trial as well, but nobody reports to it.
  if (![parties.sponsor, ...parties.regulators].includes(member)) {
    throw refuse('not-a-party', 'reports are acknowledged by the sponsor and the regulators they were sent to');
  }
  const key = [request.trial, request.event, numberPart(request.n)] as const;
  const facts = {
    event: await load(ctx, eventKind, ...key),
    submission: member === parties.sponsor ? undefined : await load(ctx, submissionKind, ...key),
    there: await load(ctx, acknowledgementKind, ...key, member),
    isSponsor: member === parties.sponsor,
    tick: await ctx.clock(),
  };
  const judged = safety.acknowledgeEvent(request, facts, actOf(ctx));
  await save(ctx, acknowledgementKind, [...key, member], allowed(judged));
}

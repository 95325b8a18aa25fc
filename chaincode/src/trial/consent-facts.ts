/** Loads what consents are judged by, and whether one holds. */
import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { Refusal } from '../lib/refusal';
import type { ConsentRequest, PointRequest } from './acts';
import { consentGate, type ConsentFacts, type ConsentStanding } from './consents';
import { delegateOf } from './delegates';
import type { Lapse } from './records';
import * as state from './state';

const { numberPart } = state;

/** The one attribute under which the consent document in force is kept. */
export const DOCUMENT = 'document';

/** A participant's consents as far as they matter, the n-th being named as the newest. */
export async function consentStanding(
  ctx: SalusContext,
  trial: string,
  participant: string,
  n: number,
): Promise<ConsentStanding> {
  return {
    newest: await load(ctx, state.consentKind, trial, participant, numberPart(n)),
    hasNext: (await load(ctx, state.consentKind, trial, participant, numberPart(n + 1))) !== undefined,
    inForce: await load(ctx, state.inForceKind, trial, DOCUMENT),
  };
}

/** The two neighbours in a participant's line of consents. */
export async function lineOf(
  ctx: SalusContext,
  { trial, participant, n }: { readonly trial: string; readonly participant: string; readonly n: number },
): Promise<Pick<ConsentFacts, 'channel' | 'before' | 'there'>> {
  return {
    channel: ctx.channel,
    before: n === 1 ? undefined : await load(ctx, state.consentKind, trial, participant, numberPart(n - 1)),
    there: await load(ctx, state.consentKind, trial, participant, numberPart(n)),
  };
}

/** What a consent is judged by. */
export async function consentFacts(ctx: SalusContext, request: ConsentRequest): Promise<ConsentFacts> {
  const { trial, document, countersignature } = request;
  return {
    ...(await lineOf(ctx, request)),
    document: await load(ctx, state.documentKind, trial, numberPart(document)),
    inForce: await load(ctx, state.inForceKind, trial, DOCUMENT),
    investigator: await delegateOf(ctx, trial, countersignature.kid),
  };
}

/** Refuses a procedure without a consent that holds; the clock is read only where a deadline decides. */
export async function demandConsent(
  ctx: SalusContext,
  { trial, participant, consent = 1 }: Pick<PointRequest, 'trial' | 'participant' | 'consent'>,
): Promise<void> {
  const refusal = await refusalNow(ctx, await consentStanding(ctx, trial, participant, consent));
  if (refusal !== undefined) throw refusal;
}

/** The same of the newest consent, whichever it is. */
export async function demandNewestConsent(ctx: SalusContext, about: OfWhom): Promise<void> {
  const refusal = await refusalNow(ctx, await newestStanding(ctx, about));
  if (refusal !== undefined) throw refusal;
}

/** Why the consent of somebody who once consented does not hold any more; undefined while it does. */
export async function lapseOf(ctx: SalusContext, about: OfWhom): Promise<Lapse | undefined> {
  const refusal = await refusalNow(ctx, await newestStanding(ctx, about));
  if (refusal === undefined) return undefined;
  return refusal.code === 'consent-withdrawn' ? 'after-withdrawal' : 'after-deadline';
}

type OfWhom = Pick<PointRequest, 'trial' | 'participant'>;

async function refusalNow(ctx: SalusContext, standing: ConsentStanding): Promise<Refusal | undefined> {
  const isCurrent = standing.newest?.document === standing.inForce?.version;
  return consentGate(standing, isCurrent ? undefined : await ctx.clock());
}

/** Looks along the line: its end is read too, so that a consent or a withdrawal that comes meanwhile voids this. */
async function newestStanding(ctx: SalusContext, { trial, participant }: OfWhom): Promise<ConsentStanding> {
  let n = 1;
  while ((await load(ctx, state.consentKind, trial, participant, numberPart(n + 1))) !== undefined) n += 1;
  return consentStanding(ctx, trial, participant, n);
}

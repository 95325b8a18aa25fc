/** Data points of a trial, and the lock over all of them: load, judge, save. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { Lock, PointRequest } from './acts';
import { demandConsent, lapseOf } from './consent-facts';
import { actOf, committedLists, pointFacts, versionInForce } from './facts';
import { actOnPoint } from './points';
import { enterState, reach } from './progress';
import type { EnteredRecord, PointRecord } from './records';
import { refuse } from './refusals';
import type { Standing } from './rules';
import { demandSignature } from './signing';
import { enteredKind, numberPart, pointKind, slotKind } from './state';

const NOTHING: EnteredRecord = { points: 0, acts: 0, queries: 0 };

/**
 * The next act on a data point. What is entered needs a consent that holds; data that were entered under one are corrected
 * also after it (ICH E6(R3) 2.12.2, 2.9.1), which the record then says.
 */
export async function point(ctx: SalusContext, standing: Standing, request: PointRequest): Promise<void> {
  const { trial, participant, visit, form, n } = request;
  const known = await pointFacts(ctx, request, standing);
  const judged = allowed(actOnPoint(request, known, actOf(ctx)));
  if (request.act === 'enter') await demandConsent(ctx, request);
  const lapsed = request.act === 'correct' ? await lapseOf(ctx, request) : undefined;
  const record = { ...judged, ...(lapsed !== undefined && { lapsed }) };
  await save(ctx, pointKind, [trial, participant, visit, form, numberPart(n)], record);
  await count(ctx, trial, record, known.before);
}

/** Counts a participant's points, acts and open queries: a lock over what was read before an act is refused after it. */
async function count(
  ctx: SalusContext,
  trial: string,
  record: PointRecord,
  before: PointRecord | undefined,
): Promise<void> {
  const known = (await load(ctx, enteredKind, trial, record.participant)) ?? NOTHING;
  const points = known.points + (before === undefined ? 1 : 0);
  const queries = known.queries + record.queries.length - (before?.queries.length ?? 0);
  await save(ctx, enteredKind, [trial, record.participant], { points, acts: known.acts + 1, queries });
}

/** Locks the data base, signed: as many data points and acts on them as are there, no query open. */
export async function lock(ctx: SalusContext, standing: Standing, request: Lock): Promise<void> {
  const { root, points, acts, reason } = request;
  const entered = await enteredOf(ctx, standing);
  if (entered.queries > 0) throw refuse('query-open', `${entered.queries} queries are open`);
  if (entered.points !== points || entered.acts !== acts) {
    throw refuse('point-count', `the trial has ${entered.points} data points and ${entered.acts} acts on them`);
  }
  const content = { meaning: 'lock', root, points, acts, reason, after: standing.status?.tx };
  const signature = await demandSignature(ctx, request, content);
  await enterState(ctx, standing, { act: 'lock', state: 'locked', reason, root, points, ...signature });
  await reach(ctx, standing, 'lock', { root, points, ...signature });
}

/** Of everybody who has a slot: slots are taken in order, so that the first free one of a stratum ends it. */
async function enteredOf(ctx: SalusContext, standing: Standing): Promise<EnteredRecord> {
  const { trial } = standing.trial;
  const { strata } = (await versionInForce(ctx, standing)).protocol.allocation;
  const all = { ...NOTHING };
  for (const { stratum, kits } of await committedLists(ctx, trial, strata)) {
    for (let slot = 1; slot <= kits.length; slot += 1) {
      const taken = await load(ctx, slotKind, trial, stratum, numberPart(slot));
      if (taken === undefined) break;
      const { points, acts, queries } = (await load(ctx, enteredKind, trial, taken.participant)) ?? NOTHING;
      all.points += points;
      all.acts += acts;
      all.queries += queries;
    }
  }
  return all;
}

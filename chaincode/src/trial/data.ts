/** Data points of a trial, and the lock over all of them: load, judge, save. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type { Lock, PointRequest } from './acts';
import { actOf, committedLists, demandConsent, pointFacts, versionInForce } from './facts';
import { actOnPoint } from './points';
import { reach } from './progress';
import type { EnteredRecord, PointRecord } from './records';
import { refuse } from './refusals';
import type { Standing } from './rules';
import { enteredKind, numberPart, pointKind, slotKind, statusKind } from './state';

const NOTHING: EnteredRecord = { points: 0, queries: 0 };

/** The next act on a data point. What is entered needs a consent that holds. */
export async function point(ctx: SalusContext, standing: Standing, request: PointRequest): Promise<void> {
  const { trial, participant, visit, form, n } = request;
  const known = await pointFacts(ctx, request, standing);
  const record = allowed(actOnPoint(request, known, actOf(ctx)));
  if (request.act === 'enter') await demandConsent(ctx, request);
  await save(ctx, pointKind, [trial, participant, visit, form, numberPart(n)], record);
  await count(ctx, trial, record, known.before);
}

/** Counts what changes of a participant's points and open queries; other acts touch nothing that two could race for. */
async function count(
  ctx: SalusContext,
  trial: string,
  record: PointRecord,
  before: PointRecord | undefined,
): Promise<void> {
  const points = before === undefined ? 1 : 0;
  const queries = record.queries.length - (before?.queries.length ?? 0);
  if (points === 0 && queries === 0) return;
  const known = (await load(ctx, enteredKind, trial, record.participant)) ?? NOTHING;
  const counted = { points: known.points + points, queries: known.queries + queries };
  await save(ctx, enteredKind, [trial, record.participant], counted);
}

/** Locks the data base: as many data points as are there, none with an open query. */
export async function lock(ctx: SalusContext, standing: Standing, request: Lock): Promise<void> {
  const { trial, root, points, reason } = request;
  const entered = await enteredOf(ctx, standing);
  if (entered.queries > 0) throw refuse('query-open', `${entered.queries} queries are open`);
  if (entered.points !== points) throw refuse('point-count', `the trial has ${entered.points} data points`);
  await save(ctx, statusKind, [trial], { state: 'locked', reason, ...actOf(ctx) });
  await reach(ctx, standing, 'lock', { root, points });
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
      const { points, queries } = (await load(ctx, enteredKind, trial, taken.participant)) ?? NOTHING;
      all.points += points;
      all.queries += queries;
    }
  }
  return all;
}

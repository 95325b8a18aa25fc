import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import { parseText } from '../lib/schema';
import {
  type Act,
  type ActRow,
  ACTS,
  events,
  type Item,
  parseAct,
  parseActs,
  parseAlert,
  parseAnchor,
  parseAnswer,
  parseAuthorise,
  parseClimate,
  parseCommit,
  parseDecide,
  parseFill,
  parseKid,
  parseLogger,
  parsePack,
  parseQuarantine,
  parseRecall,
  parseReport,
  parseResolve,
  parseSettle,
  parseStatus,
  parseTrace,
  type StatusView,
} from './api';
import { allowFill, anchor, authorise, commit, giveBack, pack, raise, recall, resolve, spend, trace } from './lots';
import { setApart, takeAlong } from './apart';
import { batchOf, decide, judgeClimate, registerLogger } from './climate';
import {
  allKnownOf,
  climateOf,
  heldQuarantine,
  knownOf,
  loggerOf,
  lotsOf,
  party,
  recordsOf,
  surroundings,
} from './loaders';
import { answer, report, settle } from './exceptions';
import { inEffect, type Known } from './origin';
import { quarantine } from './quarantine';
import { act } from './rules';
import { collision } from './together';
import {
  alertKind,
  captureKind,
  climateKind,
  exceptionKind,
  fillKind,
  itemKind,
  loggerKind,
  lotKind,
  prefixKind,
  quarantineKind,
  recallKind,
  traceKind,
} from './state';

/** Packs from the line to the patient. */
export class SupplyContract extends SalusContract {
  constructor() {
    super('supply');
  }

  @Transaction()
  async authorise(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAuthorise, argument);
    const record = allowed(authorise(request, await party(ctx), ctx.now));
    await save(ctx, prefixKind, [request.prefix, request.member], record);
  }

  @Transaction()
  async commit(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseCommit, argument);
    const authority = await load(ctx, prefixKind, request.prefix, ctx.caller.member);
    const lot = await load(ctx, lotKind, request.lotId);
    await save(ctx, lotKind, [request.lotId], allowed(commit(request, await party(ctx), { lot, authority }, ctx.now)));
  }

  @Transaction()
  async pack(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parsePack, argument);
    const container = await load(ctx, itemKind, request.container);
    const moved = await recordsOf(ctx, request.moved);
    const held = await heldQuarantine(
      ctx,
      moved.map(({ id }) => id),
    );
    const known = { container, lots: await lotsOf(ctx, request.lots), moved, isQuarantined: held !== undefined };
    const made = allowed(pack(request, ctx.caller.member, known));
    for (const item of made) await save(ctx, itemKind, [item.id], item);
    ctx.emit(events.changed, { acts: [{ item: request.container, act: 'pack' }] });
  }

  @Transaction()
  async act(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAct, argument);
    await carry(ctx, request, await knownOf(ctx, request.item, request.origin));
    ctx.emit(events.changed, { acts: [{ item: request.item, act: request.act }] });
  }

  @Transaction()
  async acts(ctx: SalusContext, argument: string): Promise<void> {
    const { acts } = parseText(parseActs, argument);
    const known = await allKnownOf(ctx, acts);
    const problem = collision(acts, known);
    if (problem !== undefined) throw problem;
    for (const [index, each] of acts.entries()) await carry(ctx, each, known[index] ?? { above: [] });
    ctx.emit(events.changed, { acts: acts.map(({ item, act }) => ({ item, act })) });
  }

  @Transaction()
  async recall(ctx: SalusContext, argument: string): Promise<void> {
    const { lotId } = parseText(parseRecall, argument);
    const lot = await load(ctx, lotKind, lotId);
    const known = await load(ctx, recallKind, lotId);
    await save(ctx, recallKind, [lotId], allowed(recall(lot, await party(ctx), known, ctx.now)));
    ctx.emit(events.recalled, { lotId });
  }

  @Transaction()
  async quarantine(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseQuarantine, argument);
    const record = await load(ctx, quarantineKind, request.id);
    const lot = request.of === 'lot' ? await load(ctx, lotKind, request.id) : undefined;
    const known = await knownOf(ctx, request.id, request.origin);
    const item = inEffect(request.id, request.origin, known, request.salt ?? NO_SALT);
    const judged = allowed(quarantine(request, await party(ctx), { record, lot, item }, ctx.now));
    await save(ctx, quarantineKind, [request.id], judged);
    const isHeld = request.of === 'item' && request.standing === 'held';
    if (isHeld) await setApart(ctx, { ...request, item: request.id }, known, { quarantine: judged });
  }

  @Transaction()
  async climate(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseClimate, argument);
    const known = await knownOf(ctx, request.item, request.origin);
    const item = allowed(inEffect(request.item, request.origin, known, request.salt));
    const batch = allowed(batchOf(request.signed, await loggerOf(ctx, request.signed)));
    const facts = { item, lots: await lotsOf(ctx, item.lots), ...(await climateOf(ctx, item.id)) };
    const judged = allowed(judgeClimate(request, batch, await party(ctx), facts, await ctx.clock()));
    await save(ctx, climateKind, [item.id], judged.climate);
    await save(ctx, loggerKind, [judged.logger.kid], judged.logger);
    if (judged.quarantine !== undefined) await save(ctx, quarantineKind, [item.id], judged.quarantine);
    await setApart(ctx, request, known, judged);
  }

  @Transaction()
  async logger(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseLogger, argument);
    const { kid } = request.jwk;
    const known = await load(ctx, loggerKind, parseKid(kid, 'jwk.kid'));
    await save(ctx, loggerKind, [kid], allowed(registerLogger(request, await party(ctx), known)));
  }

  @Transaction()
  async decide(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseDecide, argument);
    const known = await knownOf(ctx, request.item, request.origin);
    const item = inEffect(request.item, request.origin, known, request.salt ?? NO_SALT);
    const record = await load(ctx, quarantineKind, request.item);
    const decided = allowed(decide(request, await party(ctx), { item, record }, ctx.now));
    await save(ctx, quarantineKind, [request.item], decided);
  }

  @Transaction()
  async fill(ctx: SalusContext, argument: string): Promise<void> {
    const { fill } = parseText(parseFill, argument);
    await save(ctx, fillKind, [fill], allowed(allowFill({ fill }, await load(ctx, fillKind, fill), ctx.now)));
  }

  @Transaction()
  async anchor(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAnchor, argument);
    const known = await load(ctx, captureKind, request.captureId);
    await save(ctx, captureKind, [request.captureId], allowed(anchor(request, ctx.caller.member, known, ctx.now)));
  }

  @Transaction()
  async alert(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAlert, argument);
    const address = [request.item, request.kind, ctx.caller.member] as const;
    const known = await load(ctx, alertKind, ...address);
    await save(ctx, alertKind, address, allowed(raise(request, ctx.caller.member, known, ctx.now)));
    ctx.emit(events.alerted, { item: request.item, kind: request.kind });
  }

  @Transaction()
  async resolve(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseResolve, argument);
    const address = [request.item, request.kind, request.raisedBy] as const;
    const known = await load(ctx, alertKind, ...address);
    const item = await load(ctx, itemKind, request.item);
    const lots = await lotsOf(ctx, item?.lots ?? []);
    await save(ctx, alertKind, address, allowed(resolve(request, await party(ctx), known, lots)));
  }

  @Transaction()
  async trace(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseTrace, argument);
    const known = await load(ctx, traceKind, request.traceId);
    await save(ctx, traceKind, [request.traceId], allowed(trace(request, await party(ctx), known, ctx.now)));
  }

  @Transaction()
  async report(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseReport, argument);
    const known = await load(ctx, exceptionKind, request.exceptionId);
    await save(ctx, exceptionKind, [request.exceptionId], allowed(report(request, await party(ctx), known, ctx.now)));
  }

  @Transaction()
  async answer(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseAnswer, argument);
    const known = await load(ctx, exceptionKind, request.exceptionId);
    await save(ctx, exceptionKind, [request.exceptionId], allowed(answer(request, await party(ctx), known, ctx.now)));
  }

  @Transaction()
  async settle(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(parseSettle, argument);
    const known = await load(ctx, exceptionKind, request.exceptionId);
    await save(ctx, exceptionKind, [request.exceptionId], allowed(settle(request, await party(ctx), known, ctx.now)));
  }

  @Transaction(false)
  @Returns('string')
  async status(ctx: SalusContext, argument: string): Promise<string> {
    const { item: id, origin } = parseText(parseStatus, argument);
    const known = await knownOf(ctx, id, origin);
    const item = inEffect(id, origin, known, NO_SALT);
    if (item instanceof Error) return canonical({ item: null, lot: known.lot ?? null, recall: null, quarantine: null });
    return canonical(await view(ctx, item, known.above));
  }
}

/** Owners are not asked for in a status: a record-less unit's commitment means nothing. */
const NO_SALT = '';

/** One act of the table. */
async function carry(ctx: SalusContext, request: Act, known: Known): Promise<void> {
  const item = allowed(act(request, known, await surroundings(ctx, request.item, known)));
  await turnFill(ctx, request, known.record);
  await save(ctx, itemKind, [item.id], item);
  await takeAlong(ctx, item.id, known.above);
}

/** Spends the fill that a dispense names, or gives back what the end that is undone spent. */
async function turnFill(ctx: SalusContext, request: Act, before: Item | undefined): Promise<void> {
  const turned = (ACTS[request.act] as ActRow).fill;
  const fill = turned === 'spent' ? request.fill : before?.ended?.fill;
  if (turned === undefined || fill === undefined) return;
  const known = await load(ctx, fillKind, fill);
  await save(ctx, fillKind, [fill], allowed(turned === 'spent' ? spend(known, ctx.now) : giveBack(known)));
}

async function view(ctx: SalusContext, item: Item, above: readonly Item[]): Promise<StatusView> {
  const [lotId = ''] = item.lots;
  return {
    item,
    lot: (await load(ctx, lotKind, lotId)) ?? null,
    recall: (await load(ctx, recallKind, lotId)) ?? null,
    quarantine: (await heldQuarantine(ctx, [item.id, ...above.map(({ id }) => id), lotId])) ?? null,
  };
}

import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import { memberNames } from '../registry/reads';
import { events, TICK_TOLERANCE_MS } from './api';
import { tick } from './rules';
import { clockKind, NOW } from './state';

/** The consortium's time. */
export class ClockContract extends SalusContract {
  constructor() {
    super('clock');
  }

  @Transaction()
  async tick(ctx: SalusContext): Promise<void> {
    const last = await load(ctx, clockKind, NOW);
    const { now: time } = ctx;
    const request = { member: ctx.caller.member, time, isNear: ctx.isNear(time, TICK_TOLERANCE_MS) };
    const next = allowed(tick(await memberNames(ctx), last, request));
    await save(ctx, clockKind, [NOW], next);
    ctx.emit(events.ticked, { ...next });
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext): Promise<string> {
    return canonical((await load(ctx, clockKind, NOW)) ?? null);
  }
}

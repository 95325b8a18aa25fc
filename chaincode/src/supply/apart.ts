/** What an item takes along out of its containers: minutes, warmth and quarantine. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import type { Act, Climate, Item, QuarantineRecord } from './api';
import { inherited } from './climate';
import { climatesOf, quarantinesOf } from './loaders';
import { inEffect, type Known } from './origin';
import { takenAlong } from './quarantine';
import { climateKind, itemKind, quarantineKind } from './state';

/** What the same transaction writes of an item: it sees nothing of it. */
interface JustMade {
  readonly climate?: Climate | undefined;
  readonly quarantine?: QuarantineRecord | undefined;
}

/** Keeps of an item that comes out of its containers what was in force over them. */
export async function takeAlong(
  ctx: SalusContext,
  id: string,
  above: readonly Item[],
  made: JustMade = {},
): Promise<void> {
  if (above.length === 0) return;
  const climates = await climatesOf(ctx, above);
  const before = made.climate ?? (await load(ctx, climateKind, id));
  const climate = inherited(id, before, climates, { by: ctx.caller.member, at: ctx.now });
  if (climate !== undefined) await save(ctx, climateKind, [id], climate);
  const own = made.quarantine ?? (await load(ctx, quarantineKind, id));
  const quarantine = takenAlong(id, own, await quarantinesOf(ctx, above));
  if (quarantine !== undefined) await save(ctx, quarantineKind, [id], quarantine);
}

/**
 * Sets an item apart that is put in quarantine: it gets a record of its own, out of its containers, so that it neither goes
 * along with them nor is packed as a unit nobody acted on. One that stands alone is given a record by its issuer alone:
 * anybody else may not know of the container it lies in.
 */
export async function setApart(
  ctx: SalusContext,
  { item: id, origin, salt = '' }: Pick<Act, 'item' | 'origin'> & { readonly salt?: string | undefined },
  known: Known,
  made: JustMade,
): Promise<void> {
  const isApart = known.record !== undefined && known.above.length === 0;
  const item = inEffect(id, origin, known, salt);
  if (isApart || made.quarantine === undefined || item instanceof Error) return;
  const isIssuers = known.lot?.issuer === ctx.caller.member && salt !== '';
  if (known.above.length === 0 && !isIssuers) return;
  await save(ctx, itemKind, [id], item);
  await takeAlong(ctx, id, known.above, made);
}

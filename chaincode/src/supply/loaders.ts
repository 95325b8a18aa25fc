/** Loads what the rules judge by. */
import type { SalusContext } from '../lib/context';
import type { Kind } from '../lib/kind';
import { parseJws } from '../lib/jws';
import { load } from '../lib/record';
import { memberEntry } from '../registry/reads';
import {
  type Act,
  type Climate,
  type Item,
  type Logger,
  type Lot,
  MAX_DEPTH,
  type Origin,
  parseKid,
  type QuarantineRecord,
} from './api';
import type { Party } from './lots';
import type { Known } from './origin';
import type { Surroundings } from './rules';
import { climateKind, itemKind, loggerKind, lotKind, quarantineKind, recallKind } from './state';

const PHARMACIES = ['hospital', 'pharmacy'];
/** Before any last day: nothing is dispensed whose lots are unknown. */
const NO_EXPIRY = '0000-00-00';

/** The member that calls, by the registry. */
export async function party(ctx: SalusContext): Promise<Party> {
  const { member } = ctx.caller;
  const entry = await memberEntry(ctx, member);
  const isRegulator = entry?.roles.includes('regulator') ?? false;
  return { member, role: ctx.actor.role, prefixes: entry?.gcp ?? [], isRegulator };
}

/** An item's record, the containers above it, and the lot its origin names. */
export async function knownOf(ctx: SalusContext, id: string, origin: Origin | undefined): Promise<Known> {
  const record = await load(ctx, itemKind, id);
  if (record !== undefined) return { record, above: await aboveOf(ctx, record.parent) };
  const lot = origin === undefined ? undefined : await load(ctx, lotKind, origin.lotId);
  return { above: await aboveOf(ctx, origin?.within?.container), lot };
}

/** The same of several acts, in their order. */
export async function allKnownOf(ctx: SalusContext, acts: readonly Act[]): Promise<readonly Known[]> {
  const known: Known[] = [];
  for (const { item, origin } of acts) known.push(await knownOf(ctx, item, origin));
  return known;
}

/** What bears on an act: roles, time, recalls and quarantines of the item, its containers and its lots. */
export async function surroundings(ctx: SalusContext, id: string, known: Known): Promise<Surroundings> {
  const { member } = ctx.caller;
  const lotIds = known.record?.lots ?? (known.lot === undefined ? [] : [known.lot.lotId]);
  const lots = await lotsOf(ctx, lotIds);
  const itemIds = [id, ...known.above.map((container) => container.id)];
  const roles = (await memberEntry(ctx, member))?.roles ?? [];
  return {
    member,
    role: ctx.actor.role,
    isPharmacy: roles.some((role) => PHARMACIES.includes(role)),
    now: await ctx.clock(),
    expiry: lots.map(({ expiry }) => expiry).sort()[0] ?? NO_EXPIRY,
    isRecalled: await isAnyRecalled(ctx, lotIds),
    isQuarantined: (await heldQuarantine(ctx, [...lotIds, ...itemIds])) !== undefined,
  };
}

/** Records of these lots, as far as there are any. */
export async function lotsOf(ctx: SalusContext, ids: readonly string[]): Promise<readonly Lot[]> {
  return await present(ctx, lotKind, ids);
}

/** Records of these items, as far as there are any. */
export async function recordsOf(
  ctx: SalusContext,
  moved: readonly { readonly item: string }[],
): Promise<readonly Item[]> {
  return await present(
    ctx,
    itemKind,
    moved.map(({ item }) => item),
  );
}

/** The first quarantine in force, or never to be lifted, over any of these items and lots. */
export async function heldQuarantine(ctx: SalusContext, ids: readonly string[]): Promise<QuarantineRecord | undefined> {
  for (const id of ids) {
    const record = await load(ctx, quarantineKind, id);
    if (record !== undefined && record.standing !== 'released') return record;
  }
  return undefined;
}

/** What loggers read of an item so far, and its own quarantine in force. */
export async function climateOf(ctx: SalusContext, id: string) {
  return { before: await load(ctx, climateKind, id), held: await heldQuarantine(ctx, [id]) };
}

/** What loggers read of these containers. */
export function climatesOf(ctx: SalusContext, items: readonly Item[]): Promise<readonly Climate[]> {
  return present(ctx, climateKind, items.map(idOf));
}

/** The quarantines of these containers, released ones too. */
export function quarantinesOf(ctx: SalusContext, items: readonly Item[]): Promise<readonly QuarantineRecord[]> {
  return present(ctx, quarantineKind, items.map(idOf));
}

const idOf = ({ id }: Item): string => id;

/** Those of these records that there are. */
async function present<T>(ctx: SalusContext, kind: Kind<T>, ids: readonly string[]): Promise<readonly T[]> {
  const records: T[] = [];
  for (const id of ids) {
    const record = await load(ctx, kind, id);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** The logger that a JWS names. Throws the call's refusal for a name that is none. */
export async function loggerOf(ctx: SalusContext, signed: string): Promise<Logger | undefined> {
  return await load(ctx, loggerKind, parseKid(parseJws(signed)?.header.kid, 'signed.kid'));
}

async function aboveOf(ctx: SalusContext, first: string | undefined): Promise<readonly Item[]> {
  const above: Item[] = [];
  for (let id = first; id !== undefined && above.length < MAX_DEPTH; id = above.at(-1)?.parent) {
    const container = await load(ctx, itemKind, id);
    if (container === undefined) break;
    above.push(container);
  }
  return above;
}

async function isAnyRecalled(ctx: SalusContext, lotIds: readonly string[]): Promise<boolean> {
  for (const lotId of lotIds) if ((await load(ctx, recallKind, lotId)) !== undefined) return true;
  return false;
}

/** A unit or container as this member's own peer committed it, read from the projection: what a scan is answered from. */
import {
  inEffect,
  type Item,
  type Lot,
  MAX_DEPTH,
  type QuarantineRecord,
  type Recall,
  type StatusView,
} from '@salus/chaincode/supply/api';

import { projectedTick } from '../../clock/project.js';
import { publicRecord } from '../project.js';
import type { KnownItem, ShelfPorts } from './shelf.js';

/** How old the last tick may be before the projection may lack what others did, milliseconds. */
const FRESH_MS = 90_000;
/** Owners are not asked for here: a record-less unit's commitment means nothing. */
const NO_SALT = '';

type Facts = Pick<ShelfPorts['projection'], 'fact'>;

/** As `statusOf` asks the contracts, of the same records; undefined where the projection lags behind, or lacks what they may have. */
export function projectedStatus(
  facts: Facts,
  { item: id, origin }: Pick<KnownItem, 'item' | 'origin'>,
  nowMs: number,
): StatusView | undefined {
  if (!isFresh(facts, nowMs)) return undefined;
  const record = publicRecord(facts, `item/${id}`) as Item | undefined;
  const above = aboveOf(facts, record === undefined ? origin?.within?.container : record.parent);
  const lotId = record === undefined ? origin?.lotId : record.lots[0];
  const lot = publicRecord(facts, `lot/${lotId}`) as Lot | undefined;
  const item = inEffect(id, origin, { record, above, lot }, NO_SALT);
  // A lot that the projection has not seen yet is no proof that there is none.
  if (item instanceof Error) return undefined;
  const recall = publicRecord(facts, `recall/${lotId}`) as Recall | undefined;
  const quarantine = heldOf(facts, [id, ...above.map((each) => each.id), lotId ?? '']);
  return { item, lot: orNull(lot), recall: orNull(recall), quarantine: orNull(quarantine) };
}

function isFresh(facts: Facts, nowMs: number): boolean {
  const tick = projectedTick(facts);
  return tick !== undefined && Math.abs(nowMs - Date.parse(tick.time)) <= FRESH_MS;
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}

/** The first quarantine in force over any of these items and lots. */
function heldOf(facts: Facts, ids: readonly string[]): QuarantineRecord | undefined {
  const records = ids.map((id) => publicRecord(facts, `quarantine/${id}`) as QuarantineRecord | undefined);
  return records.find((record) => record !== undefined && record.standing !== 'released');
}

function aboveOf(facts: Facts, first: string | undefined): readonly Item[] {
  const above: Item[] = [];
  for (let id = first; id !== undefined && above.length < MAX_DEPTH; id = above.at(-1)?.parent) {
    const container = publicRecord(facts, `item/${id}`) as Item | undefined;
    if (container === undefined) break;
    above.push(container);
  }
  return above;
}

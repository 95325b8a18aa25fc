/** What the projection makes of the member's own events, packs and containers, and of what is public about packs. */
import { parseKey } from '@salus/chaincode/registry/api';
import { transactions } from '@salus/chaincode/supply/api';

import type { Change, Projector } from '../projection/projector.js';
import { epcisChanges } from './epcis/stored.js';
import { packChanges } from './packs/stored.js';

/** The changes for a version of one of the supply chain's types; undefined for all others. */
export function supplyChanges(type: string, id: string, text: string | undefined): readonly Change[] | undefined {
  return epcisChanges(type, id, text) ?? packChanges(type, id, text);
}

/** Space of the projection's facts about what is public: keys as on the ledger, parts joined by `/`. */
export const PUBLIC_SPACE = 'supply';

/** A public record as the own peer committed it; undefined where there is none. */
export function publicRecord(facts: { fact(space: string, key: string): string | undefined }, key: string): unknown {
  const text = facts.fact(PUBLIC_SPACE, key);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** Kinds of public records that are looked up or listed. */
const LISTED: ReadonlySet<string> = new Set(
  'item lot prefix recall alert fill climate quarantine logger exception capture trace'.split(' '),
);

/** The projector over public records of these kinds. */
export const supplyProjector: Projector = (write, { transaction, block }) => {
  if (write.collection !== undefined || write.key === undefined || write.value === undefined) return [];
  const parts = parseKey(write.key);
  if (parts === undefined || !LISTED.has(parts.name)) return [];
  const key = [parts.name, ...parts.attributes].join('/');
  const record = { kind: 'fact', space: PUBLIC_SPACE, key, value: Buffer.from(write.value).toString('utf8') } as const;
  const isRead = parts.name === 'climate' && transaction === transactions.climate;
  return isRead ? [record, readIn(parts.attributes[0] ?? '', block)] : [record];
};

/** Names the block that has readings of an item in its transaction's argument. */
function readIn(item: string, block: number): Change {
  const key = readingsKey(item) + String(block).padStart(12, '0');
  return { kind: 'fact', space: PUBLIC_SPACE, key, value: String(block) };
}

/** Under what the blocks with readings of an item are found. */
export function readingsKey(item: string): string {
  return `read-in/${item}/`;
}

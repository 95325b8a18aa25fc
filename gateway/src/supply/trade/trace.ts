/**
 * Answers a regulator's request for information of a product (21 U.S.C. 360eee-1): the transaction information and
 * statements, and the events with their proofs, that this member holds of it. The ledger has the request on record first.
 */
import { commitmentOf, type Trace } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { EpcisDesk } from '../epcis/desk.js';
import type { ReadableEvent } from '../epcis/stored.js';
import type { JsonMap } from '../event/json.js';
import { texts } from '../event/json.js';
import { canonicalEpc } from '../gs1/epc.js';
import { packEpc } from '../packs/identity.js';
import type { PackShelf, ShelfPorts } from '../packs/shelf.js';
import { PACK_SPACE, PACK_TYPES } from '../packs/stored.js';
import { publicRecord } from '../project.js';
import { type ShipmentTerms, shipmentsOf } from './shipments.js';

/** Path of the question below a door's base. */
export const TRACE_PATH = '$supply-trace';
/** Longest question, bytes. */
export const TRACE_BYTES = 1_024;
/** Most events in one member's answer; the newest are left out, and `isCut` says so. */
export const MAX_TRACED_EVENTS = 1_000;

/** What is traced: a pack by its serial, or a whole lot. */
export interface TraceWish {
  readonly caseNumber: string;
  readonly gtin: string;
  readonly serial?: string | undefined;
  readonly lot?: string | undefined;
}

/** The question to a door. */
export interface TraceQuestion extends TraceWish {
  readonly traceId: string;
  /** Opens the terms of the trace on the ledger. */
  readonly salt: string;
}

/** What a member keeps of a trace that it made or answered. */
export interface KeptTrace extends TraceWish {
  readonly traceId: string;
  readonly by: string;
  readonly at: string;
}

/** An event with what proves that it was captured, and when. */
export interface TracedEvent {
  readonly event: JsonMap;
  readonly context: unknown;
  readonly proof: Readonly<Record<string, unknown>>;
}

/** What one member holds of the product. */
export interface TraceAnswer {
  readonly shipments: readonly ShipmentTerms[];
  readonly events: readonly TracedEvent[];
  readonly isCut: boolean;
}

/** Where an answer is looked up. */
export interface TracePorts {
  readonly shelf: PackShelf;
  readonly projection: ShelfPorts['projection'];
  readonly desk: Pick<EpcisDesk, 'repository' | 'proof'>;
  readonly directory: { roles(member: string): readonly string[] };
  readonly keep: Keep;
}

/** The salted hash under which a wish stands on the ledger. */
export function traceTerms({ caseNumber, gtin, serial = '', lot = '' }: TraceWish, salt: string): string {
  return commitmentOf(JSON.stringify([caseNumber, gtin, serial, lot]), salt);
}

/** Answers a regulator whose request is on the ledger, and keeps who asked; undefined for anybody and anything else. */
export async function hearTrace(ports: TracePorts, teller: string, body: string): Promise<TraceAnswer | undefined> {
  const question = parse(body);
  if (question === undefined || !ports.directory.roles(teller).includes('regulator')) return undefined;
  const trace = publicRecord(ports.projection, `trace/${question.traceId}`) as Trace | undefined;
  if (trace?.by !== teller || trace.terms !== traceTerms(question, question.salt)) return undefined;
  await ports.keep([{ type: PACK_TYPES.trace, value: keptOf(question, trace) }]);
  return tracedHere(ports, question);
}

/** What is kept of a trace. */
export function keptOf(
  { traceId, caseNumber, gtin, serial, lot }: TraceQuestion,
  { by, at }: Pick<Trace, 'by' | 'at'>,
): KeptTrace {
  return { traceId, caseNumber, gtin, serial, lot, by, at };
}

/** Every trace that this member made or answered, newest first. */
export function tracesOf(projection: ShelfPorts['projection']): readonly KeptTrace[] {
  return projection
    .facts(PACK_SPACE, 'trace/')
    .map(({ value }) => JSON.parse(value) as KeptTrace)
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}

/** What this member holds of a product. */
export function tracedHere(ports: Omit<TracePorts, 'directory' | 'keep'>, wish: TraceWish): TraceAnswer {
  const { shelf, projection, desk } = ports;
  const packs = packsWished(shelf, wish);
  const named = new Set([...packs, ...packs.flatMap((epc) => containersOf(shelf, epc))]);
  const isOfIt = ({ event }: ReadableEvent): boolean => epcsIn(event).some((epc) => named.has(epc));
  const events = desk.repository.all().filter(isOfIt);
  const told = events.slice(0, MAX_TRACED_EVENTS);
  return {
    shipments: shipmentsOf(projection).filter(({ items }) => items.some(({ epc }) => named.has(epc))),
    events: told.map((each) => ({ event: each.event, context: each.context, proof: desk.proof(each) })),
    isCut: told.length < events.length,
  };
}

function packsWished(shelf: PackShelf, { gtin, serial, lot }: TraceWish): readonly string[] {
  if (serial !== undefined) return [packEpc(gtin, serial)];
  const lotId = shelf.lotIdOf(gtin, lot ?? '');
  return lotId === undefined ? [] : Array.from(shelf.packsOf(lotId), ({ epc }) => epc);
}

/** Every container a pack was ever in as far as is known here, and what those were in. */
function containersOf(shelf: PackShelf, epc: string): readonly string[] {
  const found = new Set<string>();
  const open = [epc];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const above = shelf.parentsOf(at).filter((each) => !found.has(each));
    for (const each of above) found.add(each);
    open.push(...above);
  }
  return [...found];
}

/** Every thing that an event names, canonical. */
function epcsIn(event: JsonMap): readonly string[] {
  const lists = [event.epcList, event.childEPCs, event.parentID, event.inputEPCList, event.outputEPCList];
  return lists.flatMap(texts).map((each) => canonicalEpc(each) ?? each);
}

function parse(body: string): TraceQuestion | undefined {
  try {
    const { traceId, salt, caseNumber, gtin, serial, lot } = JSON.parse(body) as Partial<Record<string, unknown>>;
    const texts = [traceId, salt, caseNumber, gtin];
    const isRight =
      texts.every((each) => typeof each === 'string') && [serial, lot].some((each) => typeof each === 'string');
    return isRight ? ({ traceId, salt, caseNumber, gtin, serial, lot } as TraceQuestion) : undefined;
  } catch {
    return undefined;
  }
}

/** What the transactions of supply take, and its smaller records. */
import { TREE_PLACES } from '../lib/sparse-merkle';
import { flag, hex256, integer, list, memberName, object, oneOf, optional, type Parser, text } from '../lib/schema';
import { ACTS, type ActName } from './table';
import type { EndReason, Item, Lot } from './api';
import type { Excursion } from './climate';
import type { DecisionSignature } from './cold-chain';
import type { StorageLimits } from './storage';

/** Most units in one lot. */
export const MAX_UNITS = 50_000;
/** Longest Merkle path in a lot or container. */
export const MAX_PATH = 16;
/** Most children with a record of their own that one packing moves. */
export const MAX_MOVED = 2_000;
/** Most lots in one container. */
export const MAX_LOTS = 50;
/** Most containers inside one another: case, pallet, truck and what lies between. */
export const MAX_DEPTH = 8;
/** Most events in one capture. */
export const MAX_EVENTS = 50_000;

/** Where a unit without a record comes from: its place in its lot, and in the container its issuer packed it in. */
export interface Origin {
  readonly lotId: string;
  readonly index: number;
  readonly path: readonly string[];
  readonly within?:
    { readonly container: string; readonly index: number; readonly path: readonly string[] } | undefined;
}

/** supply:act. */
export interface Act {
  readonly act: ActName;
  readonly item: string;
  /** Opens the commitment of owner, holder or receiver, as the table says whose. */
  readonly salt: string;
  readonly origin?: Origin | undefined;
  /** ship, return: commitmentOf the receiver; hand-over: of the carrier. */
  readonly to?: string | undefined;
  /** dispense, decommission, undo: salted hash of actor and premises. */
  readonly premises?: string | undefined;
  /** decommission. */
  readonly reason?: EndReason | undefined;
  /** dispense: the fill it spends. */
  readonly fill?: string | undefined;
  /** undo: whether the pack was supplied to the public; it must not have been. */
  readonly supplied?: 'yes' | 'no' | undefined;
}

/** supply:authorise. */
export interface AuthorisePrefix {
  readonly prefix: string;
  readonly member: string;
  readonly standing: 'authorised' | 'ended';
}

/** Stored under prefix/<prefix>/<member>. */
export interface PrefixAuthority extends AuthorisePrefix {
  readonly licensee: string;
  readonly changed: string;
}

/** supply:commit. */
export type CommitLot = Pick<Lot, 'lotId' | 'prefix' | 'count' | 'root' | 'expiry' | 'storage' | 'terms'>;

/** supply:pack; `others`: more lies in it than what is moved, without a record of its own. */
export interface PackContainer {
  readonly container: string;
  readonly children: { readonly root: string; readonly others: boolean };
  readonly lots: readonly string[];
  /** Children that have a record of their own, each with what opens its commitment. */
  readonly moved: readonly { readonly item: string; readonly salt: string }[];
  readonly salt: string;
}

/** supply:recall. */
export interface RecallLot {
  readonly lotId: string;
}

/** Stored under recall/<lotId>. */
export interface Recall extends RecallLot {
  readonly by: string;
  readonly at: string;
}

/** supply:quarantine of an item or of a lot. */
export interface Quarantine {
  readonly of: 'item' | 'lot';
  readonly id: string;
  readonly standing: 'held' | 'released';
  /** Opens the item's holder, where a holder and no regulator asks. */
  readonly salt?: string | undefined;
  /** Of a unit without a record. */
  readonly origin?: Origin | undefined;
}

/** Stored under quarantine/<id>. */
export interface QuarantineRecord {
  readonly id: string;
  /** `condemned`: two persons decided to destroy it; nobody releases it any more. */
  readonly standing: 'held' | 'released' | 'condemned';
  readonly by: string;
  readonly at: string;
  /** Who else put it there, each to be released for itself. */
  readonly also?: readonly string[] | undefined;
  /** The contract itself held it, as readings broke these limits. */
  readonly excursion?: Excursion | undefined;
  /** Of whoever signed for what becomes of it. */
  readonly signatures?: readonly DecisionSignature[] | undefined;
}

/** supply:fill. */
export interface AllowFill {
  /** 256 random bits; stands in the prescription's content alone. */
  readonly fill: string;
}

/** Stored under fill/<fill>. */
export interface Fill extends AllowFill {
  readonly allowed: string;
  readonly spent?: string | undefined;
}

/** supply:anchor. */
export interface AnchorCapture {
  readonly captureId: string;
  readonly root: string;
  readonly count: number;
}

/** Stored under capture/<captureId>. */
export interface Capture extends AnchorCapture {
  readonly member: string;
  readonly at: string;
}

/**
 * Suspicions: as the table's column of alerts names them, an excursion by a logger's readings, and what the times and
 * places of events tell of a pack.
 */
export const ALERT_KINDS = [
  'double-dispense',
  're-entry',
  'clone',
  'diversion',
  'ghost',
  'forged-parent',
  'excursion',
  'impossible-travel',
  'backdating',
] as const;

/** supply:alert. */
export interface RaiseAlert {
  readonly item: string;
  readonly kind: (typeof ALERT_KINDS)[number];
}

/** supply:resolve. */
export interface ResolveAlert extends RaiseAlert {
  /** Who raised it. */
  readonly raisedBy: string;
  readonly state: 'assigned' | 'confirmed' | 'false-alarm';
  readonly grade: 'low' | 'high';
}

/** Stored under alert/<item>/<kind>/<member>: a member's repeated scans make one. */
export interface Alert extends RaiseAlert {
  readonly raisedBy: string;
  readonly raised: string;
  readonly state: 'open' | ResolveAlert['state'];
  readonly grade?: ResolveAlert['grade'] | undefined;
  /** Member that looks into it. */
  readonly owner?: string | undefined;
}

/** supply:trace: a regulator's request for all that members hold of a product, before any of them is asked. */
export interface RequestTrace {
  /** 256 random bits. */
  readonly traceId: string;
  /** Salted hash of case number and product: each member that is asked opens it. */
  readonly terms: string;
}

/** Stored under trace/<traceId>. */
export interface Trace extends RequestTrace {
  readonly by: string;
  readonly at: string;
}

/** supply:status. */
export interface ReadStatus {
  readonly item: string;
  readonly origin?: Origin | undefined;
}

/** What supply:status answers: the item as it is in effect, and what is in force over it. */
export interface StatusView {
  readonly item: Item | null;
  readonly lot: Lot | null;
  readonly recall: Recall | null;
  readonly quarantine: QuarantineRecord | null;
}

const path = list(hex256, 0, MAX_PATH);
const index = integer(0, TREE_PLACES - 1);
const prefix = text(/^[0-9]{4,12}$/, 'a GS1 company prefix of 4 to 12 digits');
const day = text(/^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$/, 'a day as YYYY-MM-DD');

/** Parser of Origin. */
export const origin: Parser<Origin> = object<Origin>({
  lotId: hex256,
  index,
  path,
  within: optional(object({ container: hex256, index, path })),
});

/** Parser of Act. */
export const parseAct: Parser<Act> = object<Act>({
  act: oneOf(...(Object.keys(ACTS) as ActName[])),
  item: hex256,
  salt: hex256,
  origin: optional(origin),
  to: optional(hex256),
  premises: optional(hex256),
  reason: optional(oneOf('destroyed', 'stolen', 'exported', 'sample', 'locked', 'withdrawn', 'to-be-destroyed')),
  fill: optional(hex256),
  supplied: optional(oneOf('yes', 'no')),
});

/** Parser of AuthorisePrefix. */
export const parseAuthorise: Parser<AuthorisePrefix> = object<AuthorisePrefix>({
  prefix,
  member: memberName,
  standing: oneOf('authorised', 'ended'),
});

/** Parser of CommitLot. */
export const parseCommit: Parser<CommitLot> = object<CommitLot>({
  lotId: hex256,
  prefix,
  count: integer(1, MAX_UNITS),
  root: hex256,
  expiry: day,
  terms: optional(hex256),
  storage: optional(
    object<StorageLimits>({ kind: oneOf('cold', 'frozen', 'controlled-room'), allowance: integer(0, 43_200) }),
  ),
});

/** Parser of PackContainer. */
export const parsePack: Parser<PackContainer> = object<PackContainer>({
  container: hex256,
  children: object({ root: hex256, others: flag }),
  lots: list(hex256, 1, MAX_LOTS),
  moved: list(object({ item: hex256, salt: hex256 }), 0, MAX_MOVED),
  salt: hex256,
});

/** Parser of RecallLot. */
export const parseRecall: Parser<RecallLot> = object<RecallLot>({ lotId: hex256 });

/** Parser of Quarantine. */
export const parseQuarantine: Parser<Quarantine> = object<Quarantine>({
  of: oneOf('item', 'lot'),
  id: hex256,
  standing: oneOf('held', 'released'),
  salt: optional(hex256),
  origin: optional(origin),
});

/** Parser of AllowFill. */
export const parseFill: Parser<AllowFill> = object<AllowFill>({ fill: hex256 });

/** Parser of AnchorCapture. */
export const parseAnchor: Parser<AnchorCapture> = object<AnchorCapture>({
  captureId: hex256,
  root: hex256,
  count: integer(1, MAX_EVENTS),
});

/** Parser of RaiseAlert. */
export const parseAlert: Parser<RaiseAlert> = object<RaiseAlert>({ item: hex256, kind: oneOf(...ALERT_KINDS) });

/** Parser of ResolveAlert. */
export const parseResolve: Parser<ResolveAlert> = object<ResolveAlert>({
  item: hex256,
  kind: oneOf(...ALERT_KINDS),
  raisedBy: memberName,
  state: oneOf('assigned', 'confirmed', 'false-alarm'),
  grade: oneOf('low', 'high'),
});

/** Parser of RequestTrace. */
export const parseTrace: Parser<RequestTrace> = object<RequestTrace>({ traceId: hex256, terms: hex256 });

/** Parser of ReadStatus. */
export const parseStatus: Parser<ReadStatus> = object<ReadStatus>({ item: hex256, origin: optional(origin) });

/**
 * supply: packs from the line to the patient. All of it is public and pseudonymous: a unit is the HMAC of its GTIN and
 * serial under its lot's secret, a container that of its SSCC, owner and holder are salted commitments.
 */
import { createHash } from 'node:crypto';
import { refusals } from '../lib/refusal';
import type { StorageLimits } from './storage';

export { isIncluded, merklePath, merklePaths, merkleRoot } from '../lib/merkle';
export { SparseMerkleTree, TREE_PLACES } from '../lib/sparse-merkle';
export { inEffect } from './origin';
export { ACTS, type ActName, type ActRow, suspicionOf } from './table';
export { MAX_READINGS, meanKineticTemperature } from './kinetic';
export { type KineticDay, WINDOW_DAYS } from './kinetic-window';
export type { Excursion } from './climate';
export { STORAGE_BOUNDS, type StorageLimits } from './storage';
export * from './cold-chain';
export {
  type AnswerException,
  EXCEPTION_KINDS,
  parseAnswer,
  parseReport,
  parseSettle,
  type ReportException,
  RESOLUTIONS,
  type SettleException,
  type ShipmentException,
} from './exceptions';
export * from './requests';
export { type Acts, MAX_ACTS, parseActs } from './together';

/** Transactions of this domain; requests are one argument as JSON, the actor travels in the transient map. */
export const transactions = {
  /** Public write; AuthorisePrefix. The licensee of a company prefix lets another member issue lots under it, or no longer. */
  authorise: 'supply:authorise',
  /** Public write; CommitLot. */
  commit: 'supply:commit',
  /** Public write; PackContainer. */
  pack: 'supply:pack',
  /** Public write; Act: one step of the table for one unit or one container with all inside. */
  act: 'supply:act',
  /** Public write; Acts: several of them that do not bear on one another, all or none. */
  acts: 'supply:acts',
  /** Public write; RecallLot. Nobody takes it back. */
  recall: 'supply:recall',
  /** Public write; Quarantine. */
  quarantine: 'supply:quarantine',
  /** Public write; RegisterLogger. */
  logger: 'supply:logger',
  /** Public write; LogClimate: readings a logger signed; breaks of the lots' limits put the item in quarantine. */
  climate: 'supply:climate',
  /** Public write; DecideExcursion: the second person's signature releases or condemns. */
  decide: 'supply:decide',
  /** Public write; AllowFill: a prescription's fill, spent by the act that dispenses. */
  fill: 'supply:fill',
  /** Public write; AnchorCapture: the root over the hashes of one capture's events. */
  anchor: 'supply:anchor',
  /** Public write; RaiseAlert. */
  alert: 'supply:alert',
  /** Public write; ResolveAlert. */
  resolve: 'supply:resolve',
  /** Public write; RequestTrace: the access record of a regulator's trace. */
  trace: 'supply:trace',
  /** Public write; ReportException. */
  report: 'supply:report',
  /** Public write; AnswerException. */
  answer: 'supply:answer',
  /** Public write; SettleException. */
  settle: 'supply:settle',
  /** Evaluate; ReadStatus; answers a StatusView as JSON. */
  status: 'supply:status',
} as const;

/** Where an item is in its life. */
export type ItemState = 'active' | 'in-transit' | 'returned' | 'dispensed' | 'decommissioned';

/** Why a pack leaves the supply chain other than to a patient. */
export type EndReason = 'destroyed' | 'stolen' | 'exported' | 'sample' | 'locked' | 'withdrawn' | 'to-be-destroyed';

/** Stored under lot/<lotId>. */
export interface Lot {
  readonly lotId: string;
  /** The member that committed it. */
  readonly issuer: string;
  /** GS1 company prefix it was issued under. */
  readonly prefix: string;
  /** How many units. */
  readonly count: number;
  /** Merkle root over the units' ids, hex. */
  readonly root: string;
  /** Last day on which its units may be dispensed, YYYY-MM-DD. */
  readonly expiry: string;
  /** HMAC of product, number and what else its issuer says of it, under the lot's secret. */
  readonly terms?: string | undefined;
  /** How its units are kept; absent = nothing is said. */
  readonly storage?: StorageLimits | undefined;
  /** FHIR instant of the transaction. */
  readonly committed: string;
}

/** Where a shipment goes: only who opens `receiver` may receive. */
export interface Shipment {
  /** commitmentOf the receiving member. */
  readonly receiver: string;
  readonly isReturn: boolean;
  readonly shipped: string;
}

/** Stored under item/<id>: a unit from its first individual act on, a container from its packing on. */
export interface Item {
  readonly id: string;
  readonly isUnit: boolean;
  /** Lots of what is inside; a unit's one. */
  readonly lots: readonly string[];
  readonly state: ItemState;
  /** commitmentOf its owner. */
  readonly owner: string;
  /** commitmentOf whoever possesses it: a carrier possesses and never owns. */
  readonly holder: string;
  readonly shipment?: Shipment | undefined;
  /** The container it lies in; its state and custody are then the outermost one's. */
  readonly parent?: string | undefined;
  /** Containers inside one another, itself included; a unit 0. */
  readonly depth: number;
  /** Of a container: root of a tree of TREE_PLACES over its children's ids, which says nothing of how many; and who packed it. */
  readonly children?: { readonly root: string } | undefined;
  readonly packer?: string | undefined;
  /** How it left the supply chain, for who may undo it. */
  readonly ended?: Ended | undefined;
}

/** An end that may be undone by the same actor at the same premises within UNDO_DAYS. */
export interface Ended {
  readonly reason: EndReason | 'dispensed';
  /** FHIR instant of the consortium's clock. */
  readonly at: string;
  readonly member: string;
  /** Salted hash of actor and premises, made by the gateway. */
  readonly premises: string;
  /** Of a dispense: the fill it spent, given back where it is undone. */
  readonly fill?: string | undefined;
}

/** Days within which a dispense or decommissioning may be undone (Delegated Regulation (EU) 2016/161, Article 13). */
export const UNDO_DAYS = 10;

/** SHA-256 of salt and member: says who, to whom the salt is opened alone. Lower-case hex. */
export function commitmentOf(member: string, salt: string): string {
  return createHash('sha256').update(Buffer.from(salt, 'hex')).update(member).digest('hex');
}

/** Emitted: payload {acts: [{item, act}]} (of one act, too), {lotId}, or {item, kind}. */
export const events = {
  changed: 'supply:changed',
  recalled: 'supply:recalled',
  alerted: 'supply:alerted',
} as const;

/** Why supply refuses. */
export const refuse = refusals({
  'not-licensee': 'forbidden',
  'lot-exists': 'conflict',
  'lot-expired': 'conflict',
  'unknown-lot': 'not-found',
  'unknown-item': 'not-found',
  'not-in-lot': 'conflict',
  'not-in-container': 'conflict',
  'forged-parent': 'conflict',
  'container-exists': 'conflict',
  'too-deep': 'invalid',
  'incomplete-act': 'invalid',
  'acts-collide': 'conflict',
  'not-your-role': 'forbidden',
  'not-yours': 'forbidden',
  'not-in-possession': 'conflict',
  'not-the-receiver': 'forbidden',
  'not-in-transit': 'conflict',
  'in-transit': 'conflict',
  'return-not-verified': 'conflict',
  'already-dispensed': 'conflict',
  decommissioned: 'conflict',
  recalled: 'conflict',
  expired: 'conflict',
  quarantined: 'conflict',
  'not-a-unit': 'invalid',
  'not-a-pharmacy': 'forbidden',
  'undo-too-late': 'conflict',
  'undo-elsewhere': 'forbidden',
  'not-undoable': 'conflict',
  'already-recalled': 'conflict',
  'quarantine-not-yours': 'forbidden',
  'quarantine-standing': 'conflict',
  'no-storage-limits': 'invalid',
  'kid-not-thumbprint': 'invalid',
  'logger-taken': 'forbidden',
  'unknown-logger': 'not-found',
  'readings-not-signed': 'invalid',
  'readings-known': 'conflict',
  'readings-ahead': 'invalid',
  'no-excursion': 'conflict',
  'two-signatures': 'forbidden',
  'same-person': 'forbidden',
  'decision-differs': 'conflict',
  condemned: 'conflict',
  'fill-exists': 'conflict',
  'unknown-fill': 'not-found',
  'fill-spent': 'conflict',
  'capture-exists': 'conflict',
  'not-a-regulator': 'forbidden',
  'trace-exists': 'conflict',
  'exception-exists': 'conflict',
  'unknown-exception': 'not-found',
  'exception-answered': 'conflict',
  'exception-not-answered': 'conflict',
  'exception-resolved': 'conflict',
  'alert-known': 'conflict',
  'unknown-alert': 'not-found',
  'alert-closed': 'conflict',
});

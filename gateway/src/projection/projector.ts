/** What a domain makes of committed writes: pure functions from a write to changes of the projection. */
import type { LedgerTransaction, LedgerWrite } from '../ports.js';

/** A version of a resource; `text` is its JSON with meta.versionId and meta.lastUpdated, '' when it deletes. */
export interface VersionChange {
  readonly kind: 'version';
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** FHIR instant. */
  readonly lastUpdated: string;
  readonly deleted: boolean;
  readonly text: string;
  readonly ledgerKey: string;
  readonly patient?: string;
  /** JSON text of an Authorship. */
  readonly by?: string;
  /** The text names what of its data is longer than so many characters: that lies beside the ledger. */
  readonly beside?: number;
}

/** A fact a domain keeps for itself, by space (the domain's own names) and key; no value deletes it. */
export interface FactChange {
  readonly kind: 'fact';
  readonly space: string;
  readonly key: string;
  readonly value?: string;
}

/** Forgets a fact whose value is a JSON list of keys of its space, and the facts under those. */
export interface ForgetChange {
  readonly kind: 'forget';
  readonly space: string;
  readonly key: string;
}

/** A value that is no version's although its key is there: it is counted, and shown to nobody. */
export interface UnreadableChange {
  readonly kind: 'unreadable';
  readonly ledgerKey: string;
}

/** What one write does to the projection. */
export type Change = VersionChange | FactChange | ForgetChange | UnreadableChange;

/** A stored value that its key does not open, or that holds nothing that a gateway writes. */
export class Unreadable extends Error {}

/** Opens an encrypted value under its ledger key; undefined when its key is erased. Throws Unreadable. */
export type Open = (ledgerKey: string, value: Uint8Array) => string | undefined;

/** A transaction and the number of its block. */
export interface PlacedTransaction extends LedgerTransaction {
  readonly block: number;
}

/** Changes for one write of a valid transaction; none for writes of other domains. Pure but for `open`. */
export type Projector = (write: LedgerWrite, transaction: PlacedTransaction, open: Open) => readonly Change[];

/** The seams of the gateway: what its rooms ask of each other. Implementations live in the rooms named. */

/** Who asks: a person whom this member's gateway authenticated (identity/), or the gateway itself. */
export interface Actor {
  readonly member: string;
  /** Stable random id of the person within the member; never a name. */
  readonly user: string;
  readonly role: string;
  /** HL7 v3 PurposeOfUse: TREAT, HPAYMT, HOPERAT, HRESCH, BTG, PATRQT ... inside the role's table. */
  readonly purpose: string;
  /** FHIR id of the patient for roles patient and guardian. */
  readonly patient?: string;
  /** Of role guardian, at the custodian of that patient. */
  readonly mandate?: Mandate;
  /** FHIR id of the patient of the SMART launch, for staff: scopes `patient/` are for that one alone. */
  readonly launch?: string;
  /** SMART scopes, as granted. */
  readonly scopes: readonly string[];
}

/** As what a person comes for a patient: a delegate sees what the patient's consents permit to the RelatedPerson by name. */
export interface Mandate {
  readonly kind: 'guardian' | 'delegate' | 'none';
  /** FHIR id of the RelatedPerson in force; absent for none. */
  readonly person?: string;
}

/** Who wrote a version, for whom and why, in the words of the token: part of the version's ciphertext, so of its hash. */
export interface Authorship extends Pick<Actor, 'member' | 'user' | 'role' | 'patient' | 'mandate'> {
  /** Absent for a consent. */
  readonly purpose?: string;
  /** CodeableConcepts that the writer gave as the reason. */
  readonly reason?: readonly object[];
}

/**
 * A resource's version as the projection holds it. `text` is the resource's JSON with meta, decimals kept; where some of it
 * lies beside the ledger it is read when it is asked for, and that throws Refusal content-lost where it is not whole.
 */
export interface StoredVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** FHIR instant. */
  readonly lastUpdated: string;
  readonly deleted: boolean;
  readonly text: string;
  /** The text without what lies beside the ledger; absent where nothing does. */
  readonly outline?: string;
  /** Longer data, in characters, lies there; absent where nothing does. */
  readonly beside?: number;
  readonly txId: string;
  readonly block: number;
  /** Key in the member's `of-` collection. */
  readonly ledgerKey: string;
  /** FHIR id of the Patient in whose compartment it lies. */
  readonly patient?: string;
  /** JSON text of an Authorship; absent where none was kept. */
  readonly by?: string;
  /** The text is not what was written: something is left out or added for who asks. */
  readonly isPart?: true;
  /** Elements of the resource that are left out for who asks. */
  readonly lacks?: readonly string[];
}

/** One version to write. `expect` is the version in force before (0 = none). */
export interface ResourceWrite {
  readonly type: string;
  readonly id: string;
  readonly expect: number;
  /** JSON text without meta.versionId and meta.lastUpdated; absent = delete. */
  readonly text?: string;
  readonly patient?: string;
  /** CodeableConcepts: why it is written. */
  readonly reason?: readonly object[];
  /** Void if by then another write was made on the same condition. */
  readonly condition?: WriteCondition;
}

/** Criteria that matched nothing: a code for them, and the last transaction known to have created by them. */
export interface WriteCondition {
  /** Hex HMAC under the member's look-up secret. */
  readonly code: string;
  readonly seen?: string;
}

/** Where a transaction was committed as VALID. */
export interface Commit {
  readonly txId: string;
  readonly block: number;
}

/**
 * `written` lists `Type/id/_history/version` in the order of the writes. With an Idempotency-Key used before it is what
 * the first request wrote: ids made for the retry are void.
 */
export type WriteOutcome =
  | {
      readonly state: 'committed';
      readonly commit: Commit;
      readonly written: readonly string[];
      /** Answered from an earlier request with the same key; nothing was written now. */
      readonly replayed?: true;
    }
  /** No answer is "unknown", never "failed": resolve at $write-status/{key}. */
  | { readonly state: 'unknown'; readonly key: string };

/** A client's Idempotency-Key, and a digest of its request: tells a retry from another use of the key. */
export interface Idempotency {
  readonly key: string;
  readonly digest: string;
}

/** Writes resources as one Fabric transaction (ehr/). Throws Refusal. */
export interface RecordWriter {
  write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome>;
}

/** One call of a contract. */
export interface LedgerCall {
  /** `<domain>:<verb>` */
  readonly transaction: string;
  /** At most one JSON string; nothing personal in it (it lies in the block in clear). */
  readonly argument?: string;
  readonly transient?: Readonly<Record<string, Uint8Array>>;
  /** MSP ids; absent = as the policies ask. */
  readonly endorsers?: readonly string[];
  /**
   * MSP ids whose peers are asked at the same time; where that comes to nothing, as the policies ask, which is one after
   * the other: what the own peer's simulation touched says who else must endorse.
   */
  readonly atOnce?: readonly string[];
  /** Told that the ordering service took it; once more where a conflict had it sent again. */
  readonly onOrdered?: () => void;
}

/** The one typed face on fabric-gateway (ledger/). Deadlines and bounded retries inside; throws Refusal. */
export interface Ledger {
  submit(call: LedgerCall): Promise<Commit>;
  evaluate(call: LedgerCall): Promise<Uint8Array>;
  /** Committed blocks from `start` on with this member's private data, decoded. */
  blocks(start: number, signal: AbortSignal): AsyncIterable<LedgerBlock>;
}

/** A block that a peer delivered, decoded, with the private values that this member holds. */
export interface LedgerBlock {
  readonly number: number;
  /** Hex. Header hash, as the next block's previousHash must say. */
  readonly hash: string;
  readonly previousHash: string;
  readonly dataHash: string;
  readonly commitHash: string;
  readonly transactions: readonly LedgerTransaction[];
}

/** One transaction of a block, valid or not. */
export interface LedgerTransaction {
  readonly txId: string;
  readonly index: number;
  /** Fabric validation code; 0 = VALID. */
  readonly code: number;
  /** FHIR instant, milliseconds, from the channel header. */
  readonly timestamp: string;
  readonly creatorMspId: string;
  readonly endorsers: readonly string[];
  /** `<domain>:<verb>`, empty for configuration and lifecycle. */
  readonly transaction: string;
  readonly argument: string;
  /** Public writes, and those of collections that this member holds. */
  readonly writes: readonly LedgerWrite[];
  readonly elsewhere: Elsewhere;
  /** Public keys it read and found; of transactions that purge alone. */
  readonly reads?: readonly string[];
}

/** How many writes went to collections of which this member holds nothing, and how many of them purge. */
export interface Elsewhere {
  readonly writes: number;
  readonly purges: number;
}

/** Whether this member's own peers hold the values of a collection. */
export type Held = (collection: string) => boolean;

/** One write of a transaction. */
export interface LedgerWrite {
  /** Absent = public state. */
  readonly collection?: string;
  /** Clear key; absent where this member holds only the hash. */
  readonly key?: string;
  /** Hex. */
  readonly keyHash?: string;
  readonly valueHash?: string;
  readonly value?: Uint8Array;
  readonly isDelete: boolean;
  readonly isPurge: boolean;
}

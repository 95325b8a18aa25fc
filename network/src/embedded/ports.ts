/**
 * The seams of the embedded ledger. Each part sees the others only through these; messages cross them as
 * the protobuf bytes Fabric itself would send.
 */

/** Height at which a value was written: block number and index of the transaction in the block. */
export interface Version {
  readonly block: number;
  readonly tx: number;
}

/** A value of public state or of a private collection, with the version that wrote it. */
export interface StateValue {
  readonly value: Buffer;
  readonly version: Version;
  /** kvrwset.KVMetadataWrite entries as committed, serialized; absent when the key has none. */
  readonly metadata?: Buffer;
}

/** One entry of a range. */
export interface StateEntry extends StateValue {
  readonly key: string;
}

/** What every member holds of a private value: its hash and version. */
export interface HashedValue {
  readonly valueHash: Buffer;
  readonly version: Version;
  readonly metadata?: Buffer;
}

/** One change of a public key, as GetHistoryForKey tells it. */
export interface HistoryEntry {
  readonly txId: string;
  readonly value: Buffer;
  /** google.protobuf.Timestamp of the transaction's channel header, serialized. */
  readonly timestamp: Buffer;
  readonly isDelete: boolean;
}

/** The channel's state as of one block height. Keys sort by their UTF-8 bytes. Released when no longer used. */
export interface Snapshot {
  /** Number of blocks committed. */
  readonly height: number;
  state(namespace: string, key: string): StateValue | undefined;
  /** Public keys in [start, end); an empty end means to the end of the namespace. Lazy. */
  range(namespace: string, start: string, end: string): IterableIterator<StateEntry>;
  hashed(namespace: string, collection: string, keyHash: Buffer): HashedValue | undefined;
  /** The clear value as the named member holds it. */
  private(mspId: string, namespace: string, collection: string, key: string): StateValue | undefined;
  privateRange(
    mspId: string,
    namespace: string,
    collection: string,
    start: string,
    end: string,
  ): IterableIterator<StateEntry>;
  /** Newest first, valid transactions only. */
  history(namespace: string, key: string): IterableIterator<HistoryEntry>;
  hasTransaction(txId: string): boolean;
  release(): void;
}

/** Where a transaction lies, and its validation code (peer.TxValidationCode). */
export interface TransactionPosition extends Version {
  readonly code: number;
}

/** What was committed, for readers of blocks. */
export interface Chain {
  readonly height: number;
  /** common.Block as a peer delivers it, with TRANSACTIONS_FILTER and COMMIT_HASH. */
  block(number: number): Buffer | undefined;
  /** The first occurrence of a transaction id. */
  transaction(txId: string): TransactionPosition | undefined;
  /** rwset.TxPvtReadWriteSet by index of the transaction, as the member holds it now (purged values are gone). */
  privateData(mspId: string, block: number): Map<number, Buffer>;
  snapshot(): Snapshot;
  /** Called after each commit, in order. Returns the way to stop. */
  onCommit(listener: (block: number) => void): () => void;
}

/** Private write sets on their way from endorsement to commit. */
export interface TransientStore {
  /** rwset.TxPvtReadWriteSet of a simulated transaction, for every member that may hold a part of it. */
  put(mspId: string, txId: string, privateSet: Buffer, height: number): void;
  /** Every set kept for the transaction at this member; they may differ between endorsements. */
  get(mspId: string, txId: string): Buffer[];
}

/** Validates and stores a block from the orderer: one atomic, durable step. */
export interface Committer {
  commit(block: Buffer): Promise<{ readonly number: number; readonly codes: readonly number[] }>;
}

/** A certificate under one of the channel's MSPs, its chain already checked. */
export interface Identity {
  readonly mspId: string;
  /** msp.SerializedIdentity. */
  readonly bytes: Buffer;
  readonly certificatePem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** ECDSA P-256 with SHA-256; a high-S signature is refused. */
  verify(message: Buffer, signature: Buffer): boolean;
}

/** Bytes with a signature over them and who claims to have made it; nothing is checked yet. */
export interface SignedData {
  readonly identity: Buffer;
  readonly data: Buffer;
  readonly signature: Buffer;
}

/** An identity with its private key; signatures are ECDSA P-256 in DER with low S. */
export interface Signer {
  /** msp.SerializedIdentity. */
  readonly identity: Buffer;
  sign(message: Buffer): Buffer;
}

/** The channel's configuration in force (from the newest config block). Throws FabricError with Fabric's own text. */
export interface Channel {
  readonly id: string;
  /** Number of the config block in force. */
  readonly configBlock: number;
  /** Application organisations. */
  readonly organisations: readonly { readonly name: string; readonly mspId: string }[];
  /** Deserializes and validates an identity: MSP known, chain, CRL, exactly one NodeOU role; not its expiry. */
  identity(serialized: Buffer): Identity;
  /** Evaluates a policy by path, such as /Channel/Application/Writers. */
  check(policyPath: string, signed: readonly SignedData[]): void;
  /** Evaluates a common.SignaturePolicyEnvelope. */
  checkSignaturePolicy(envelope: Buffer, signed: readonly SignedData[]): void;
  /** Whether the identity satisfies one of the principals of a SignaturePolicyEnvelope (collection membership). */
  isMember(envelope: Buffer, identity: Buffer): boolean;
  /** The policy at a path as a common.SignaturePolicyEnvelope, implicit ones resolved: what an endorsement plan needs. */
  signaturePolicy(policyPath: string): Buffer;
  /** Policy path for an ACL resource such as event/Block or peer/Propose. */
  acl(resource: string): string;
  /** Application capability, such as V2_5. */
  hasCapability(name: string): boolean;
}

/** A committed chaincode definition, read from the `_lifecycle` namespace of a snapshot. */
export interface Definition {
  readonly name: string;
  readonly sequence: number;
  readonly version: string;
  /** peer.ApplicationPolicy of the endorsement (validation) policy. */
  readonly policy: Buffer;
  /** peer.StaticCollectionConfig, serialized, by collection name, in the order of the definition. */
  readonly collections: ReadonlyMap<string, Buffer>;
}

/** One peer's endorser: Endorser/ProcessProposal in process. */
export interface Endorser {
  readonly mspId: string;
  /** host:port as other peers see it. */
  readonly address: string;
  /**
   * Checks and simulates a SignedProposal. Returns peer.ProposalResponse bytes (with `interest` filled); a refusal
   * that real Fabric answers as a gRPC error throws FabricError.
   */
  process(signedProposal: Buffer, options?: { readonly local?: boolean }): Promise<Buffer>;
}

/** Takes envelopes into order. Resolves once the envelope is accepted, as the orderer's SUCCESS does. */
export interface Orderer {
  broadcast(envelope: Buffer): Promise<{ readonly status: number; readonly info: string }>;
}

/** An error with a gRPC code and Fabric's own text. */
export class FabricError extends Error {
  constructor(
    /** grpc.status */
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'FabricError';
  }
}

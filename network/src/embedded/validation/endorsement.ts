import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import type { ConfiguredChannel } from '../channel/channel.js';
import type { MspIdentity } from '../identity/msp.js';
import { LIFECYCLE, ownerOfImplicit, readDefinition } from '../lifecycle/definition.js';
import type { Definition } from '../ports.js';
import { writesTo, type NamespaceReadWriteSet } from '../rwset/parse.js';
import { Code, type EndorsedTransaction } from './envelope.js';
import type { CommittedState } from './update-batch.js';

const { kvrwset } = ledger.rwset;

const LIFECYCLE_POLICY = '/Channel/Application/LifecycleEndorsement';

/** The metadata entry that holds a key's own endorsement policy. */
const VALIDATION_PARAMETER = 'VALIDATION_PARAMETER';

/** Definitions as of the state before a block, each read once a block. */
export class Definitions {
  private readonly known = new Map<string, Definition | undefined>();

  constructor(private readonly committed: CommittedState) {}

  /** The definition, or undefined when there is none or a majority of members wrote nonsense in its place. */
  get(name: string): Definition | undefined {
    if (!this.known.has(name)) this.known.set(name, this.read(name));
    return this.known.get(name);
  }

  private read(name: string): Definition | undefined {
    try {
      return readDefinition(name, this.committed);
    } catch {
      return undefined;
    }
  }
}

/**
 * The endorsement policies of one block's transactions, in block order (core/common/validation/statebased): each
 * written key's own policy, else its collection's, else its chaincode's, each checked once a transaction.
 */
export class EndorsementPolicies {
  /** Keys whose policy an endorsed transaction of this block changes: nobody else of the block may touch them. */
  private readonly changed = new Set<string>();

  constructor(
    private readonly channel: ConfiguredChannel,
    private readonly committed: CommittedState,
    private readonly definitions: Definitions,
  ) {}

  /** 0, INVALID_CHAINCODE or ENDORSEMENT_POLICY_FAILURE. */
  check(transaction: EndorsedTransaction): number {
    const signers = this.channel.signers(
      transaction.endorsements.map(({ endorser, signature }) => ({
        identity: endorser,
        data: Buffer.concat([transaction.response, endorser]),
        signature,
      })),
    );
    const written = transaction.sets.filter(writesTo).map(({ namespace }) => namespace);
    for (const namespace of new Set([transaction.chaincode, ...written])) {
      const set = transaction.sets.find((one) => one.namespace === namespace);
      const code = this.checkNamespace(namespace, set, signers);
      if (code !== Code.VALID) return code;
      if (set !== undefined) for (const key of metadataKeys(set)) this.changed.add(key);
    }
    return Code.VALID;
  }

  private checkNamespace(
    namespace: string,
    set: NamespaceReadWriteSet | undefined,
    signers: readonly MspIdentity[],
  ): number {
    const policy = this.namespacePolicy(namespace);
    if (policy === undefined) return Code.INVALID_CHAINCODE;
    const checks = new NamespaceChecks(policy, (one) => this.channel.applicationPolicyFault(one, signers));
    const satisfied = writtenKeys(set).every((key) => this.checkKey(namespace, key, checks, signers));
    return satisfied && checks.atLeastOnce() ? Code.VALID : Code.ENDORSEMENT_POLICY_FAILURE;
  }

  private checkKey(
    namespace: string,
    { collection, key }: WrittenKey,
    checks: NamespaceChecks,
    signers: readonly MspIdentity[],
  ): boolean {
    if (this.changed.has(position(namespace, collection, key))) return false;
    const own = this.keyPolicy(namespace, collection, key);
    if (own === undefined) {
      return checks.forCollection(collection, () => this.collectionPolicy(namespace, collection));
    }
    checks.keyPolicyUsed();
    const application = asApplicationPolicy(own);
    return application !== undefined && this.channel.applicationPolicyFault(application, signers) === undefined;
  }

  private namespacePolicy(namespace: string): Buffer | undefined {
    if (namespace === LIFECYCLE) return reference(LIFECYCLE_POLICY);
    const policy = this.definitions.get(namespace)?.policy;
    return policy === undefined || policy.length === 0 ? undefined : policy;
  }

  /** A collection's own policy, `inherit` when the chaincode's counts, or undefined when there is no such collection. */
  private collectionPolicy(namespace: string, collection: string): Buffer | 'inherit' | undefined {
    const owner = ownerOfImplicit(collection);
    if (owner !== undefined) return this.implicitPolicy(owner);
    const config = this.definitions.get(namespace)?.collections.get(collection);
    if (config === undefined) return undefined;
    const policy = peer.StaticCollectionConfig.deserializeBinary(config).getEndorsementPolicy();
    return policy === undefined ? 'inherit' : Buffer.from(policy.serializeBinary());
  }

  private implicitPolicy(mspId: string): Buffer | undefined {
    const organisation = this.channel.organisations.find((one) => one.mspId === mspId);
    if (organisation === undefined) return undefined;
    const path = `/Channel/Application/${organisation.name}/Endorsement`;
    return this.channel.hasPolicy(path) ? reference(path) : anyMember(mspId);
  }

  private keyPolicy(namespace: string, collection: string, key: Buffer): Buffer | undefined {
    const found =
      collection === ''
        ? this.committed.state(namespace, key.toString())
        : this.committed.hashed(namespace, collection, key);
    if (found?.metadata === undefined) return undefined;
    const entry = kvrwset.KVMetadataWrite.deserializeBinary(found.metadata)
      .getEntriesList()
      .find((one) => one.getName() === VALIDATION_PARAMETER);
    const policy = Buffer.from(entry?.getValue_asU8() ?? new Uint8Array());
    return policy.length === 0 ? undefined : policy;
  }
}

/** Which policies one transaction already passed in one namespace. */
class NamespaceChecks {
  private readonly passed = new Set<string>();
  private someChecked = false;

  constructor(
    private readonly chaincodePolicy: Buffer,
    private readonly fault: (policy: Buffer) => string | undefined,
  ) {}

  forCollection(collection: string, policyOf: () => Buffer | 'inherit' | undefined): boolean {
    if (this.passed.has(collection)) return true;
    if (collection === '') return this.pass('', this.chaincodePolicy);
    const policy = policyOf();
    if (policy === undefined) return false;
    return this.pass(collection, policy === 'inherit' ? this.chaincodePolicy : policy);
  }

  keyPolicyUsed(): void {
    this.someChecked = true;
  }

  /** A transaction that met no policy so far must meet the chaincode's. */
  atLeastOnce(): boolean {
    return this.someChecked || this.pass('', this.chaincodePolicy);
  }

  private pass(name: string, policy: Buffer): boolean {
    if (this.fault(policy) !== undefined) return false;
    this.passed.add(name);
    this.someChecked = true;
    return true;
  }
}

interface WrittenKey {
  readonly collection: string;
  readonly key: Buffer;
}

/** Every key a transaction changes in a namespace, values before metadata, public before private. */
function writtenKeys(set: NamespaceReadWriteSet | undefined): WrittenKey[] {
  if (set === undefined) return [];
  return [
    ...set.public.getWritesList().map((write) => ({ collection: '', key: Buffer.from(write.getKey()) })),
    ...set.public.getMetadataWritesList().map((write) => ({ collection: '', key: Buffer.from(write.getKey()) })),
    ...set.collections.flatMap(({ collection, hashed }) =>
      hashed.getHashedWritesList().map((write) => ({ collection, key: Buffer.from(write.getKeyHash_asU8()) })),
    ),
    ...set.collections.flatMap(({ collection, hashed }) =>
      hashed.getMetadataWritesList().map((write) => ({ collection, key: Buffer.from(write.getKeyHash_asU8()) })),
    ),
  ];
}

function metadataKeys(set: NamespaceReadWriteSet): string[] {
  return [
    ...set.public.getMetadataWritesList().map((write) => position(set.namespace, '', Buffer.from(write.getKey()))),
    ...set.collections.flatMap(({ collection, hashed }) =>
      hashed
        .getMetadataWritesList()
        .map((write) => position(set.namespace, collection, Buffer.from(write.getKeyHash_asU8()))),
    ),
  ];
}

function position(namespace: string, collection: string, key: Buffer): string {
  return `${namespace}\0${collection}\0${key.toString('latin1')}`;
}

function reference(path: string): Buffer {
  const policy = new peer.ApplicationPolicy();
  policy.setChannelConfigPolicyReference(path);
  return Buffer.from(policy.serializeBinary());
}

/** What counts for a member's implicit collection where its organisation has no Endorsement policy. */
function anyMember(mspId: string): Buffer {
  const role = new msp.MSPRole();
  role.setMspIdentifier(mspId);
  role.setRole(msp.MSPRole.MSPRoleType.MEMBER);
  const principal = new msp.MSPPrincipal();
  principal.setPrincipal(role.serializeBinary());
  const rule = new common.SignaturePolicy();
  rule.setSignedBy(0);
  const envelope = new common.SignaturePolicyEnvelope();
  envelope.setRule(rule);
  envelope.setIdentitiesList([principal]);
  const policy = new peer.ApplicationPolicy();
  policy.setSignaturePolicy(envelope);
  return Buffer.from(policy.serializeBinary());
}

function asApplicationPolicy(signaturePolicy: Buffer): Buffer | undefined {
  try {
    const policy = new peer.ApplicationPolicy();
    policy.setSignaturePolicy(common.SignaturePolicyEnvelope.deserializeBinary(signaturePolicy));
    return Buffer.from(policy.serializeBinary());
  } catch {
    return undefined;
  }
}

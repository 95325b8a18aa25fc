import { common, ledger, peer } from '@hyperledger/fabric-protos';

const { ChaincodeCall, ChaincodeInterest } = peer;

/** Name of the metadata entry that holds a key's own endorsement policy. */
const VALIDATION_PARAMETER = 'VALIDATION_PARAMETER';

interface Written {
  /** Policies of keys that have one of their own, by collection and key. */
  readonly policies: Map<string, Uint8Array>;
  /** Collections with a written key that has none; the empty name stands for the public state. */
  readonly unguarded: Set<string>;
}

/** What of the ledger a simulation touched, for choosing who must endorse (core/endorser, buildChaincodeInterest). */
export class InterestRecorder {
  readonly #written = new Map<string, Written>();
  readonly #privateReads = new Map<string, Set<string>>();

  /** Public writes have an empty collection. The metadata is the key's own, as committed. */
  wrote(namespace: string, collection: string, key: string, metadata: Uint8Array | undefined): void {
    const written = this.#written.get(namespace) ?? { policies: new Map<string, Uint8Array>(), unguarded: new Set() };
    this.#written.set(namespace, written);
    const policy = keyPolicy(metadata);
    if (policy) written.policies.set(`${collection}\0${key}`, policy);
    else written.unguarded.add(collection);
  }

  readPrivate(namespace: string, collection: string): void {
    const known = this.#privateReads.get(namespace);
    if (known) known.add(collection);
    else this.#privateReads.set(namespace, new Set([collection]));
  }

  /** The interest of a simulation that touched these namespaces, system ones left out. */
  build(namespaces: readonly string[]): peer.ChaincodeInterest {
    const interest = new ChaincodeInterest();
    for (const namespace of namespaces) {
      for (const call of this.#calls(namespace)) interest.addChaincodes(call);
    }
    return interest;
  }

  #calls(namespace: string): peer.ChaincodeCall[] {
    const reads = this.#privateReads.get(namespace) ?? new Set<string>();
    const written = this.#written.get(namespace);
    const collections = new Set([...(written?.unguarded ?? []), ...reads].filter((name) => name !== ''));
    const calls = [...collections].map((collection) => collectionCall(namespace, collection, !reads.has(collection)));
    // Without any write the chaincode's own policy decides.
    if (!written) return [...calls, chaincodeCall(namespace)];
    const unguarded = written.unguarded.has('');
    if (!unguarded && written.policies.size === 0) return calls;
    const call = chaincodeCall(namespace);
    call.setKeyPoliciesList(
      [...written.policies.values()].map((policy) => common.SignaturePolicyEnvelope.deserializeBinary(policy)),
    );
    call.setDisregardNamespacePolicy(!unguarded);
    return [...calls, call];
  }
}

function chaincodeCall(namespace: string): peer.ChaincodeCall {
  const call = new ChaincodeCall();
  call.setName(namespace);
  return call;
}

function collectionCall(namespace: string, collection: string, noPrivateReads: boolean): peer.ChaincodeCall {
  const call = chaincodeCall(namespace);
  call.setCollectionNamesList([collection]);
  call.setNoPrivateReads(noPrivateReads);
  return call;
}

function keyPolicy(metadata: Uint8Array | undefined): Uint8Array | undefined {
  if (!metadata) return undefined;
  const entries = ledger.rwset.kvrwset.KVMetadataWrite.deserializeBinary(metadata).getEntriesList();
  return entries.find((entry) => entry.getName() === VALIDATION_PARAMETER)?.getValue_asU8();
}

import { peer } from '@hyperledger/fabric-protos';

const READERS = '/Channel/Application/Readers';
const WRITERS = '/Channel/Application/Writers';

/** Who may do what unless the channel says otherwise (core/aclmgmt/defaultaclprovider.go). */
const DEFAULT_ACLS: ReadonlyMap<string, string> = new Map([
  ['peer/Propose', WRITERS],
  ['peer/ChaincodeToChaincode', WRITERS],
  ['event/Block', READERS],
  ['event/FilteredBlock', READERS],
  ['gateway/CommitStatus', READERS],
  ['gateway/ChaincodeEvents', READERS],
  ['qscc/GetChainInfo', READERS],
  ['qscc/GetBlockByNumber', READERS],
  ['qscc/GetBlockByHash', READERS],
  ['qscc/GetTransactionByID', READERS],
  ['qscc/GetBlockByTxID', READERS],
  ['cscc/GetConfigBlock', READERS],
  ['cscc/GetChannelConfig', READERS],
  ['_lifecycle/QueryChaincodeDefinition', WRITERS],
  ['_lifecycle/QueryChaincodeDefinitions', WRITERS],
]);

/** Policy paths by resource: the defaults, overridden by a channel's peer.ACLs value. */
export function parseAcls(value: Uint8Array | undefined): ReadonlyMap<string, string> {
  const acls = new Map(DEFAULT_ACLS);
  if (value === undefined) return acls;
  peer.ACLs.deserializeBinary(value)
    .getAclsMap()
    .forEach((resource, name) => acls.set(name, absolute(resource.getPolicyRef())));
  return acls;
}

function absolute(reference: string): string {
  return reference.startsWith('/') ? reference : `/Channel/Application/${reference}`;
}

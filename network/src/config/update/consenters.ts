import { X509Certificate } from 'node:crypto';
import { common, orderer } from '@hyperledger/fabric-protos';

/** Where a consenter is reached: by that the orderers of two configurations are told apart. */
export interface ConsenterPlace {
  readonly host: string;
  readonly port: number;
}

/** The TLS certificate (PEM) by which a configuration knows a consenter; undefined where it has none at that place. */
export function consenterCertificate(root: common.ConfigGroup, place: ConsenterPlace): string | undefined {
  const found = metadataOf(root)
    ?.getConsentersList()
    .find((each) => isAt(each, place));
  return found && Buffer.from(found.getServerTlsCert_asU8()).toString();
}

/** The same configuration that knows the consenter of a place by this TLS certificate (PEM). Throws where there is none. */
export function withConsenterCertificate(
  root: common.ConfigGroup,
  place: ConsenterPlace,
  certificate: string,
): common.ConfigGroup {
  if (consenterCertificate(root, place) === undefined) {
    throw new Error(`the channel has no orderer at ${place.host}:${place.port}`);
  }
  return withConsenters(root, (each) => (isAt(each, place) ? certificate : undefined));
}

/**
 * The wanted configuration with the certificates of the present one for consenters whose keys are the same: orderers
 * compare keys alone, so a certificate that was issued anew for its key is no change of the channel.
 */
export function keepConsenters(present: common.ConfigGroup, wanted: common.ConfigGroup): common.ConfigGroup {
  return withConsenters(wanted, (each) => {
    const standing = consenterCertificate(present, { host: each.getHost(), port: each.getPort() });
    const own = Buffer.from(each.getServerTlsCert_asU8()).toString();
    return standing !== undefined && isSameKey(standing, own) ? standing : undefined;
  });
}

/** Whether two certificates (PEM) are of one key. */
export function isSameKey(one: string, other: string): boolean {
  return keyOf(one).equals(keyOf(other));
}

/** The public key of a certificate (PEM), as DER. */
function keyOf(certificate: string): Buffer {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
}

/** The configuration with other certificates where `choose` gives one. */
function withConsenters(
  root: common.ConfigGroup,
  choose: (consenter: orderer.etcdraft.Consenter) => string | undefined,
): common.ConfigGroup {
  const changed = common.ConfigGroup.deserializeBinary(root.serializeBinary());
  const value = consensusValue(changed);
  const metadata = metadataOf(changed);
  if (!value || !metadata) return changed;
  for (const consenter of metadata.getConsentersList()) {
    const certificate = choose(consenter);
    if (certificate === undefined) continue;
    consenter.setClientTlsCert(Buffer.from(certificate));
    consenter.setServerTlsCert(Buffer.from(certificate));
  }
  const type = orderer.ConsensusType.deserializeBinary(value.getValue_asU8());
  type.setMetadata(metadata.serializeBinary());
  value.setValue(type.serializeBinary());
  return changed;
}

function metadataOf(root: common.ConfigGroup): orderer.etcdraft.ConfigMetadata | undefined {
  const value = consensusValue(root);
  if (!value) return undefined;
  const type = orderer.ConsensusType.deserializeBinary(value.getValue_asU8());
  return orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8());
}

function consensusValue(root: common.ConfigGroup): common.ConfigValue | undefined {
  return root.getGroupsMap().get('Orderer')?.getValuesMap().get('ConsensusType');
}

function isAt(consenter: orderer.etcdraft.Consenter, { host, port }: ConsenterPlace): boolean {
  return consenter.getHost() === host && consenter.getPort() === port;
}

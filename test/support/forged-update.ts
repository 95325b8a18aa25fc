/** Proposed changes that somebody bent on their way: each a copy of a true one. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { common, msp, orderer } from '@hyperledger/fabric-protos';

/** Copies a proposed change, with its update changed by `bend`. */
export function forgedUpdate(folder: string, to: string, bend: (root: common.ConfigGroup) => void): string {
  cpSync(folder, to, { recursive: true });
  const file = join(to, 'update.pb');
  const update = common.ConfigUpdate.deserializeBinary(readFileSync(file));
  bend(update.getWriteSet()!);
  writeFileSync(file, update.serializeBinary());
  return to;
}

const groupOf = (root: common.ConfigGroup, ...path: string[]): common.ConfigGroup =>
  path.reduce((group, name) => group.getGroupsMap().get(name)!, root);

/** Gives a newcomer's MSP other roots (PEM). */
export function withRoots(root: common.ConfigGroup, mspId: string, ca: string): void {
  const value = groupOf(root, 'Application', mspId).getValuesMap().get('MSP')!;
  const wrapped = msp.MSPConfig.deserializeBinary(value.getValue_asU8());
  const config = msp.FabricMSPConfig.deserializeBinary(wrapped.getConfig_asU8());
  config.setRootCertsList([Buffer.from(ca)]);
  wrapped.setConfig(config.serializeBinary());
  value.setValue(wrapped.serializeBinary());
}

/** Has a newcomer's administrators be whoever may read. */
export function withWeakAdministrators(root: common.ConfigGroup, mspId: string): void {
  const policies = groupOf(root, 'Application', mspId).getPoliciesMap();
  policies.set('Admins', policies.get('Readers')!);
}

/** Has another consenter order at the place of the first one. */
export function withConsenter(root: common.ConfigGroup, certificate: string): void {
  const value = groupOf(root, 'Orderer').getValuesMap().get('ConsensusType')!;
  const type = orderer.ConsensusType.deserializeBinary(value.getValue_asU8());
  const metadata = orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8());
  const [first] = metadata.getConsentersList();
  first!.setServerTlsCert(Buffer.from(certificate));
  first!.setClientTlsCert(Buffer.from(certificate));
  type.setMetadata(metadata.serializeBinary());
  value.setValue(type.serializeBinary());
}

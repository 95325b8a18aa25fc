import { common, msp } from '@hyperledger/fabric-protos';

/** Where organisations lie in a channel's configuration: members and orderers. */
const SECTIONS = ['Application', 'Orderer'] as const;

/** The revocation lists (PEM) that a configuration holds for an MSP; throws when it knows no such MSP. */
export function revocationsOf(root: common.ConfigGroup, mspId: string): Uint8Array[] {
  return fabricConfig(mspValue(root, mspId)).getRevocationListList_asU8();
}

/** The same configuration with these revocation lists (PEM) for an MSP, in place of those it had. */
export function withRevocations(
  root: common.ConfigGroup,
  mspId: string,
  lists: readonly Uint8Array[],
): common.ConfigGroup {
  const changed = common.ConfigGroup.deserializeBinary(root.serializeBinary());
  const value = mspValue(changed, mspId);
  const config = fabricConfig(value);
  config.setRevocationListList([...lists]);
  const wrapped = msp.MSPConfig.deserializeBinary(value.getValue_asU8());
  wrapped.setConfig(config.serializeBinary());
  value.setValue(wrapped.serializeBinary());
  return changed;
}

/**
 * The wanted configuration with the revocations that the present one holds: what was revoked stays so. An organisation that
 * comes, or comes back, has its own as the wanted one says.
 */
export function keepRevocations(present: common.ConfigGroup, wanted: common.ConfigGroup): common.ConfigGroup {
  const known = new Set(mspIdsOf(present));
  return mspIdsOf(wanted)
    .filter((mspId) => known.has(mspId) && revocationsOf(present, mspId).length > 0)
    .reduce((config, mspId) => withRevocations(config, mspId, revocationsOf(present, mspId)), wanted);
}

/** MSP ids of a configuration's members and orderers; groups are named by them. */
function mspIdsOf(root: common.ConfigGroup): string[] {
  return SECTIONS.flatMap((section) => root.getGroupsMap().get(section)?.getGroupsMap().toArray() ?? []).map(
    ([name]) => name,
  );
}

function mspValue(root: common.ConfigGroup, mspId: string): common.ConfigValue {
  const groups = SECTIONS.map((section) => root.getGroupsMap().get(section)?.getGroupsMap().get(mspId));
  const value = groups
    .find((group) => group !== undefined)
    ?.getValuesMap()
    .get('MSP');
  if (!value) throw new Error(`the channel knows no ${mspId}; it has ${mspIdsOf(root).join(', ')}`);
  return value;
}

function fabricConfig(value: common.ConfigValue): msp.FabricMSPConfig {
  const wrapped = msp.MSPConfig.deserializeBinary(value.getValue_asU8());
  return msp.FabricMSPConfig.deserializeBinary(wrapped.getConfig_asU8());
}

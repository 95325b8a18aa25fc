import { writeFileSync } from 'node:fs';
import { orderer } from '@hyperledger/fabric-protos';
import { channelConfig } from '@salus/network/config/channel-config';
import { buildGenesis } from '@salus/network/config/genesis';
import { layout } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';

/** What Fabric's sample configtx.yaml says of blocks (sampleconfig/configtx.yaml, Orderer). */
const FABRIC_DEFAULTS = {
  timeout: '2s',
  messages: 500,
  preferredBytes: 2 * 1024 * 1024,
  absoluteBytes: 10 * 1024 * 1024,
};

/** Writes the channel's block 0 again, with blocks cut as Fabric does by default; before the network's first start. */
export function cutByDefault({ stateDir, topology, material }: PreparedState): void {
  const root = channelConfig(topology, material);
  const values = root.getGroupsMap().get('Orderer')?.getValuesMap();
  const timeout = new orderer.BatchTimeout();
  timeout.setTimeout(FABRIC_DEFAULTS.timeout);
  values?.get('BatchTimeout')?.setValue(timeout.serializeBinary());
  const size = new orderer.BatchSize();
  size.setMaxMessageCount(FABRIC_DEFAULTS.messages);
  size.setPreferredMaxBytes(FABRIC_DEFAULTS.preferredBytes);
  size.setAbsoluteMaxBytes(FABRIC_DEFAULTS.absoluteBytes);
  values?.get('BatchSize')?.setValue(size.serializeBinary());
  writeFileSync(layout.genesis(stateDir), buildGenesis(topology.channel, root));
}

/** Raft snapshots so small that a consenter that was away catches up by one. */
import { common, orderer } from '@hyperledger/fabric-protos';
import { configUpdate } from '@salus/network/config/update/delta';
import { answering, applyUpdate, memberSignatures, runningChannel } from '@salus/network/fabric/reconfigure';
import { readNetwork } from '@salus/network/prepare';

/** Has all members change the running channel: a snapshot after each so many bytes of blocks. */
export async function takeSnapshotsEvery(bytes: number, stateDir: string): Promise<void> {
  const network = readNetwork(stateDir);
  const running = runningChannel(stateDir, network);
  const [speaker] = await answering(running);
  if (speaker === undefined) throw new Error('no peer of the channel answers');
  const present = (await speaker.config(running.channel)).getChannelGroup()!;
  const update = configUpdate(running.channel, present, withSnapshots(present, bytes))!.serializeBinary();
  const signatures = network.topology.members.flatMap(({ name }) => memberSignatures(network, name, update));
  await applyUpdate(running, update, signatures, speaker);
}

function withSnapshots(present: common.ConfigGroup, bytes: number): common.ConfigGroup {
  const wanted = common.ConfigGroup.deserializeBinary(present.serializeBinary());
  const value = wanted.getGroupsMap().get('Orderer')!.getValuesMap().get('ConsensusType')!;
  const type = orderer.ConsensusType.deserializeBinary(value.getValue_asU8());
  const metadata = orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8());
  metadata.getOptions()!.setSnapshotIntervalSize(bytes);
  type.setMetadata(metadata.serializeBinary());
  value.setValue(type.serializeBinary());
  return wanted;
}

import { resolve } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { readDefinition, writeDefinition } from '../config/channel-files.js';
import { configUpdate, isTaken } from '../config/update/delta.js';
import { shownOf } from '../config/update/shown.js';
import { layout } from '../identity/layout.js';
import { ensureKeys } from '../identity/material.js';
import { adoptState, definitionFor, type NetworkFile, type PrepareOptions, readNetwork } from '../prepare.js';
import type { Topology } from '../topology/model.js';
import { whileJoiningServed } from './authorities.js';
import { memberPairs, ownPairs } from './establish.js';
import { hasKnown, readKnown, writeKnown } from './known.js';
import { defineChaincode } from './lifecycle.js';
import type { SearchPlaces } from './programs.js';
import { answering, anyAnswering, applyUpdate, memberSignatures, runningChannel } from './reconfigure.js';
import {
  readSignatures,
  readUpdate,
  rememberCountersigned,
  requireAsCountersigned,
  writeSignatures,
  writeUpdate,
} from './update-files.js';
import { configuredBy, presentOf, reviewed } from './view.js';

/** How a change is proposed. */
export interface ProposeOptions extends PrepareOptions {
  /** Where Fabric's programs may be: a member that joins may want a Fabric CA server. */
  readonly places: SearchPlaces;
}

/** What the members are asked to sign. */
export interface ChannelProposal {
  readonly folder: string;
  /** What the update does, and what else the change tells of a member, one line each. */
  readonly changes: readonly string[];
}

/**
 * Makes what is missing of keys for a changed topology, and writes the update by which the running channel becomes what the
 * topology says. Nothing is in force yet: what the nodes start from stays as it is until then, and what follows lies with the
 * update. Throws a CommandError when nothing would change.
 */
export async function propose(
  stateDir: string,
  topology: Topology,
  folder: string,
  { places, collections }: ProposeOptions,
): Promise<ChannelProposal> {
  const here = resolve(stateDir);
  const present = await presentOf(here, readNetwork(here));
  const material = await whileJoiningServed(topology, here, places, () => ensureKeys(topology, here));
  const next = { topology, material };
  const update = configUpdate(topology.channel, present, configuredBy(next, present));
  if (!update) throw new CommandError(`the channel is already what ${topology.file} says`);
  writeUpdate(folder, update);
  writeKnown(folder, next, layout.genesis(here), [here]);
  writeDefinition(folder, definitionFor(next, collections));
  return { folder, changes: shownOf(update) };
}

/**
 * Adds a member's signatures to a proposal: its administrator's, and its orderer's administrator's where it has one. `show` is
 * told before what the change does, one line each. Throws a CommandError, and signs nothing, where the update is not what this
 * folder makes of the change.
 */
export async function countersign(
  stateDir: string,
  folder: string,
  member: string,
  show: (line: string) => void = () => undefined,
): Promise<void> {
  const network = readNetwork(stateDir);
  const pair = memberPairs(network).find((each) => each.member.name === member);
  if (!pair) throw new CommandError(`no member is named ${member}`, 2);
  if (ownPairs([pair]).length === 0) {
    throw new CommandError(`the administrator of ${member} is not in ${stateDir}: it signs in its own folder`, 2);
  }
  for (const line of await reviewed(stateDir, folder)) show(line);
  writeSignatures(folder, member, memberSignatures(network, member, readUpdate(folder)));
  rememberCountersigned(stateDir, folder);
}

/**
 * Has the orderers take a signed proposal, then brings the chaincode's definition into force that the changed members
 * ask for. `show` is told before what the change does. Returns the definition's sequence.
 */
export async function applyProposal(
  stateDir: string,
  folder: string,
  show: (line: string) => void = () => undefined,
): Promise<number> {
  const here = resolve(stateDir);
  requireAsCountersigned(here, folder);
  const known = readNetwork(here);
  const update = readUpdate(folder);
  const content = common.ConfigUpdate.deserializeBinary(update);
  for (const line of shownOf(content)) show(line);
  // Whoever was interrupted does it again.
  if (!isTaken(await presentOf(here, known), content)) {
    await reviewed(here, folder);
    const running = runningChannel(here, stayingOf(known, here, folder));
    await applyUpdate(running, update, readSignatures(folder), await anyAnswering(running));
  }
  await adopt(here, known, folder);
  const running = runningChannel(here);
  const { channel, orderers } = running;
  return defineChaincode({ channel, peers: await answering(running), orderers }, readDefinition(here));
}

/** Whoever leaves is given no further block, the one by which it leaves included: nobody waits for its peers. */
function stayingOf({ topology, material }: NetworkFile, here: string, folder: string): NetworkFile {
  const next = hasKnown(folder) ? readKnown(folder, here).topology : topology;
  const stay = <T extends { readonly name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => next.members.some((each) => each.name === name));
  return {
    topology: { ...topology, members: stay(topology.members) },
    material: { ...material, members: stay(material.members) },
  };
}

/** What the channel is now the nodes start from; of a change that others followed nothing is taken over. */
async function adopt(here: string, known: NetworkFile, folder: string): Promise<void> {
  if (!hasKnown(folder)) return;
  const next = readKnown(folder, here);
  const present = await presentOf(here, known);
  if (configUpdate(known.topology.channel, present, configuredBy(next, present))) return;
  const { file } = known.topology;
  adoptState(here, { ...next, topology: { ...next.topology, file } }, readDefinition(folder));
}

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { channelConfig } from '../config/channel-config.js';
import { readDefinition } from '../config/channel-files.js';
import { changesOf, configUpdate, isTaken } from '../config/update/delta.js';
import { keepStanding } from '../config/update/standing.js';
import { writePublic } from '../identity/files.js';
import { prepareState, type PrepareOptions, readNetwork } from '../prepare.js';
import type { Topology } from '../topology/model.js';
import { whileJoiningServed } from './authorities.js';
import { memberPairs, ownPairs } from './establish.js';
import { hasKnown, readKnown } from './known.js';
import { defineChaincode } from './lifecycle.js';
import type { SearchPlaces } from './programs.js';
import {
  answering,
  anyAnswering,
  applyUpdate,
  memberSignatures,
  presentConfiguration,
  runningChannel,
} from './reconfigure.js';
import { changeOfOne } from './told.js';

/** A change of the channel on its way from member to member: the update, and a file for each signature under it. */
const UPDATE_FILE = 'update.pb';
const SIGNATURES = 'signatures';

/** How a change is proposed. */
export interface ProposeOptions extends PrepareOptions {
  /** Where Fabric's programs may be: a member that joins may want a Fabric CA server. */
  readonly places: SearchPlaces;
}

/** What the members are asked to sign. */
export interface ChannelProposal {
  readonly folder: string;
  /** One line for each element of the configuration that comes, changes or goes. */
  readonly changes: readonly string[];
}

/**
 * Makes what is missing of keys and settings for a changed topology, and writes the update by which the running channel
 * becomes what the topology says. Nothing is in force yet. Throws a CommandError when nothing would change.
 */
export async function propose(
  stateDir: string,
  topology: Topology,
  folder: string,
  { places, ...options }: ProposeOptions,
): Promise<ChannelProposal> {
  const speaker = await anyAnswering(runningChannel(stateDir));
  const present = await presentConfiguration(speaker, topology.channel);
  const { material } = await whileJoiningServed(topology, stateDir, places, () =>
    prepareState(topology, stateDir, { engine: 'fabric', ...options }),
  );
  const wanted = keepStanding(present, channelConfig(topology, material));
  const update = configUpdate(topology.channel, present, wanted);
  if (!update) throw new CommandError(`the channel is already what ${topology.file} says`);
  writeUpdate(folder, update);
  return { folder, changes: changesOf(update) };
}

/** Writes an update for members to sign; what they signed of an earlier one there counts no more. */
export function writeUpdate(folder: string, update: common.ConfigUpdate): void {
  rmSync(join(folder, SIGNATURES), { recursive: true, force: true });
  mkdirSync(join(folder, SIGNATURES), { recursive: true });
  writePublic(join(folder, UPDATE_FILE), update.serializeBinary());
}

/**
 * The elements that a proposal changes, as its file says, and what else it tells of the member: whoever signs reads these
 * first. Throws a CommandError where it tells of more than one.
 */
export function changesIn(stateDir: string, folder: string): string[] {
  const changes = changesOf(common.ConfigUpdate.deserializeBinary(readUpdate(folder)));
  if (!hasKnown(folder)) return changes;
  return [...changes, ...changeOfOne(readNetwork(stateDir), readKnown(folder, folder)).lines];
}

/** Adds a member's signatures to a proposal: its administrator's, and its orderer's administrator's where it has one. */
export function countersign(stateDir: string, folder: string, member: string): void {
  const network = readNetwork(stateDir);
  const pair = memberPairs(network).find((each) => each.member.name === member);
  if (pair && ownPairs([pair]).length === 0) {
    throw new CommandError(`the administrator of ${member} is not in ${stateDir}: it signs in its own folder`, 2);
  }
  const signatures = memberSignatures(network, member, readUpdate(folder));
  if (signatures.length === 0) throw new CommandError(`no member is named ${member}`, 2);
  for (const [index, signature] of signatures.entries()) {
    const name = index === 0 ? member : `${member}-orderer`;
    writePublic(join(folder, SIGNATURES, `${name}.pb`), signature.serializeBinary());
  }
}

/**
 * Has the orderers take a signed proposal, then brings the chaincode's definition into force that the changed members
 * ask for. Returns the definition's sequence.
 */
export async function applyProposal(stateDir: string, folder: string): Promise<number> {
  const running = runningChannel(stateDir);
  const speaker = await anyAnswering(running);
  const update = readUpdate(folder);
  // Whoever was interrupted does it again.
  const present = await presentConfiguration(speaker, running.channel);
  if (!isTaken(present, common.ConfigUpdate.deserializeBinary(update))) {
    await applyUpdate(running, update, readSignatures(folder), speaker);
  }
  const { channel, orderers } = running;
  return defineChaincode({ channel, peers: await answering(running), orderers }, readDefinition(stateDir));
}

/** The update that members sign. Throws a CommandError where there is none. */
export function readUpdate(folder: string): Buffer {
  const file = join(folder, UPDATE_FILE);
  if (!existsSync(file)) throw new CommandError(`${folder} holds no ${UPDATE_FILE}: is it a proposed change?`, 2);
  return readFileSync(file);
}

/** The signatures that members have added so far. */
export function readSignatures(folder: string): common.ConfigSignature[] {
  const signatures = join(folder, SIGNATURES);
  return readdirSync(signatures).map((name) =>
    common.ConfigSignature.deserializeBinary(readFileSync(join(signatures, name))),
  );
}

/** Changes of a channel whose members each have a folder of their own: what travels between them is files. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError } from '../command.js';
import { channelConfig } from '../config/channel-config.js';
import { writeDefinition } from '../config/channel-files.js';
import { changesOf, configUpdate } from '../config/update/delta.js';
import { keepRevocations } from '../config/update/revocations.js';
import { layout } from '../identity/layout.js';
import { ensureMember } from '../identity/material.js';
import {
  definitionFor,
  exportedMember,
  isExported,
  markExported,
  type NetworkFile,
  prepareOwn,
  readNetwork,
  writeNetwork,
} from '../prepare.js';
import { type Member, memberOf, type Topology } from '../topology/model.js';
import { agree, type Agreement } from './agreement.js';
import { apartNetwork } from './establish.js';
import { adoptFiles, type MemberRequest, readKnown, readRequest, writeKnown, writeRequest } from './known.js';
import { type ChannelProposal, readSignatures, readUpdate, writeUpdate } from './proposal.js';
import { anyAnswering, applyUpdate, presentConfiguration, runningChannel } from './reconfigure.js';
import { changeOfOne } from './told.js';

/** What became of a change at a member. */
export interface Applied extends Agreement {
  /** Whether this member is part of the channel's change already, or is yet to start its nodes. */
  readonly isNewcomer: boolean;
  /** What the change tells of the one member whom it is about, beyond its update. */
  readonly told: readonly string[];
}

/**
 * Makes a member's keys in a folder of its own, and writes what others need to let it in: no key is in it. Throws a
 * CommandError where the folder is another's.
 */
export async function requestMembership(stateDir: string, topology: Topology, name: string, folder: string) {
  const here = resolve(stateDir);
  if (existsSync(layout.network(here)) && !(isExported(here) && exportedMember(here) === name)) {
    throw new CommandError(`${here} is another's folder: name an empty one in SALUS_STATE`);
  }
  const member = memberOf(topology, name);
  markExported(here, name);
  writeRequest(folder, { member, own: await ensureMember(member, here) }, here);
}

/** Proposes that the channel take in a newcomer by its request. Throws a CommandError when nothing would change. */
export function proposeRequest(
  stateDir: string,
  { name, from }: { readonly name: string; readonly from: string },
  folder: string,
): Promise<ChannelProposal> {
  const place = resolve(from);
  return proposeChange(stateDir, folder, (known) => withMember(known, newcomerIn(place, name, known)), [place]);
}

/** The request of whom it is said to be of, and of nobody whom the channel has. Throws a CommandError otherwise. */
function newcomerIn(place: string, name: string, { topology }: NetworkFile): MemberRequest {
  const request = readRequest(place);
  const { member, own } = request;
  if (member.name !== name || own.name !== name || own.mspId !== member.mspId) {
    throw new CommandError(`${place} is not the request of ${name}`, 2);
  }
  if (topology.members.some((each) => each.name === name || each.mspId === member.mspId)) {
    throw new CommandError(`the channel has a member ${name}, or one with ${member.mspId}`, 2);
  }
  return request;
}

/** Proposes that a member leave. Throws a CommandError when there is none of that name. */
export function proposeLeave(stateDir: string, name: string, folder: string): Promise<ChannelProposal> {
  return proposeChange(stateDir, folder, ({ topology, material }) => {
    memberOf(topology, name);
    const others = <T extends { readonly name: string }>(all: readonly T[]) => all.filter((each) => each.name !== name);
    return {
      topology: { ...topology, members: others(topology.members), former: [...topology.former, name] },
      material: { ...material, members: others(material.members) },
    };
  });
}

/** Proposes what the topology file changed of this member: its peers, its orderer. What is missing of its keys is made. */
export async function proposeOwn(stateDir: string, wanted: Topology, folder: string): Promise<ChannelProposal> {
  const here = resolve(stateDir);
  const member = memberOf(wanted, exportedMember(here));
  const own = await ensureMember(member, here);
  return proposeChange(here, folder, (known) => withMember(known, { member, own }));
}

/**
 * What a member does with a change that a majority has signed, in its own folder: has the orderers take it unless they
 * have, takes over what it says of the others, and approves the definition that follows from it.
 */
export async function applyApart(stateDir: string, folder: string): Promise<Applied> {
  const here = resolve(stateDir);
  const name = exportedMember(here);
  const isNewcomer = !existsSync(layout.network(here));
  if (isNewcomer) {
    const { topology, material } = readKnown(folder, here);
    adoptFiles(
      folder,
      here,
      material.members.filter((each) => each.name !== name).map((each) => each.name),
    );
    await adopt(here, { topology, material });
    return { sequence: 0, isInForce: false, missing: [], told: [], isNewcomer };
  }
  const known = readNetwork(here);
  const { network, member, lines: told } = changeOfOne(known, readKnown(folder, here));
  await bringUpdateIntoForce(here, folder, changeOfOne(known, readKnown(folder, folder)).network);
  if (!network.topology.members.some((each) => each.name === name)) {
    return { sequence: 0, isInForce: true, missing: [], told, isNewcomer };
  }
  if (member !== undefined && member !== name) adoptFiles(folder, here, [member]);
  await adopt(here, network);
  return { ...(await approveDefinition(here)), told, isNewcomer };
}

/** The member approves the definition that its folder asks for now, and commits it when it is the last one needed. */
async function approveDefinition(stateDir: string): Promise<Agreement> {
  const network = readNetwork(stateDir);
  const definition = definitionFor(network);
  writeDefinition(stateDir, definition);
  return agree(apartNetwork(network), definition);
}

/** A proposal holds all that is known of the members, so nothing that this folder has not heard of may be undone by it. */
async function proposeChange(
  stateDir: string,
  folder: string,
  change: (known: NetworkFile) => NetworkFile,
  places: string[] = [],
): Promise<ChannelProposal> {
  const here = resolve(stateDir);
  const known = readNetwork(here);
  const { channel } = known.topology;
  const present = await presentConfiguration(await anyAnswering(runningChannel(here)), channel);
  const configured = ({ topology, material }: NetworkFile) =>
    keepRevocations(present, channelConfig(topology, material));
  const unknown = configUpdate(channel, configured(known), present);
  if (unknown) {
    const lines = changesOf(unknown).join('; ');
    throw new CommandError(
      `the channel has changed since this folder last took part (${lines}): apply that change first`,
    );
  }
  const next = change(known);
  const update = configUpdate(channel, present, configured(next));
  if (!update) throw new CommandError('the channel is already what this would make of it');
  writeUpdate(folder, update);
  writeKnown(folder, next, layout.genesis(here), [here, ...places]);
  return { folder, changes: [...changesOf(update), ...changeOfOne(known, next).lines] };
}

function withMember({ topology, material }: NetworkFile, { member, own }: MemberRequest): NetworkFile {
  const put = <T extends { readonly name: string }>(all: readonly T[], one: T) =>
    all.some(({ name }) => name === one.name)
      ? all.map((each) => (each.name === one.name ? one : each))
      : [...all, one];
  return {
    topology: { ...topology, members: put<Member>(topology.members, member) },
    material: { ...material, members: put(material.members, own) },
  };
}

async function bringUpdateIntoForce(here: string, folder: string, { topology, material }: NetworkFile): Promise<void> {
  const { channel } = topology;
  const running = runningChannel(here);
  const speaker = await anyAnswering(running);
  const missing = async () => {
    const present = await presentConfiguration(speaker, channel);
    return configUpdate(channel, present, keepRevocations(present, channelConfig(topology, material)));
  };
  if (!(await missing())) return;
  await applyUpdate(running, readUpdate(folder), readSignatures(folder), speaker);
  // What a majority signed is the update; what else the folder says must be the same.
  const different = await missing();
  if (different) {
    throw new CommandError(`${folder} does not say what its update does: ${changesOf(different).join('; ')}`);
  }
}

async function adopt(here: string, { topology, material }: NetworkFile): Promise<void> {
  const network = { topology, material: { ...material, stateDir: here } };
  writeNetwork(here, network);
  writeDefinition(here, definitionFor(network));
  await prepareOwn(here);
}

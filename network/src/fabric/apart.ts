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

/** What became of a change at a member. */
export interface Applied extends Agreement {
  /** Whether this member is part of the channel's change already, or is yet to start its nodes. */
  readonly isNewcomer: boolean;
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

/** Proposes that the channel take in whom this request is of. Throws a CommandError when nothing would change. */
export function proposeRequest(stateDir: string, requestFolder: string, folder: string): Promise<ChannelProposal> {
  const place = resolve(requestFolder);
  return proposeChange(stateDir, folder, (known) => withMember(known, readRequest(place)), [place]);
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
  const next = readKnown(folder, here);
  const isNewcomer = !existsSync(layout.network(here));
  if (!isNewcomer) await bringUpdateIntoForce(here, folder);
  if (next.topology.members.some((member) => member.name === name)) await adopt(here, folder, next);
  if (isNewcomer) return { sequence: 0, isInForce: false, missing: [], isNewcomer };
  if (!next.topology.members.some((member) => member.name === name)) {
    return { sequence: 0, isInForce: true, missing: [], isNewcomer };
  }
  return { ...(await approveDefinition(here)), isNewcomer };
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
  return { folder, changes: changesOf(update) };
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

async function bringUpdateIntoForce(here: string, folder: string): Promise<void> {
  const { topology, material } = readKnown(folder, folder);
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

async function adopt(here: string, folder: string, next: NetworkFile): Promise<void> {
  const name = exportedMember(here);
  adoptFiles(folder, here, next, name);
  writeNetwork(here, { topology: next.topology, material: { ...next.material, stateDir: here } });
  writeDefinition(here, definitionFor(next));
  await prepareOwn(here);
}

/** Changes of a channel whose members each have a folder of their own: what travels between them is files. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { readDefinition, writeDefinition } from '../config/channel-files.js';
import { changesOf, configUpdate } from '../config/update/delta.js';
import { fingerprint, organisationLines, shownOf } from '../config/update/shown.js';
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
import { endReplaced, runsNatively, startBeside } from './beside.js';
import { apartNetwork, memberPairs, ownPairs } from './establish.js';
import { adoptFiles, type MemberRequest, readKnown, readRequest, writeKnown, writeRequest } from './known.js';
import type { ChannelProposal } from './proposal.js';
import { anyAnswering, applyUpdate, runningChannel } from './reconfigure.js';
import { changeOfOne, type ToldChange } from './told.js';
import { withVersion } from './upgrade.js';
import { readSignatures, readUpdate, requireAsCountersigned, writeUpdate } from './update-files.js';
import { configuredBy, presentlyKnown, presentOf, reviewed } from './view.js';

/** What became of a change at a member. */
export interface Applied extends Agreement {
  /** Whether this member is part of the channel's change already, or is yet to start its nodes. */
  readonly isNewcomer: boolean;
}

/**
 * Makes a member's keys in a folder of its own, and writes what others need to let it in: no key is in it. Throws a
 * CommandError where the folder is another's. Returns a line for each root that it has made: those who countersign are shown the same.
 */
export async function requestMembership(
  stateDir: string,
  topology: Topology,
  name: string,
  folder: string,
): Promise<string[]> {
  const here = resolve(stateDir);
  if (existsSync(layout.network(here)) && !(isExported(here) && exportedMember(here) === name)) {
    throw new CommandError(`${here} is another's folder: name an empty one in SALUS_STATE`);
  }
  const member = memberOf(topology, name);
  markExported(here, name);
  const own = await ensureMember(member, here);
  writeRequest(folder, { member, own }, here);
  return [own, ...(own.orderer ? [own.orderer] : [])].flatMap(organisationLines);
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
 * have, takes over what it says of the others, and approves the definition that follows from it. `show` is told before what the
 * change does, one line each. Throws a CommandError for one that is not what was countersigned here.
 */
export async function applyApart(
  stateDir: string,
  folder: string,
  show: (line: string) => void = () => undefined,
): Promise<Applied> {
  const here = resolve(stateDir);
  const name = exportedMember(here);
  const isNewcomer = !existsSync(layout.network(here));
  if (isNewcomer) {
    const { topology, material } = readKnown(folder, here);
    for (const { name: each, ca } of material.members)
      show(`${each}: root of identities, in SHA-256: ${fingerprint(ca)}`);
    adoptFiles(
      folder,
      here,
      material.members.filter((each) => each.name !== name).map((each) => each.name),
    );
    await adopt(here, { topology, material });
    return { sequence: 0, isInForce: false, missing: [], isNewcomer };
  }
  requireAsCountersigned(here, folder);
  const known = readNetwork(here);
  const { network } = changeOfOne(known, readKnown(folder, here));
  // An orderer's certificate lies beside what is told of it: here it is the old one still.
  const asTold = changeOfOne(known, readKnown(folder, folder));
  const { member } = asTold;
  // Before anything is done: who reads what should not be stops it there.
  for (const line of [...shownOf(common.ConfigUpdate.deserializeBinary(readUpdate(folder))), ...asTold.lines])
    show(line);
  await bringUpdateIntoForce(here, folder, asTold);
  if (!network.topology.members.some((each) => each.name === name)) {
    return { sequence: 0, isInForce: true, missing: [], isNewcomer };
  }
  if (member !== undefined && member !== name) adoptFiles(folder, here, [member]);
  await adopt(here, network);
  return { ...(await approveDefinition(here)), isNewcomer };
}

/** The member approves the definition that its folder asks for now, and commits it when it is the last one needed. */
async function approveDefinition(stateDir: string): Promise<Agreement> {
  const network = readNetwork(stateDir);
  const definition = definitionFor(network);
  writeDefinition(stateDir, definition);
  return agree(apartNetwork(network), definition);
}

/**
 * The member approves the definition of this version, with the collections of the chaincode that is built here. Contracts that are other
 * ones than those its nodes run serve beside them from before that until the definition is in force; what is replaced then is ended by
 * this or by asking again. Throws a CommandError where other code was built here and no start of ours runs the nodes.
 */
export async function upgradeDefinition(stateDir: string, version: string): Promise<Agreement> {
  const here = resolve(stateDir);
  const network = withVersion(readNetwork(here), version);
  const definition = definitionFor(network);
  if (definition.packageId !== readDefinition(here).packageId) {
    if (!runsNatively(here)) {
      throw new CommandError(
        'the chaincode was built anew since the nodes were started: stop them and start them first',
      );
    }
    for (const pair of ownPairs(memberPairs(network))) await startBeside(here, pair, definition);
  }
  writeNetwork(here, network);
  const agreement = await approveDefinition(here);
  if (agreement.isInForce) await endReplaced(here);
  return agreement;
}

/** A proposal holds all that is known of the members, so nothing that this folder has not heard of may be undone by it. */
async function proposeChange(
  stateDir: string,
  folder: string,
  change: (known: NetworkFile) => NetworkFile,
  places: string[] = [],
): Promise<ChannelProposal> {
  const here = resolve(stateDir);
  const { known, present } = await presentlyKnown(here);
  const { channel } = known.topology;
  const next = change(known);
  const update = configUpdate(channel, present, configuredBy(next, present));
  if (!update) throw new CommandError('the channel is already what this would make of it');
  writeUpdate(folder, update);
  writeKnown(folder, next, layout.genesis(here), [here, ...places]);
  return { folder, changes: [...shownOf(update), ...changeOfOne(known, next).lines] };
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

/** Has the orderers take the change unless they have. Throws a CommandError for one whose update says something else. */
async function bringUpdateIntoForce(here: string, folder: string, asTold: ToldChange): Promise<void> {
  const known = readNetwork(here);
  const { channel } = known.topology;
  const missing = async () => {
    const present = await presentOf(here, known);
    return { present, update: configUpdate(channel, present, configuredBy(asTold.network, present)) };
  };
  const { present, update } = await missing();
  if (!update) {
    // In force: then the channel has something that is new here, or nobody's signature is behind what is told.
    const isBehind = configUpdate(channel, configuredBy(known, present), present) !== undefined;
    if (isBehind || asTold.member === undefined) return;
    throw new CommandError(`${folder} tells something else of ${asTold.member}, and no change of the channel says so`);
  }
  await reviewed(here, folder);
  const running = runningChannel(here);
  await applyUpdate(running, readUpdate(folder), readSignatures(folder), await anyAnswering(running));
  // What a majority signed is the update; what else the folder says must be the same.
  const { update: different } = await missing();
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

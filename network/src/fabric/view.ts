/** The channel as a state folder sees it, and what a proposed change would make of it. */
import { resolve } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { channelConfig } from '../config/channel-config.js';
import { withConsenterCertificate } from '../config/update/consenters.js';
import { changesOf, configUpdate } from '../config/update/delta.js';
import { saysTheSame } from '../config/update/same.js';
import { shownOf } from '../config/update/shown.js';
import { keepStanding } from '../config/update/standing.js';
import { nextCertificate } from '../identity/replacement.js';
import { isExported, type NetworkFile, readNetwork } from '../prepare.js';
import { memberPairs, ordererPairs, ownPairs } from './establish.js';
import { hasKnown, readKnown } from './known.js';
import { anyAnswering, presentConfiguration, runningChannel } from './reconfigure.js';
import { changeOfOne } from './told.js';
import { readUpdate } from './update-files.js';

/**
 * What a folder knows of the members, and the channel's configuration, which says the same of them. Throws a CommandError
 * where it does not.
 */
export async function presentlyKnown(here: string): Promise<{ known: NetworkFile; present: common.ConfigGroup }> {
  const known = readNetwork(here);
  const present = await presentOf(here, known);
  const unknown = configUpdate(known.topology.channel, configuredBy(known, present), present);
  if (unknown) {
    const lines = changesOf(unknown).join('; ');
    throw new CommandError(
      `the channel has changed since this folder last took part (${lines}): apply that change first`,
    );
  }
  return { known, present };
}

/** The configuration in force of the channel that a state folder knows. */
export async function presentOf(here: string, known: NetworkFile): Promise<common.ConfigGroup> {
  return presentConfiguration(await anyAnswering(runningChannel(here, known)), known.topology.channel);
}

/** The configuration that a topology asks for, with what stands in the present one. */
export function configuredBy({ topology, material }: NetworkFile, present: common.ConfigGroup): common.ConfigGroup {
  return keepStanding(present, channelConfig(topology, material));
}

/**
 * What a proposed change does, for whoever signs it or has it taken. Throws a CommandError unless its update says just what
 * this folder's own view of the channel makes of it: roots, policies and orderers that differ are signed by nobody.
 */
export async function reviewed(stateDir: string, folder: string): Promise<string[]> {
  const here = resolve(stateDir);
  const bytes = readUpdate(folder);
  const { expected, told } = await expectedOf(here, folder);
  if (!expected.some((each) => saysTheSame(bytes, each))) {
    throw new CommandError(`${folder}: ${difference(bytes, expected[0])}`);
  }
  return [...shownOf(common.ConfigUpdate.deserializeBinary(bytes)), ...told];
}

function difference(bytes: Buffer, expected: common.ConfigUpdate | undefined): string {
  const [said, own] = [shownOf(common.ConfigUpdate.deserializeBinary(bytes)), expected ? shownOf(expected) : []];
  const only = [...said.filter((line) => !own.includes(line)), ...own.filter((line) => !said.includes(line))];
  const where = only.length > 0 ? only.join('; ') : 'in an element named above, such as a policy or an address';
  return `its update is not what this folder makes of the change, and is not to be signed; it differs: ${where}`;
}

interface Expected {
  readonly expected: readonly common.ConfigUpdate[];
  /** What the change tells beyond its update. */
  readonly told: readonly string[];
}

async function expectedOf(here: string, folder: string): Promise<Expected> {
  if (isExported(here)) {
    const { known, present } = await presentlyKnown(here);
    const { network, lines } = changeOfOne(known, readKnown(folder, folder));
    return { expected: updates(known, present, configuredBy(network, present)), told: lines };
  }
  const known = readNetwork(here);
  const present = await presentOf(here, known);
  const wanted = hasKnown(folder)
    ? [configuredBy(readKnown(folder, here), present)]
    : withNextKeys(known).map(({ node, certificate }) => withConsenterCertificate(present, node, certificate));
  return { expected: updates(known, present, ...wanted), told: [] };
}

function updates({ topology }: NetworkFile, present: common.ConfigGroup, ...wanted: common.ConfigGroup[]) {
  return wanted.flatMap((each) => configUpdate(topology.channel, present, each) ?? []);
}

/** Orderers of this folder that have another key beside the one in use. */
function withNextKeys(known: NetworkFile) {
  return ordererPairs(ownPairs(memberPairs(known))).flatMap(({ node, own }) => {
    const certificate = nextCertificate(own.tlsDir);
    return certificate === undefined ? [] : [{ node, certificate }];
  });
}

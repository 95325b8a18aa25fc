/** A new version of the chaincode where all members are in one folder, while its network runs. */
import { resolve } from 'node:path';
import { readDefinition, writeDefinition } from '../config/channel-files.js';
import type { ChaincodeDefinition } from '../config/definition.js';
import { definitionFor, type NetworkFile, readNetwork, writeNetwork } from '../prepare.js';
import { endReplaced, startBeside } from './beside.js';
import { memberPairs, peerAdmins } from './establish.js';
import { approveOwn, committedDefinition, defineChaincode, sameDefinition } from './lifecycle.js';
import { runningChannel } from './reconfigure.js';

/** The same members with another version of the chaincode. */
export function withVersion({ topology, material }: NetworkFile, version: string): NetworkFile {
  return { topology: { ...topology, chaincode: { ...topology.chaincode, version } }, material };
}

/**
 * Brings the contracts that are built here into force under a version: at one member after another they serve beside those in force
 * and are approved; one commits, from which block on all peers go by them, and those before are ended. `show` is told of each step.
 * Returns the definition's sequence. Interrupted anywhere, the same again does the rest.
 */
export async function upgradeTogether(
  stateDir: string,
  version: string,
  show: (line: string) => void,
): Promise<number> {
  const here = resolve(stateDir);
  const network = withVersion(readNetwork(here), version);
  const definition = definitionFor(network);
  const before = readDefinition(here);
  const pairs = memberPairs(network);
  const present = await inForce(here, definition);
  // Where only the code changes, the definition stays.
  const sequence = present.sequence + (present.isWanted ? 0 : 1);
  for (const pair of pairs) {
    if (definition.packageId !== before.packageId) await startBeside(here, pair, definition);
    await approveOwn(runningChannel(here), peerAdmins(pair).slice(0, 1), { ...definition, sequence });
    show(`${pair.member.name} has approved version ${version}, sequence ${sequence}`);
  }
  await commit(here, network, definition);
  await endReplaced(here);
  return sequence;
}

interface InForce {
  readonly sequence: number;
  /** Whether it says what is wanted; by which package is each member's own affair. */
  readonly isWanted: boolean;
}

async function inForce(here: string, wanted: ChaincodeDefinition): Promise<InForce> {
  const { channel, peers } = runningChannel(here);
  const [speaker] = peers;
  if (!speaker) throw new Error('a channel without peers has no chaincode');
  const committed = await committedDefinition(speaker, channel, wanted.name);
  if (!committed) return { sequence: 0, isWanted: false };
  return { sequence: committed.getSequence(), isWanted: sameDefinition(committed, wanted) };
}

/** What a start has comes first: one in between would bring the version before into force again. */
async function commit(here: string, network: NetworkFile, definition: ChaincodeDefinition): Promise<void> {
  const [known, before] = [readNetwork(here), readDefinition(here)];
  writeNetwork(here, network);
  writeDefinition(here, definition);
  try {
    await defineChaincode(runningChannel(here), definition);
  } catch (error) {
    if (!(await inForce(here, definition)).isWanted) {
      writeNetwork(here, known);
      writeDefinition(here, before);
    }
    throw error;
  }
}

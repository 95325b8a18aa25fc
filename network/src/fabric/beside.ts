/** New contracts at a member whose network runs natively: a process of their own beside that of the contracts in force. */
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command.js';
import {
  followerOf,
  readJson,
  readRunFile,
  type RecordedProcess,
  runningProcesses,
  signal,
} from '../commands/run-file.js';
import { chaincodePackage } from '../config/archive.js';
import type { ChaincodeDefinition } from '../config/definition.js';
import { type MemberPair, peerAdmins } from './establish.js';
import { installEverywhere, until } from './lifecycle.js';
import { answers } from './processes.js';
import { connectTo } from './render.js';
import { chaincodeAddress, chaincodeName, LOOK_SIGNAL, readSuccessors, writeSuccessors } from './successors.js';

/** The chaincode of the release that this program is of. */
const MAIN = fileURLToPath(new URL('../../../chaincode/dist/main.js', import.meta.url));
/** How long a process may take to listen, milliseconds: as long as at a start, on a machine that is busy with other things. */
const PATIENCE_MS = 180_000;

/** Whether a supervisor runs the nodes of a state folder on this machine. */
export function runsNatively(stateDir: string): boolean {
  return readRunFile(stateDir)?.ready === true;
}

/**
 * Has a member's peers install the package of the contracts built here, and a process serve it beside the present one; resolves once
 * it does. What an interrupted upgrade did stays; what one to other contracts did is taken back. Throws a CommandError where the new
 * process does not start: the one in force goes on; and, with nothing done, where the nodes are of a release that follows no upgrade.
 */
export async function startBeside(stateDir: string, pair: MemberPair, definition: ChaincodeDefinition): Promise<void> {
  follower(stateDir);
  const { packageId, name } = definition;
  const { member, own } = pair;
  const { inForce, next } = readSuccessors(stateDir);
  const isSame = next?.packageId === packageId && next.main === MAIN;
  if (next && !isSame) await withdraw(stateDir);
  const isBeside = inForce?.isBeside !== true;
  const address = chaincodeAddress(member, isBeside);
  for (const material of own.peers) connectTo(address, packageId, own, material);
  await installEverywhere(peerAdmins(pair), chaincodePackage(name));
  const members = [...new Set([...(isSame ? next.members : []), member.name])];
  writeSuccessors(stateDir, { ...(inForce && { inForce }), next: { packageId, main: MAIN, members } });
  tellNodes(stateDir);
  try {
    await listening(stateDir, chaincodeName(member.name, isBeside), address);
  } catch (error) {
    await withdraw(stateDir);
    throw error;
  }
}

/** The new contracts are in force: the processes of those before are ended. */
export async function endReplaced(stateDir: string): Promise<void> {
  const { inForce, next } = readSuccessors(stateDir);
  if (!next) return;
  follower(stateDir);
  const { packageId, main, members } = next;
  const isBeside = inForce?.isBeside !== true;
  writeSuccessors(stateDir, { inForce: { packageId, main, isBeside } });
  tellNodes(stateDir);
  await gone(stateDir, members, !isBeside);
}

/** Takes back what is not in force. */
async function withdraw(stateDir: string): Promise<void> {
  const { inForce, next } = readSuccessors(stateDir);
  writeSuccessors(stateDir, inForce ? { inForce } : {});
  tellNodes(stateDir);
  await gone(stateDir, next?.members ?? [], inForce?.isBeside !== true);
}

function tellNodes(stateDir: string): void {
  signal(follower(stateDir), LOOK_SIGNAL);
}

/** The process that runs the nodes. Throws a CommandError where there is none, or where telling it would end it. */
function follower(stateDir: string): RecordedProcess {
  const ledger = runningProcesses(stateDir).find(({ name }) => name === 'ledger');
  if (!ledger) throw new CommandError(`nothing runs from ${stateDir} any more: start it, then repeat`);
  const follows = readJson(followerOf(stateDir)) as RecordedProcess | undefined;
  if (follows?.pid === ledger.pid && follows.startTime === ledger.startTime) return ledger;
  throw new CommandError(
    `what runs from ${stateDir} is of a release that follows no upgrade: stop and start once, which brings these contracts into force`,
  );
}

/** Resolves once a process listens; throws a CommandError once it has ended instead. */
async function listening(stateDir: string, name: string, address: string): Promise<void> {
  let wasSeen = false;
  await until(
    `${name} at ${address}`,
    async () => {
      const isThere = runningProcesses(stateDir).some((each) => each.name === name);
      if (wasSeen && !isThere) throw new CommandError(`${name} did not start: log/${name}.log says why`);
      wasSeen = isThere;
      return isThere && (await answers(address));
    },
    PATIENCE_MS,
  );
}

async function gone(stateDir: string, members: readonly string[], isBeside: boolean): Promise<void> {
  const names = members.map((member) => chaincodeName(member, isBeside));
  const are = () => Promise.resolve(!runningProcesses(stateDir).some(({ name }) => names.includes(name)));
  await until(`the end of ${names.join(', ')}`, are, PATIENCE_MS);
}

/**
 * New contracts beside those in force, while a native network runs: each member has one process more until the new definition is in
 * force. Whoever upgrades writes here what is to run and tells the process that runs the nodes, by a signal.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { writePublic } from '../identity/files.js';
import { layout } from '../identity/layout.js';
import type { Member } from '../topology/model.js';
import { besideChaincodePort } from '../topology/nodes.js';

/** Tells the process that runs the nodes to look at the file. */
export const LOOK_SIGNAL = 'SIGUSR2';

/** Contracts that members' processes serve. */
export interface ServedCode {
  readonly packageId: string;
  /** Absolute path of the program. */
  readonly main: string;
}

/** Which chaincode processes run beyond what a start makes of the release that it is of. */
export interface Successors {
  /** What an upgrade since the start has put in the first ones' place, and whether it listens beside where those did. */
  readonly inForce?: ServedCode & { readonly isBeside: boolean };
  /** What is to be in force next, at the other one of the two places, and at which members it runs already. */
  readonly next?: ServedCode & { readonly members: readonly string[] };
}

/** What runs beyond a start's own: nothing where no upgrade was since. */
export function readSuccessors(stateDir: string): Successors {
  const file = layout.successors(stateDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Successors) : {};
}

/** Says what is to run beyond a start's own. */
export function writeSuccessors(stateDir: string, successors: Successors): void {
  const { inForce, next } = successors;
  if (inForce === undefined && next === undefined) rmSync(layout.successors(stateDir), { force: true });
  else writePublic(layout.successors(stateDir), `${JSON.stringify(successors, undefined, 2)}\n`);
}

/** What a member's chaincode process is called. */
export function chaincodeName(member: string, isBeside: boolean): string {
  return `chaincode${isBeside ? '-beside' : ''}.${member}`;
}

/** Where a member's chaincode process listens: host:port. */
export function chaincodeAddress(member: Member, isBeside: boolean): string {
  return `${member.chaincodeHost}:${isBeside ? besideChaincodePort(member) : member.chaincodePort}`;
}

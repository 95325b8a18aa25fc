/**
 * Orderers whose log is lost. Under its place in the channel such an orderer has forgotten what it voted for and may vote
 * twice, which Raft's safety does not cover: it is not started until the channel has let it go.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePublic } from './identity/files.js';
import { layout } from './identity/layout.js';
import type { Topology } from './topology/model.js';

const markOf = (stateDir: string, member: string): string => join(layout.orderer(stateDir, member), 'log-lost.json');
/** There from when the orderer first had a log: without it an empty folder is that of one which has yet to begin. */
const begunOf = (stateDir: string, member: string): string => join(layout.orderer(stateDir, member), 'log-begun.json');

/** Has the orderer of a member not be started from a state folder; `why` ends "its log is lost: ". */
export function markLogLost(stateDir: string, member: string, why: string): void {
  writePublic(markOf(stateDir, member), `${JSON.stringify({ why })}\n`);
}

/**
 * Remembers which orderers have a log in a state folder, and marks as lost the log of each that had one and has it no more whole.
 * For folders that the orderers themselves write to: what containers keep lies elsewhere.
 */
export function watchLogs(orderers: readonly OfMember[], stateDir: string): void {
  for (const { member } of orderers) {
    const [{ name }, begun] = [member, begunOf(stateDir, member.name)];
    if (isLogWhole(stateDir, name)) {
      if (!existsSync(begun)) writePublic(begun, '{}\n');
    } else if (existsSync(begun) && !existsSync(markOf(stateDir, name))) {
      markLogLost(stateDir, name, `${layout.ordererLog(layout.orderer(stateDir, name))} is gone, or not whole`);
    }
  }
}

interface OfMember {
  readonly member: { readonly name: string };
}

/** The orderers that may be started from a state folder; `tell` is told of each other one, and what is to be done about it. */
export function startable<T extends OfMember>(
  orderers: readonly T[],
  stateDir: string,
  tell: (line: string) => void,
): T[] {
  return orderers.filter(({ member }) => {
    const notice = lostLogNotice(stateDir, member.name);
    if (notice !== undefined) tell(notice);
    return notice === undefined;
  });
}

/** The notices of all orderers that are not started from a state folder. */
export function lostLogNotices(stateDir: string): string[] {
  return orderersIn(stateDir).flatMap((member) => lostLogNotice(stateDir, member) ?? []);
}

/** Why the orderer of a member is not started, and what whoever starts that member is to do; undefined where it is started. */
export function lostLogNotice(stateDir: string, member: string): string | undefined {
  const why = lostLog(stateDir, member);
  if (why === undefined) return undefined;
  return (
    `the orderer of ${member} is not started, its log is lost: ${why}. With an empty one it might vote twice. Have the channel let it ` +
    `go: orderer: replaced in its entry of the topology file, then salus propose, countersign, apply. Then have it taken in ` +
    `again: orderer: true, and the same; the next start starts it`
  );
}

/** The members whose orderer has a folder there. */
function orderersIn(stateDir: string): string[] {
  const folder = layout.orderers(stateDir);
  return existsSync(folder) ? readdirSync(folder) : [];
}

function lostLog(stateDir: string, member: string): string | undefined {
  const file = markOf(stateDir, member);
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { why: string }).why;
}

/**
 * Orderers that the channel has let go may begin anew: one that is taken in again has another number among those who vote.
 * Another certificate at its old place is no such sign, since an orderer keeps its number with it.
 */
export function forgetLost(stateDir: string, { members }: Topology): void {
  for (const member of orderersIn(stateDir)) {
    if (members.some(({ name, orderer }) => name === member && orderer)) continue;
    for (const mark of [markOf, begunOf]) rmSync(mark(stateDir, member), { force: true });
  }
}

/** Whether an orderer has begun a log in a state folder. */
export function hasLog(stateDir: string, member: string): boolean {
  return holds(layout.ordererLog(layout.orderer(stateDir, member)));
}

/** What it voted, and the blocks: an orderer that misses either has forgotten some of what it told others. */
const PARTS = [join('etcdraft', 'wal'), 'chains'];

function isLogWhole(stateDir: string, member: string): boolean {
  const log = layout.ordererLog(layout.orderer(stateDir, member));
  return PARTS.every((part) => holds(join(log, part)));
}

function holds(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

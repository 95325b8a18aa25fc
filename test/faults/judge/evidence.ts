/** What is to be found of a run once everything is healed: asked of gateways and peers, read from members' disks. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { salus } from '../../support/command.js';
import { HOSPITALS, type Members } from '../members.js';
import { openCalls } from '../outbox-view.js';
import { until } from '../until.js';
import { chainsOf } from './chains.js';
import { foundOf, type Found } from './found.js';
import { type HistoryLine, linesOf } from './history.js';
import { type Recorded, recordedAcross, recordedAtHome, unanchoredReads } from './records.js';
import { standings } from './standing.js';

/** How long everything may take to have caught up after the last fault, milliseconds. */
const SETTLE_MS = 120_000;

/** What the verdict is made from. */
export interface Evidence {
  readonly found: Readonly<Found>;
  /** By peer: hashes of header and data, flags and commit hash of each block. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** Members whose projection differs from what the ledger gives from genesis on. */
  readonly unlikeRebuild: readonly string[];
  /** One entry for each call that an outbox still has open. */
  readonly openCalls: readonly string[];
  /** One entry for each read that is in a log and not anchored. */
  readonly unanchored: readonly string[];
  /** Readers on record, and since when: in the read logs at home, and in the ledger's access records. */
  readonly recorded: { readonly local: Recorded; readonly remote: Recorded };
  /** Files that hold another's words; added when the network has stopped. */
  readonly escaped?: readonly string[];
}

/** Waits until all is at rest, so long at most, then asks for everything. */
export async function evidenceOf(members: Members, lines: readonly HistoryLine[]): Promise<Evidence> {
  await until(() => openIn(members).length === 0, SETTLE_MS);
  await until(() => unanchoredReads(members).length === 0, SETTLE_MS);
  // Before the judge's own reads come to it.
  const [unanchored, local] = [unanchoredReads(members), recordedAtHome(members)];
  const patients = linesOf(lines, 'patient');
  const found = await foundOf(members, patients, linesOf(lines, 'asked'));
  const remote = await recordedAcross(members, patients);
  return {
    found,
    chains: await chainsOf(members, SETTLE_MS),
    unlikeRebuild: await unlikeRebuild(members),
    openCalls: openIn(members),
    unanchored,
    recorded: { local, remote },
  };
}

function openIn(members: Members): string[] {
  return members.names
    .map((member) => members.dataOf(member))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => /outbox-[^/]*\.db$/.test(file))
    .flatMap((file) => Array.from({ length: openCalls(file) }, () => file));
}

async function unlikeRebuild(members: Members): Promise<string[]> {
  // What peers had later than its block is on its way for a while.
  await until(async () => (await standings(members, HOSPITALS)).every(({ awaited }) => awaited === 0), SETTLE_MS);
  const different: string[] = [];
  for (const member of members.names) {
    if ((await salus(members.stateDir, ['rebuild', '--member', member])).code !== 0) different.push(member);
  }
  return different;
}

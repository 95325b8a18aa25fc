/**
 * Another TLS key for an orderer. The others know it by the key that the channel's configuration has, so the configuration
 * changes first, and the orderer is started again with the new key at once: until then it is cut off from the others.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError } from '../command.js';
import { consenterCertificate, isSameKey, withConsenterCertificate } from '../config/update/consenters.js';
import { configUpdate } from '../config/update/delta.js';
import { shownOf } from '../config/update/shown.js';
import { writePublic } from '../identity/files.js';
import { layout, nextTls, tlsFiles } from '../identity/layout.js';
import { ensureNextTls } from '../identity/material.js';
import { nextCertificate, replaceTls } from '../identity/replacement.js';
import { isExported, readNetwork } from '../prepare.js';
import { memberPairs, type OrdererPair, ordererPairs, ownPairs } from './establish.js';
import { certificateIn, readKnown, writeKnown } from './known.js';
import type { ChannelProposal } from './proposal.js';
import { restartOrderer } from './restart.js';
import { changeOfOne } from './told.js';
import { writeUpdate } from './update-files.js';
import { presentlyKnown, presentOf } from './view.js';

/**
 * Makes another TLS key for the orderer of a member whose keys are here, beside the one it has, and writes the update by
 * which the channel knows it. The same key is proposed again until it is in its place. Throws a CommandError where the member
 * runs no orderer, or is another's.
 */
export async function proposeRotation(stateDir: string, name: string, folder: string): Promise<ChannelProposal> {
  const here = resolve(stateDir);
  const pair = ownOrderers(here).find(({ member }) => member.name === name);
  if (!pair) throw new CommandError(`${here} holds the keys of no orderer of ${name}`, 2);
  const { member, node, own } = pair;
  const { known, present } = await configurationFor(here);
  await ensureNextTls(member, node, own);
  const certificate = readFileSync(tlsFiles(nextTls(own.tlsDir)).cert, 'utf8');
  const { channel } = known.topology;
  const update = configUpdate(channel, present, withConsenterCertificate(present, node, certificate));
  if (!update) throw new CommandError(`the channel knows the orderer of ${name} by that key already`);
  writeUpdate(folder, update);
  if (!isExported(here)) return { folder, changes: shownOf(update) };
  writeKnown(folder, known, layout.genesis(here), [here]);
  writePublic(certificateIn(folder, name), certificate);
  return { folder, changes: [...shownOf(update), ...changeOfOne(known, readKnown(folder, folder)).lines] };
}

/**
 * Puts every new key in its place that the channel knows by now, and has its orderer started again with it: does what an
 * interrupted change left undone. Returns a line for each. `restart` starts a node again, and says how that went.
 */
export async function finishRotations(
  stateDir: string,
  restart: (pair: OrdererPair, channel: string) => Promise<string> = (pair, channel) =>
    restartFromOutside(stateDir, pair, channel),
): Promise<string[]> {
  const waiting = ownOrderers(stateDir).filter(({ own }) => nextCertificate(own.tlsDir) !== undefined);
  if (waiting.length === 0) return [];
  const known = readNetwork(stateDir);
  const { topology } = known;
  const present = await presentOf(stateDir, known);
  const lines: string[] = [];
  for (const pair of waiting) {
    const [standing, next] = [consenterCertificate(present, pair.node), nextCertificate(pair.own.tlsDir)];
    if (standing === undefined || next === undefined || !isSameKey(standing, next)) continue;
    replaceTls(pair.own.tlsDir);
    lines.push(await restart(pair, topology.channel));
  }
  return lines;
}

/** Orderers whose keys lie in this folder. */
function ownOrderers(stateDir: string): OrdererPair[] {
  return ordererPairs(ownPairs(memberPairs(readNetwork(stateDir))));
}

/** A folder of one member may have missed what the others did; where all are in one, the channel alone says. */
async function configurationFor(here: string) {
  if (isExported(here)) return presentlyKnown(here);
  const known = readNetwork(here);
  return { known, present: await presentOf(here, known) };
}

/** What became of an orderer that has its new key. */
async function restartFromOutside(stateDir: string, pair: OrdererPair, channel: string): Promise<string> {
  const name = `orderer.${pair.member.name}`;
  if (await restartOrderer(stateDir, pair, channel)) return `${name} runs with its new TLS key`;
  return `the new TLS key of ${name} is in its place: start that orderer again where it runs`;
}

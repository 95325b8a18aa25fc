/** Who starts with a channel: a change of the topology file waits until the channel has taken it. */
import { existsSync } from 'node:fs';
import { layout } from '../identity/layout.js';
import { readNetwork } from '../prepare.js';
import type { Member, Topology } from '../topology/model.js';

/**
 * The consortium of a topology file as far as its channel knows it: members and orderers that it has not taken in stay out, those
 * that it has not let go stay in. `waits` is told of each that differs. Before the channel's first start all of the file.
 */
export function inForce(wanted: Topology, stateDir: string, waits: (line: string) => void): Topology {
  if (!existsSync(layout.genesis(stateDir)) || !existsSync(layout.network(stateDir))) return wanted;
  const known = readNetwork(stateDir).topology;
  const has = (topology: Topology, name: string) => topology.members.some((each) => each.name === name);
  for (const { name } of wanted.members) {
    if (!has(known, name))
      waits(`${name} is not part of the channel yet, and is left out (salus join, countersign, apply)`);
  }
  const members = known.members.map((present) => {
    const entry = wanted.members.find(({ name }) => name === present.name);
    if (!entry) waits(`${present.name} is part of the channel still (salus leave, countersign, apply)`);
    return asPresent(entry ?? present, present, waits);
  });
  return { ...wanted, members, former: wanted.former.filter((name) => !has(known, name)) };
}

/** The entry of the file, with an orderer where the channel has one. */
function asPresent(entry: Member, present: Member, waits: (line: string) => void): Member {
  const { orderer, ...rest } = entry;
  if (Boolean(orderer) !== Boolean(present.orderer)) {
    waits(
      `the channel knows ${present.orderer ? 'an' : 'no'} orderer of ${entry.name} (salus propose, countersign, apply)`,
    );
  }
  const node = present.orderer && (orderer ?? present.orderer);
  return { ...rest, ...(node && { orderer: node }) };
}

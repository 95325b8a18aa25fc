/** Fabric's programs, each node under a group of its own: the firewall tells processes on one machine apart by it. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program, Programs } from '@salus/network/fabric/programs';
import type { Topology } from '@salus/network/topology';
import type { Cuttable } from './isolation.js';

const FIRST_GROUP = 30_000;

/** The nodes that may be cut off, by name. */
export function cuttableNodes(topology: Topology): ReadonlyMap<string, Cuttable> {
  const ports = topology.members.flatMap(({ name, peers, orderer }) => [
    ...peers.map((peer) => [`${peer.name}.${name}`, peer.port] as const),
    ...(orderer === undefined ? [] : [[`orderer.${name}`, orderer.port] as const]),
  ]);
  return new Map(ports.map(([name, port], index) => [name, { group: FIRST_GROUP + index, port }]));
}

/** Programs that become the given ones, after they took the group of the node whose configuration they are given. */
export function inGroups(folder: string, programs: Programs, nodes: ReadonlyMap<string, Cuttable>): Programs {
  mkdirSync(folder, { recursive: true });
  const wrap = (program: Program): string => {
    const file = join(folder, program);
    const cases = [...nodes].map(([name, { group }]) => `  *${placeOf(name)}*) group=${group} ;;`);
    const lines = ['#!/bin/sh', 'case "$FABRIC_CFG_PATH/" in', ...cases, 'esac'];
    writeFileSync(
      file,
      [...lines, `exec setpriv --regid "$group" --clear-groups ${programs[program]} "$@"`].join('\n'),
    );
    chmodSync(file, 0o755);
    return file;
  };
  return { peer: wrap('peer'), orderer: wrap('orderer') };
}

/** The part of the path of a node's configuration that no other node's has. */
function placeOf(name: string): string {
  const [node = '', member = ''] = name.split('.');
  return node === 'orderer' ? `/orderers/${member}/` : `/members/${member}/peers/${node}/`;
}

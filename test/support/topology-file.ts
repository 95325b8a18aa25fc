import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { DEFAULT_TOPOLOGY_FILE } from '@salus/network/topology';
import { portsFrom } from '@salus/network/topology/nodes';

/** A copy of the default topology on other ports, in a folder; returns its path. */
export function topologyAt(folder: string, portBase: number): string {
  const ports = Object.entries(portsFrom(portBase))
    .map(([kind, port]) => `  ${kind}: ${port}`)
    .join('\n');
  const text = readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8').replace(/^ports:\n(?: {2}.*\n)+/m, `ports:\n${ports}\n`);
  const file = join(folder, 'consortium.yaml');
  writeFileSync(file, text);
  return file;
}

/** A copy of the default topology with these of its members alone, on other ports, in a folder; returns its path. */
export function fewMembers(folder: string, portBase: number, members: readonly string[]): string {
  const file = topologyAt(folder, portBase);
  const [head = '', ...entries] = readFileSync(file, 'utf8').split(/^(?= {2}- name: )/m);
  const kept = entries.filter((entry) => members.some((name) => entry.startsWith(`  - name: ${name}\n`)));
  writeFileSync(file, [head, ...kept].join(''));
  return file;
}

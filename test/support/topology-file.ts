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

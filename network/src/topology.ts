import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Topology } from './topology/model.js';
import { parseTopology, type TopologyOverrides } from './topology/parse.js';

export * from './topology/model.js';
export type { TopologyOverrides } from './topology/parse.js';
export { TopologyError } from './topology/reader.js';

/** The topology file that comes with the project. */
export const DEFAULT_TOPOLOGY_FILE = fileURLToPath(new URL('../consortium.yaml', import.meta.url));

/** Reads and checks a topology file; throws TopologyError with file, line, what is wrong and what would be right. */
export function loadTopology(file: string = DEFAULT_TOPOLOGY_FILE, overrides: TopologyOverrides = {}): Topology {
  return parseTopology(readFileSync(file, 'utf8'), file, overrides);
}

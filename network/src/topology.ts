import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Topology } from './topology/model.js';
import { parseTopology, type TopologyOverrides } from './topology/parse.js';
import { TopologyError } from './topology/reader.js';

export * from './topology/model.js';
export type { TopologyOverrides } from './topology/parse.js';
export { TopologyError };

/** The topology file that comes with the project. */
export const DEFAULT_TOPOLOGY_FILE = fileURLToPath(new URL('../consortium.yaml', import.meta.url));

/** Reads and checks a topology file; throws TopologyError with file, line, what is wrong and what would be right. */
export function loadTopology(file: string = DEFAULT_TOPOLOGY_FILE, overrides: TopologyOverrides = {}): Topology {
  return parseTopology(textOf(file), file, overrides);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const remedy = 'name another in SALUS_TOPOLOGY, or unset it for the one that comes with the project';
    throw new TopologyError(
      file,
      1,
      `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? ''})`,
      remedy,
    );
  }
}

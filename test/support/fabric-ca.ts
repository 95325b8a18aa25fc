/** A real Fabric CA server for a test. */
import { readFileSync } from 'node:fs';
import { findFabricCaServer, type SearchPlaces } from '@salus/network/fabric/programs';
import { DEFAULT_TOPOLOGY_FILE, type Topology, type TopologyOverrides } from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';

/** Where the program may be. */
export const PLACES: SearchPlaces = { folder: process.env['SALUS_FABRIC_BIN'], path: process.env['PATH'] };

/** Without the program on this machine the running test shows as pending with the reason. */
export async function fabricCaOrPending(test: Mocha.Context): Promise<void> {
  try {
    await findFabricCaServer(PLACES);
  } catch {
    const title = test.test ?? test.currentTest;
    if (title !== undefined) title.title += ' (pending: fabric-ca-server is not on this machine)';
    test.skip();
  }
}

/** The default topology in which a member's `fabricCa` is as given, a YAML map on one line, and with more members. */
export function topologyWithFabricCa(
  member: string,
  fabricCa: string,
  overrides: TopologyOverrides = {},
  more = '',
): Topology {
  const text = readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8');
  const entry = `  - name: ${member}\n`;
  const changed = text.replace(entry, `${entry}    fabricCa: ${fabricCa}\n`);
  return parseTopology(`${changed}\n${more}`, DEFAULT_TOPOLOGY_FILE, overrides);
}

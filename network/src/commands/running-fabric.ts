import { CommandError } from '../command.js';
import { readEndpoints } from '../endpoints.js';
import type { SearchPlaces } from '../fabric/programs.js';

/** Refuses what only a channel of Fabric's can do: the embedded ledger takes no update of its configuration. */
export function requireFabric(stateDir: string): void {
  const engine = readEndpoints(stateDir)?.engine;
  if (engine === 'fabric') return;
  if (engine === undefined) throw new CommandError(`there is no network in ${stateDir}; start one with: npm start`);
  throw new CommandError(
    'the embedded ledger has one operator and takes no update of the channel configuration. ' +
      'Begin anew on it with: npm start -- --fresh; or run the consortium on Fabric: npm start -- --engine fabric',
  );
}

/** What a node answers is for people to read, without our stack. */
export async function explained<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && error.name === 'FabricRefusal') throw new CommandError(error.message);
    throw error;
  }
}

/** Where Fabric's programs may be. */
export function searchPlaces(): SearchPlaces {
  return { folder: process.env['SALUS_FABRIC_BIN'], path: process.env['PATH'] };
}

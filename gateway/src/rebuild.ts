/** Derives a projection from the ledger once more, beside the one in use. What it derives has no name in any folder. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { ifLost } from './fhir/outcome.js';
import type { KeyStore } from './keys/key-store.js';
import { connectLedger } from './ledger/fabric-ledger.js';
import { openProjection } from './open-projection.js';
import { follow } from './projection/follower.js';
import type { Projection } from './projection/projection.js';
import type { GatewaySettings } from './settings.js';

/** How often progress is shown, in milliseconds. */
const showEvery = 200;
/** What the folders begin with in which projections are derived. */
const SCRATCH = 'rebuild-';

/** Removes what a rebuild that was killed may have left among a member's data: no erasure would reach it. */
export function removeScratch(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(SCRATCH)) rmSync(join(dataDir, name), { recursive: true, force: true });
  }
}

/** A new projection whose files lose their names before anything is in them: however this process ends, they are gone. */
function openUnnamed(settings: GatewaySettings, keys: KeyStore): Projection {
  removeScratch(settings.dataDir);
  const folder = mkdtempSync(join(settings.dataDir, SCRATCH));
  try {
    return openProjection(settings, keys, { path: join(folder, 'again.db') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was derived anew. */
export interface Derived {
  readonly digest: string;
  /** Versions of which some content lies beside the ledger. */
  readonly beside: number;
  /** Names of those of which some is missing or damaged: `Type/id/_history/version`. */
  readonly lost: readonly string[];
}

/** Of a new projection that follows the ledger from genesis up to a block; every file that it names is read. */
export async function deriveAgain(
  settings: GatewaySettings,
  keys: KeyStore,
  block: number,
  progress: (line: string) => void,
): Promise<Derived> {
  const connected = connectLedger(settings);
  const projection = openUnnamed(settings, keys);
  try {
    await followTo(projection, connected, block, progress);
    return { digest: projection.digest(), ...contentsOf(projection) };
  } finally {
    projection.close();
    connected.close();
  }
}

/** Reads all that lies beside the ledger, one version after the other. */
function contentsOf(projection: Projection): Omit<Derived, 'digest'> {
  const lost: string[] = [];
  let beside = 0;
  for (let [entry] = projection.beside(0, 1); entry !== undefined; [entry] = projection.beside(entry.position, 1)) {
    const { stored } = entry;
    beside += 1;
    const isLost = ifLost(
      () => stored.text === '',
      () => true,
    );
    if (isLost) lost.push(`${stored.type}/${stored.id}/_history/${stored.version}`);
  }
  return { beside, lost };
}

/** Follows the ledger up to a block and no further, so that both digests are of the same moment. */
async function followTo(
  projection: Projection,
  connected: ReturnType<typeof connectLedger>,
  block: number,
  progress: (line: string) => void,
): Promise<void> {
  const stopping = new AbortController();
  const bounded = {
    ...connected,
    blocks: async function* (start: number, signal: AbortSignal) {
      for await (const next of connected.blocks(start, signal)) {
        yield next;
        if (next.number >= block) break;
      }
      stopping.abort();
    },
  };
  const shown = setInterval(() => {
    progress(`block ${projection.block} of ${block}`);
  }, showEvery);
  try {
    // What the peer has now is what counts: nothing is waited for.
    await follow(projection, bounded, stopping.signal, { heldMs: 0 });
  } finally {
    clearInterval(shown);
    progress('');
  }
}

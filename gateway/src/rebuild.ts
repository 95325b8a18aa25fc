/** Derives a projection from the ledger once more, beside the one in use. What it derives has no name in any folder. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

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

/** Of a new projection that follows the ledger from genesis up to a block. */
export async function digestAgain(
  settings: GatewaySettings,
  keys: KeyStore,
  block: number,
  progress: (line: string) => void,
): Promise<string> {
  const connected = connectLedger(settings);
  const projection = openUnnamed(settings, keys);
  try {
    await followTo(projection, connected, block, progress);
    return projection.digest();
  } finally {
    projection.close();
    connected.close();
  }
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

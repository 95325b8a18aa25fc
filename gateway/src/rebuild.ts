/** Derives a projection from the ledger once more, beside the one in use. */
import { DatabaseSync } from 'node:sqlite';

import type { KeyStore } from './keys/key-store.js';
import { connectLedger } from './ledger/fabric-ledger.js';
import { openProjection } from './open-projection.js';
import { follow } from './projection/follower.js';
import type { Projection } from './projection/projection.js';
import type { GatewaySettings } from './settings.js';

/** How often progress is shown, in milliseconds. */
const showEvery = 200;

/** Of a copy at one moment: the projection itself goes on meanwhile. */
export function digestInUse(
  settings: GatewaySettings,
  keys: KeyStore,
  file: string,
  copy: string,
): { readonly digest: string; readonly block: number; readonly awaited: number } {
  const database = new DatabaseSync(file);
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  const projection = openProjection(settings, keys, { path: copy });
  try {
    return { digest: projection.digest(), block: projection.block, awaited: projection.awaited };
  } finally {
    projection.close();
  }
}

/** Of a new projection that follows the ledger from genesis up to a block. */
export async function digestAgain(
  settings: GatewaySettings,
  keys: KeyStore,
  path: string,
  block: number,
  progress: (line: string) => void,
): Promise<string> {
  const connected = connectLedger(settings);
  const projection = openProjection(settings, keys, { path });
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

/** `salus rebuild`: derives a member's projection from the ledger once more, beside the one in use, and compares them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { type Command, CommandError, type CommandIo } from '@salus/network/command';

import { KeyStore } from '../keys/key-store.js';
import { connectLedger } from '../ledger/fabric-ledger.js';
import { openProjection, projectionFile } from '../open-projection.js';
import { follow } from '../projection/follower.js';
import type { Projection } from '../projection/projection.js';
import type { GatewaySettings } from '../settings.js';
import { memberSettings } from './members.js';

/** How often progress is shown, in milliseconds. */
const showEvery = 200;

export const rebuild: Command = {
  name: 'rebuild',
  summary: "derive a member's projection again from genesis and compare it with the one in use",
  options: [{ flags: '--member <name>', summary: 'whose projection', required: true }],
  async run(input, io) {
    const settings = memberSettings(io.stateDir, String(input.options['member']));
    const file = projectionFile(settings);
    if (!existsSync(file)) throw new CommandError(`${settings.member} has no projection yet; start it with: npm start`);
    const scratch = mkdtempSync(join(settings.dataDir, 'rebuild-'));
    const keys = new KeyStore(settings.dataDir);
    try {
      const inUse = digestInUse(settings, keys, file, join(scratch, 'in-use.db'));
      const again = await digestAgain(settings, keys, join(scratch, 'again.db'), inUse.block, io);
      io.out(`in use  ${inUse.digest} at block ${inUse.block}`);
      io.out(`rebuilt ${again} at block ${inUse.block}`);
      if (again === inUse.digest) return 0;
      io.err(`they differ: stop with "npm run salus -- down", delete ${file}, and the next start derives it again`);
      return 1;
    } finally {
      keys.close();
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

/** Of a copy at one moment: the projection itself goes on meanwhile. */
function digestInUse(
  settings: GatewaySettings,
  keys: KeyStore,
  file: string,
  copy: string,
): { readonly digest: string; readonly block: number } {
  const database = new DatabaseSync(file);
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  const projection = openProjection(settings, keys, { path: copy });
  try {
    return { digest: projection.digest(), block: projection.block };
  } finally {
    projection.close();
  }
}

async function digestAgain(
  settings: GatewaySettings,
  keys: KeyStore,
  path: string,
  block: number,
  io: CommandIo,
): Promise<string> {
  const connected = connectLedger(settings);
  const projection = openProjection(settings, keys, { path });
  try {
    await followTo(projection, connected, block, io);
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
  io: CommandIo,
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
    io.progress(`block ${projection.block} of ${block}`);
  }, showEvery);
  try {
    await follow(projection, bounded, stopping.signal);
  } finally {
    clearInterval(shown);
    io.progress('');
  }
}

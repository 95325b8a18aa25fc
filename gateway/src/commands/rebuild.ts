/** `salus rebuild`: derives a member's projection from the ledger once more, beside the one in use, and compares them. */
import { existsSync } from 'node:fs';

import { type Command, CommandError } from '@salus/network/command';

import { memberSettings } from './members.js';

/** `salus rebuild`; exit code 1 when the digests differ or content beside the ledger is lost. The projection in use is not touched. */
export const rebuild: Command = {
  name: 'rebuild',
  summary: "derive a member's projection again from genesis and compare it with the one in use",
  options: [{ flags: '--member <name>', summary: 'whose projection', required: true }],
  async run(input, io) {
    // Loaded only when asked for: every verb would wait for the gateway's code otherwise.
    const { KeyStore } = await import('../keys/key-store.js');
    const { projectionFile } = await import('../open-projection.js');
    const { digestOfFile } = await import('../projection/digest.js');
    const { deriveAgain } = await import('../rebuild.js');
    const settings = memberSettings(io.stateDir, String(input.options['member']));
    const file = projectionFile(settings);
    if (!existsSync(file)) throw new CommandError(`${settings.member} has no projection yet; start it with: npm start`);
    const inUse = digestOfFile(file);
    if (!inUse.isOfThisCode) {
      throw new CommandError(`the gateway of ${settings.member} runs other code: start it again first`);
    }
    const keys = new KeyStore(settings.dataDir);
    try {
      const again = await deriveAgain(settings, keys, inUse.block, (line) => {
        io.progress(line);
      });
      io.out(`in use  ${inUse.digest} at block ${inUse.block}`);
      io.out(`rebuilt ${again.digest} at block ${inUse.block}`);
      io.out(`beside the ledger: content of ${again.beside} versions, ${again.lost.length} of them lost`);
      for (const name of again.lost) io.err(`lost: content of ${name}; restore its file from a backup`);
      if (again.digest === inUse.digest) return again.lost.length === 0 ? 0 : 1;
      if (inUse.deriving > 0) {
        io.err(`they differ: the one in use still derives ${inUse.deriving} posted search parameters; try again later`);
        return 1;
      }
      if (inUse.awaited > 0) {
        io.err(
          `they differ: the peer has not delivered ${inUse.awaited} values to the one in use; try again in a minute`,
        );
        return 1;
      }
      io.err(`they differ: stop with "npm run salus -- down", delete ${file}, and the next start derives it again`);
      return 1;
    } finally {
      keys.close();
    }
  },
};

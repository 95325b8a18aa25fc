import { existsSync } from 'node:fs';
import { type Command, CommandError } from '../command.js';
import { readEndpoints } from '../endpoints.js';
import { layout } from '../identity/layout.js';

/** `salus export <folder> --member`, on Fabric. */
export const exportMember: Command = {
  name: 'export',
  summary: 'write the folder that a member needs on a machine of its own: its keys and no other',
  arguments: [{ name: 'folder', summary: 'where to write it', required: true }],
  options: [{ flags: '--member <name>', summary: 'which member', required: true }],
  async run({ args, options }, io) {
    requireParts(io.stateDir);
    const { exportMember: write } = await import('../fabric/export.js');
    const [folder = ''] = args;
    write(io.stateDir, String(options['member']), folder);
    io.out(`wrote ${folder}; its README says how to start from it`);
    io.out(
      `${io.stateDir} still holds these keys, those of the member's authorities too: ` +
        'once every member has its folder, delete it, and run nothing from it any more',
    );
    return 0;
  },
};

/** A channel of Fabric's is made of parts; the embedded ledger is one, and what was prepared for Fabric need not run yet. */
function requireParts(stateDir: string): void {
  if (!existsSync(layout.network(stateDir))) {
    throw new CommandError(`there is no network in ${stateDir}; start one with: npm start -- --engine fabric`);
  }
  if (readEndpoints(stateDir)?.engine === 'embedded') {
    throw new CommandError(
      'on the embedded ledger all members share one ledger: nobody can take a part of it away. ' +
        'Run the consortium on Fabric: npm start -- --engine fabric',
    );
  }
}

import type { Command } from '../command.js';

/** `salus export <folder> --member`, on Fabric. */
export const exportMember: Command = {
  name: 'export',
  summary: 'write the folder that a member needs on a machine of its own: its keys and no other',
  arguments: [{ name: 'folder', summary: 'where to write it', required: true }],
  options: [{ flags: '--member <name>', summary: 'which member', required: true }],
  async run({ args, options }, io) {
    const { exportMember: write } = await import('../fabric/export.js');
    const [folder = ''] = args;
    write(io.stateDir, String(options['member']), folder);
    io.out(`wrote ${folder}; its README says how to start from it`);
    return 0;
  },
};

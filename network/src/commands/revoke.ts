import type { Command } from '../command.js';
import { explained, requireFabric } from './running-fabric.js';

/** `salus revoke`, on Fabric: through the revocation list in the channel's configuration. */
export const revoke: Command = {
  name: 'revoke',
  summary: 'have every peer refuse a certificate of a member from the next block on',
  options: [
    { flags: '--member <name>', summary: 'whose certificate it is', required: true },
    { flags: '--identity <name>', summary: 'which one: peer0, gateway0 ...', required: true },
  ],
  async run({ options }, io) {
    requireFabric(io.stateDir);
    const { revokeIdentity } = await import('../fabric/revoke.js');
    const [member, identity] = [String(options['member']), String(options['identity'])];
    const serial = await explained(revokeIdentity(io.stateDir, member, identity));
    io.out(`${identity}.${member} is revoked (serial number ${serial}); it has a new certificate at its next start`);
    return 0;
  },
};

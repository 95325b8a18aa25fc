import type { Command } from '../command.js';
import { explained, requireFabric } from './running-fabric.js';

/** `salus revoke`, on Fabric: through the revocation list in the channel's configuration. */
export const revoke: Command = {
  name: 'revoke',
  summary: 'have every peer and orderer refuse a certificate of a member from the next block on',
  options: [
    { flags: '--member <name>', summary: 'whose certificate it is', required: true },
    {
      flags: '--identity <name>',
      summary: 'which one: peer0, gateway0 ..., admin; orderer or orderer-admin where it runs one',
      required: true,
    },
  ],
  async run({ options }, io) {
    requireFabric(io.stateDir);
    const { revokeIdentity } = await import('../fabric/revoke.js');
    const [member, identity] = [String(options['member']), String(options['identity'])];
    const { serialNumber, isInForce, isReplaced } = await explained(revokeIdentity(io.stateDir, member, identity));
    const name = `${identity}.${member}`;
    if (!isInForce) {
      io.out(`${name} has another certificate: start it again where it runs, then repeat this once a block has come`);
      io.out(`until then the one before (serial number ${serialNumber}) is not revoked`);
      return 0;
    }
    const next = isReplaced ? 'it has a new certificate' : 'it has a new certificate at its next start';
    io.out(`${name} is revoked (serial number ${serialNumber}); ${next}`);
    return 0;
  },
};

import type { CommandOption } from '../command.js';

/** What `start` and `up` take. */
export const startOptions: readonly CommandOption[] = [
  { flags: '--fresh', summary: 'delete the state first: new keys, an empty ledger' },
  {
    flags: '--engine <engine>',
    summary: 'embedded (one process, npm alone) or fabric (Hyperledger Fabric from SALUS_FABRIC_BIN or PATH)',
    default: 'embedded',
  },
];

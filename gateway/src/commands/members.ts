/** Finds a member's first gateway in the state folder. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { CommandError } from '@salus/network/command';

import { readSettings } from '../config.js';
import type { GatewaySettings } from '../settings.js';

/** Settings of the member's first gateway. Throws CommandError saying which members there are. */
export function memberSettings(stateDir: string, member: string): GatewaySettings {
  const members = join(stateDir, 'members');
  if (!existsSync(members)) throw new CommandError(`there is no network in ${stateDir}: start one with npm start`);
  const file = join(members, member, 'gateways', 'gateway0', 'settings.json');
  if (!/^[a-z][a-z0-9-]*$/.test(member) || !existsSync(file)) {
    throw new CommandError(`no member ${member}; members are ${readdirSync(members).join(', ')}`, 2);
  }
  return readSettings(file);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { GatewaySettings } from '@salus/gateway/settings';

/** Settings of a member's first gateway, as the network that runs in a state folder wrote them. */
export function gatewaySettings(stateDir: string, member: string): GatewaySettings {
  const file = join(stateDir, 'members', member, 'gateways', 'gateway0', 'settings.json');
  return JSON.parse(readFileSync(file, 'utf8')) as GatewaySettings;
}

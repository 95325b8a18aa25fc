/** Asks members' gateways as the demo's people do. */
import type { CommandIo } from '@salus/network/command';

import { memberSettings } from './members.js';
import { mintToken } from './token.js';

/** Sends a request to one member's gateway; the path is from its origin. */
export type Ask = (path: string, init?: Asked) => Promise<Response>;

/** What is asked, beyond the path. */
export interface Asked {
  readonly method?: string;
  readonly body?: string;
  /** Instead of application/json. */
  readonly contentType?: string;
}

/** Asks as somebody of a member in a role. */
export async function askerOf({ stateDir }: Pick<CommandIo, 'stateDir'>, member: string, role: string): Promise<Ask> {
  const { baseUrl } = memberSettings(stateDir, member);
  const token = await mintToken(stateDir, { member, role });
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  return (path, { contentType = 'application/json', ...init } = {}) =>
    fetch(new URL(path, baseUrl), { ...init, headers: { ...headers, 'content-type': contentType } });
}

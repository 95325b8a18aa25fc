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
  /** The newest block that the asker has heard of: who answers waits until it has it. */
  readonly minBlock?: number;
}

/** Asks as somebody of a member in a role. */
export async function askerOf({ stateDir }: Pick<CommandIo, 'stateDir'>, member: string, role: string): Promise<Ask> {
  const { baseUrl } = memberSettings(stateDir, member);
  const token = await mintToken(stateDir, { member, role });
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  return (path, { contentType = 'application/json', minBlock = 0, ...init } = {}) => {
    const more = { 'content-type': contentType, 'x-min-block': String(minBlock) };
    return fetch(new URL(path, baseUrl), { ...init, headers: { ...headers, ...more } });
  };
}

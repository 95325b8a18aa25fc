/** In whose name a transaction is submitted: what its member's gateway vouches for in the transient map (T3). */
import type { Actor } from '../ports.js';

/** The person, as the contracts know one. */
export type Vouched = Pick<Actor, 'user' | 'role' | 'purpose'>;

/** The gateway itself, for what no person asks. */
export const GATEWAY_ACTOR: Vouched = { user: 'gateway', role: 'admin', purpose: 'HSYSADMIN' };

/** The transient map of a request that no person makes. */
export function byGateway(request: object): { readonly request: Uint8Array; readonly actor: Uint8Array } {
  return { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(GATEWAY_ACTOR) };
}

/** The entry `actor` of the transient map. */
export function actorBytes({ user, role, purpose }: Vouched): Uint8Array {
  return Buffer.from(JSON.stringify({ user, role, purpose }));
}

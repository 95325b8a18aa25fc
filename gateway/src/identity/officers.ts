/** What is for some of a member's officers alone. */
import { Refusal } from '../ledger/refusal.js';
import type { Actor } from '../ports.js';

/** Throws Refusal `not-an-officer` for whoever comes in none of these roles. */
export function requireOfficer({ role }: Actor, roles: readonly string[]): void {
  if (!roles.includes(role)) throw new Refusal('forbidden', 'not-an-officer', `this is for ${roles.join(' and ')}`);
}

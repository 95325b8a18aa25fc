import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { MemberEntry } from './api';
import { CONSORTIUM, consortiumKind, memberKind } from './state';

/** Names of the members in the consortium's order; empty before it is in force. */
export async function memberNames(ctx: SalusContext): Promise<readonly string[]> {
  const consortium = await load(ctx, consortiumKind, CONSORTIUM);
  return consortium?.entry.members.map((member) => member.name) ?? [];
}

/** The entry in force of a member of the consortium in force; a member that left has none. */
export async function memberEntry(ctx: SalusContext, name: string): Promise<MemberEntry | undefined> {
  if (!(await memberNames(ctx)).includes(name)) return undefined;
  return (await load(ctx, memberKind, name))?.entry;
}

/** Whether the member has this role by its entry in force. */
export async function hasRole(ctx: SalusContext, name: string, role: string): Promise<boolean> {
  return (await memberEntry(ctx, name))?.roles.includes(role) ?? false;
}

/** What the commands that let people and apps in have in common. */
import { purposesOf } from '@salus/chaincode/access/api';
import { CommandError } from '@salus/network/command';

import { registerFile } from '../authorization/register.js';
import { memberSettings } from './members.js';

/** The register of a member's development authorization server. Throws CommandError in production, where there is none. */
export function registerOf(stateDir: string, member: string): string {
  const settings = memberSettings(stateDir, member);
  if (settings.production) throw new CommandError('a production network has no development authorization server');
  return registerFile(settings.dataDir);
}

/** Throws CommandError where the value of an option is no id that tokens may carry. */
export function requireId(option: string, id: string): void {
  if (/^[A-Za-z0-9._:-]{1,64}$/.test(id)) return;
  throw new CommandError(`${option} must be 1 to 64 of A-Z a-z 0-9 . _ : -`, 2);
}

/** Throws CommandError where there is no such role. */
export function requireRole(role: string): void {
  if (Object.hasOwn(purposesOf, role)) return;
  throw new CommandError(`no role ${role}; roles are ${Object.keys(purposesOf).join(', ')}`, 2);
}

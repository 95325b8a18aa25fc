/** `salus app`: registers a SMART app or backend service at a member's development authorization server. */
import { readFileSync } from 'node:fs';

import { type Command, CommandError } from '@salus/network/command';
import type { JWK } from 'jose';

import { register, type App } from '../authorization/register.js';
import { textOption } from './given.js';
import { registerOf, requireId, requireRole } from './sign-in.js';

/** `salus app`: an app that people sign in to has redirect URIs; a backend service has a role and keys instead. */
export const appCommand: Command = {
  name: 'app',
  summary: 'register a SMART app or backend service at the development authorization server',
  options: [
    { flags: '--member <name>', summary: 'whose gateway', required: true },
    { flags: '--id <id>', summary: 'its client_id', required: true },
    { flags: '--name <text>', summary: 'as people are shown it' },
    { flags: '--redirect <uris>', summary: 'where people are sent back to, separated by commas' },
    {
      flags: '--keys <file>',
      summary: 'its public keys, a JWK set: a file or an http(s) URL; without, a public client',
    },
    { flags: '--role <role>', summary: 'of a backend service: the role it acts in' },
    { flags: '--scope <scopes>', summary: 'what it may be granted at most, separated by spaces' },
  ],
  run(input, io) {
    const file = textOption(input, 'keys');
    addApp(io.stateDir, textOption(input, 'member') ?? '', {
      id: textOption(input, 'id') ?? '',
      name: textOption(input, 'name') ?? textOption(input, 'id') ?? '',
      redirectUris: textOption(input, 'redirect')?.split(',') ?? [],
      ...optional('role', textOption(input, 'role')),
      ...optional('scope', textOption(input, 'scope')),
      ...keysAt(file),
    });
    io.out(`${textOption(input, 'id') ?? ''} is registered`);
    return Promise.resolve(0);
  },
};

/** Registers it, in place of one with the same id. Throws CommandError where it is wrong, or in production. */
export function addApp(stateDir: string, member: string, app: App): void {
  const file = registerOf(stateDir, member);
  requireId('--id', app.id);
  if (!isWhole(app)) {
    throw new CommandError('an app needs --redirect; a backend service needs --role and --keys, and no --redirect', 2);
  }
  if (app.role !== undefined) requireRole(app.role);
  if (!app.redirectUris.every((uri) => URL.canParse(uri))) throw new CommandError('--redirect takes absolute URIs', 2);
  register(file, { app });
}

/** An app has somewhere to send people back to; a service has none, and keys instead. */
function isWhole({ role, redirectUris, keys, keysUrl }: App): boolean {
  const hasKeys = keys !== undefined || keysUrl !== undefined;
  return role === undefined ? redirectUris.length > 0 : hasKeys && redirectUris.length === 0;
}

function keysAt(place: string | undefined): Pick<App, 'keys' | 'keysUrl'> {
  if (place === undefined) return {};
  return /^https?:/.test(place) ? { keysUrl: place } : { keys: keysIn(place) };
}

function keysIn(file: string): readonly JWK[] {
  const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys?: readonly JWK[] };
  if (!Array.isArray(keys) || keys.some((key: JWK) => 'd' in key)) {
    throw new CommandError(`${file} must be a JWK set of public keys`, 2);
  }
  return keys as readonly JWK[];
}

function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<K, string>>);
}

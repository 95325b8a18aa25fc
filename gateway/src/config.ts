/** The gateway's configuration: settings files named on the command line, and the environment, read here alone. */
import { readFileSync } from 'node:fs';

import type { ExternalIssuer } from './identity/issuer.js';
import { parseRoleTable, type RoleTable } from './identity/roles.js';
import { isOrigin } from './fhir/import/source.js';
import { parseSettings, SettingsError, type GatewaySettings } from './settings.js';

/** Levels that SALUS_LOG_LEVEL may name, those of pino; `silent` writes nothing. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

/** All that a gateway process is told from outside. */
export interface GatewayConfig {
  readonly apps: readonly GatewaySettings[];
  /** The OpenID provider whose tokens are accepted; absent = the built-in development issuer. */
  readonly issuer?: ExternalIssuer;
  /** Origins of files that may be imported. */
  readonly importOrigins: readonly string[];
  /** Origins of those subscribers who may be told; empty = any of the public internet. */
  readonly subscriberOrigins: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Reads the settings files, SALUS_LOG_LEVEL and what says whose tokens count. Throws SettingsError. */
export function loadConfig(files: readonly string[]): GatewayConfig {
  if (files.length === 0) throw new SettingsError(['gateway'], 'needs at least one settings.json as an argument');
  const issuer = externalIssuer(process.env.SALUS_TOKEN_ISSUER, process.env.SALUS_TOKEN_JWKS, roleTable());
  const apps = files.map(readSettings);
  return {
    apps,
    importOrigins: originsIn('SALUS_IMPORT_ORIGINS', process.env.SALUS_IMPORT_ORIGINS, apps),
    subscriberOrigins: originsIn('SALUS_SUBSCRIBER_ORIGINS', process.env.SALUS_SUBSCRIBER_ORIGINS, apps),
    logLevel: logLevel(process.env.SALUS_LOG_LEVEL),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

function roleTable(): RoleTable | undefined {
  const file = process.env.SALUS_TOKEN_ROLES;
  return file === undefined || file === '' ? undefined : parseRoleTable(readText(file), file);
}

function externalIssuer(
  issuer: string | undefined,
  jwks: string | undefined,
  roles: RoleTable | undefined,
): ExternalIssuer | undefined {
  if (issuer === undefined && jwks === undefined && roles === undefined) return undefined;
  if (issuer === undefined || jwks === undefined || !URL.canParse(jwks)) {
    throw new SettingsError(['SALUS_TOKEN_ISSUER, SALUS_TOKEN_JWKS'], 'are set together: the issuer, and its JWKS URL');
  }
  return { issuer, jwks, ...(roles === undefined ? {} : { roles }) };
}

function originsIn(name: string, value: string | undefined, apps: readonly GatewaySettings[]): readonly string[] {
  const origins = (value ?? '').split(',').filter((each) => each !== '');
  const isProduction = apps.some(({ production }) => production);
  if (origins.every((each) => isOrigin(each, isProduction))) return origins;
  throw new SettingsError([name], 'is a list of origins such as https://files.example.org, with commas');
}

/** One gateway's settings. Throws SettingsError. */
export function readSettings(file: string): GatewaySettings {
  return parseSettings(readText(file), file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError([file], `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function logLevel(value: string | undefined): GatewayConfig['logLevel'] {
  if (value === undefined || value === '') return 'info';
  const found = LOG_LEVELS.find((level) => level === value);
  if (found === undefined) throw new SettingsError(['SALUS_LOG_LEVEL'], `must be one of ${LOG_LEVELS.join(', ')}`);
  return found;
}

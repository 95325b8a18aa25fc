/** The gateway's configuration: settings files named on the command line, and the environment, read here alone. */
import { readFileSync } from 'node:fs';

import { parseSettings, SettingsError, type GatewaySettings } from './settings.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

export interface GatewayConfig {
  readonly apps: readonly GatewaySettings[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Reads the settings files and SALUS_LOG_LEVEL. Throws SettingsError. */
export function loadConfig(files: readonly string[]): GatewayConfig {
  if (files.length === 0) throw new SettingsError(['gateway'], 'needs at least one settings.json as an argument');
  return { apps: files.map(readSettings), logLevel: logLevel(process.env.SALUS_LOG_LEVEL) };
}

function readSettings(file: string): GatewaySettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError([file], `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  return parseSettings(text, file);
}

function logLevel(value: string | undefined): GatewayConfig['logLevel'] {
  if (value === undefined || value === '') return 'info';
  const found = LOG_LEVELS.find((level) => level === value);
  if (found === undefined) throw new SettingsError(['SALUS_LOG_LEVEL'], `must be one of ${LOG_LEVELS.join(', ')}`);
  return found;
}

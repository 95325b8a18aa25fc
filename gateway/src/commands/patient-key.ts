/** A patient's own key in a file: read, or made where there is none; it is never sent anywhere. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { CommandError } from '@salus/network/command';
import type { JWK } from 'jose';

const OWNER_ONLY = 0o600;

/** A file's JSON. Throws CommandError. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandError(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

/** The private key (JWK) in a file; made, and its public part told, where there is none. */
export function readOrMakeKey(file: string, err: (line: string) => void): JWK {
  if (existsSync(file)) return readJson(file) as JWK;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
  const shown = { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' };
  writeFileSync(file, `${JSON.stringify({ ...shown, d })}\n`, { mode: OWNER_ONLY, flag: 'wx' });
  err(`made ${file}; have its public part registered at the custodian:`);
  err(JSON.stringify(shown));
  return { ...shown, d };
}

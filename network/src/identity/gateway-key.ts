import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { PublicJwk } from '../settings.js';
import { writeSecret } from './files.js';
import { keyPair } from './keys.js';

/** The gateway's signing key kept in this file (private JWK), made when there is none yet. Returns its public part. */
export function ensureGatewayKey(file: string): PublicJwk {
  if (!existsSync(file)) {
    const { privateKey } = keyPair();
    const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
    writeSecret(file, `${JSON.stringify({ ...publicJwk(x, y), d })}\n`);
  }
  const stored = JSON.parse(readFileSync(file, 'utf8')) as PublicJwk;
  return publicJwk(stored.x, stored.y);
}

function publicJwk(x: string, y: string): PublicJwk {
  return { kty: 'EC', crv: 'P-256', x, y, kid: thumbprint(x, y), alg: 'ES256', use: 'sig' };
}

/** RFC 7638 thumbprint: the key names itself. */
function thumbprint(x: string, y: string): string {
  const canonical = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y });
  return createHash('sha256').update(canonical).digest('base64url');
}

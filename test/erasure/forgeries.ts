/** A certificate of an erasure, checked as anybody checks it, and forgeries of it. */
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { rootOf, signCertificate, type CertificateClaims } from '@salus/gateway/erasure/certificate';
import { readSigningKey } from '@salus/gateway/identity/keys';
import type { GatewaySettings } from '@salus/gateway/settings';

import { salus } from '../support/command.js';

/** The certificate in what `$erasure/{id}` answered. */
function certificateIn(answer: string): string {
  const { parameter } = JSON.parse(answer) as { parameter: readonly { name: string; valueString: string }[] };
  return parameter.find(({ name }) => name === 'certificate')?.valueString ?? '';
}

/** Holds what `$erasure/{id}` answered to `salus verify-erasure`, whole and forged in every part. */
export async function holdsAsSignedAlone(stateDir: string, certified: string): Promise<void> {
  const checked = async (text: string, ...more: string[]): Promise<[number, string]> => {
    const file = join(stateDir, 'certificate.json');
    writeFileSync(file, text);
    const { code, out, err } = await salus(stateDir, ['verify-erasure', file, ...more]);
    return [code, `${out}${err}`];
  };
  const certificate = certificateIn(certified);
  for (const [text, member] of [
    [certified, 'authority'],
    [certificate, 'acme'],
  ] as const) {
    const [code, told] = await checked(text, '--member', member);
    assert.deepEqual(
      [code, /^stmary purged \d+ keys, each as signed and as on the ledger/.test(told)],
      [0, true],
      told,
    );
  }
  const forged = async (change: (claims: CertificateClaims) => object, by = 'stmary'): Promise<string> => {
    const [, payload = ''] = certificate.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as CertificateClaims;
    const file = join(stateDir, 'members', by, 'gateways', 'gateway0', 'settings.json');
    const { jwk } = JSON.parse(readFileSync(file, 'utf8')) as GatewaySettings;
    return await signCertificate({ ...claims, ...change(claims) }, readSigningKey(jwk));
  };
  const [head = '', payload = '', signature = ''] = certificate.split('.');
  const swapped = payload.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'));
  const more = rootOf(['ab'.repeat(32)]);
  for (const [text, finding] of [
    [[head, swapped, signature].join('.'), /no member signed this/],
    [await forged(() => ({}), 'northside'), /no member signed this/],
    [await forged(() => ({ kind: 'record' })), /no member signed this/],
    [await forged(() => ({ channel: 'other' })), /it is of channel other, not of health/],
    [await forged(() => ({ root: more })), /its root is not the one[^]*another erasure than it says/],
    [await forged(({ keyHashes }) => ({ keyHashes: keyHashes.slice(1) })), /its root[^]*another erasure/],
    [await forged(() => ({ keyHashes: ['ab'.repeat(32)], root: more })), /another erasure[^]*was not purged in/],
    [await forged(({ announced }) => ({ purged: [announced] })), /was not purged in/],
    [await forged(({ purged }) => ({ announced: purged[0] })), /announces no erasure/],
  ] as const) {
    const [code, told] = await checked(text);
    assert.equal(code, 1, told);
    assert.match(told, finding);
    assert.match(told, /not verified/);
  }
  assert.equal((await checked('{"resourceType":"Parameters"}'))[0], 2);
}

import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { nextTls, tlsFiles } from './layout.js';

/** The certificate (PEM) that is to take a TLS folder's place; undefined when none is. */
export function nextCertificate(dir: string): string | undefined {
  const { cert } = tlsFiles(nextTls(dir));
  return existsSync(cert) ? readFileSync(cert, 'utf8') : undefined;
}

/** Puts the next key and certificate in the place of those of a TLS folder, whose key is then gone. */
export function replaceTls(dir: string): void {
  const [next, own] = [tlsFiles(nextTls(dir)), tlsFiles(dir)];
  renameSync(next.key, own.key);
  renameSync(next.cert, own.cert);
  rmSync(nextTls(dir), { recursive: true });
}

/** Finishes a replacement that was interrupted between its key and its certificate: that key alone serves nothing. */
export function finishReplacement(dir: string): void {
  const [next, own] = [tlsFiles(nextTls(dir)), tlsFiles(dir)];
  if (!existsSync(next.cert) || existsSync(next.key)) return;
  renameSync(next.cert, own.cert);
  rmSync(nextTls(dir), { recursive: true });
}

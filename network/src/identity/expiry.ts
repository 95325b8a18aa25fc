import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** So many days before its end a certificate is shown: time enough to replace it. */
export const ENDING_DAYS = 30;

const DAY_MS = 86_400_000;
/** Where certificates lie in a state folder, and which folders below hold none that are in use. */
const PLACES = ['members', 'orderers', 'chaincode'];
const ELSEWHERE = new Set(['ledger', 'data', 'revoked']);
/** Deeper than any folder. */
const BUNDLE_DEPTH = 100;
/** Of a member's nodes, for its gateway to read. */
const NODE_BUNDLE = /nodes\.(identities|tls)\.pem$/;
const CERTIFICATE_FILE = /\.(pem|crt)$/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate that has ended or soon will. */
export interface EndingCertificate {
  /** Common name of its subject, such as peer0.stmary or ca.acme. */
  readonly name: string;
  /** The file that it was written to first, relative to that folder. */
  readonly file: string;
  /** RFC 3339. */
  readonly endsAt: string;
  /** Whole days from now; negative once it has ended. */
  readonly daysLeft: number;
}

/** Whether a certificate (PEM) ends within ENDING_DAYS. */
export function endsSoon(pem: string, now: number = Date.now()): boolean {
  return daysLeftOf(new X509Certificate(pem), now) < ENDING_DAYS;
}

/** Whether a certificate (PEM) is over. */
export function hasEnded(pem: string, now: number = Date.now()): boolean {
  return new X509Certificate(pem).validToDate.getTime() <= now;
}

/** The certificates of a state folder that end within ENDING_DAYS, the next to end first. */
export function endingCertificates(stateDir: string, now: number = Date.now()): EndingCertificate[] {
  const found = new Map<string, EndingCertificate>();
  for (const file of certificateFiles(stateDir)) {
    for (const [pem] of readFileSync(join(stateDir, file), 'utf8').matchAll(CERTIFICATE)) {
      const certificate = new X509Certificate(pem);
      const daysLeft = daysLeftOf(certificate, now);
      if (daysLeft >= ENDING_DAYS || found.has(certificate.fingerprint256)) continue;
      const endsAt = certificate.validToDate.toISOString();
      found.set(certificate.fingerprint256, { name: commonName(certificate), file, endsAt, daysLeft });
    }
  }
  return [...found.values()].sort((one, other) => one.endsAt.localeCompare(other.endsAt));
}

function daysLeftOf(certificate: X509Certificate, now: number): number {
  return Math.floor((certificate.validToDate.getTime() - now) / DAY_MS);
}

/** Files that may hold certificates, the originals first: bundles, and what lies deeper, are mostly copies. */
function certificateFiles(stateDir: string): string[] {
  const depth = (file: string) => file.split(sep).length + (isBundle(file) ? BUNDLE_DEPTH : 0);
  return PLACES.map((place) => join(stateDir, place))
    .filter((folder) => existsSync(folder))
    .flatMap(filesBelow)
    .map((file) => relative(stateDir, file))
    .sort((one, other) => depth(one) - depth(other) || one.localeCompare(other));
}

function isBundle(file: string): boolean {
  return file.includes(`${sep}roots${sep}`) || NODE_BUNDLE.test(file);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ELSEWHERE.has(entry.name) ? [] : filesBelow(path);
    return CERTIFICATE_FILE.test(entry.name) ? [path] : [];
  });
}

function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject;
}

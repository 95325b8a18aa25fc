import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Authority, type IdentityIssuer, type Issued, type NodeRole, type Subject } from './authority.js';
import { endsSoon, hasEnded } from './expiry.js';
import { writePublic, writeSecret } from './files.js';
import { type KeyFiles, mspFiles, mspRevocations, mspRoots, tlsFiles } from './layout.js';
import { nodeUnitsConfig } from './node-units.js';
import { writeLists } from './revoked.js';

/** An organisation's two authorities: for identities and for TLS. */
export interface Authorities {
  readonly organisation: string;
  readonly identities: IdentityIssuer;
  readonly tls: Authority;
  /** The lists (PEM) of what the organisation has revoked. */
  readonly revoked: readonly string[];
}

/** The authority kept in these files; a new one when there is none yet. */
export async function ensureAuthority(files: KeyFiles, subject: Subject): Promise<Authority> {
  const issued = read(files);
  if (issued) return Authority.load(issued);
  const authority = await Authority.create(subject);
  write(files, authority);
  return authority;
}

/** A local MSP folder in Fabric's layout: roots, NodeOUs, revocation lists, and the identity itself. */
export async function ensureIdentity(dir: string, from: Authorities, subject: Subject, role: NodeRole): Promise<void> {
  writeMsp(dir, from);
  // What belongs to no channel, such as an installation, a node judges by its own folder alone.
  writeLists(mspRevocations(dir), from.revoked);
  await ensureIssuedIdentity(mspFiles(dir), from.identities, subject, role);
}

/** Keeps an identity; makes it when it is not there yet, and anew when it ends soon. */
export async function ensureIssuedIdentity(
  files: KeyFiles,
  from: IdentityIssuer,
  subject: Subject,
  role: NodeRole,
  now: number = Date.now(),
): Promise<void> {
  const present = read(files);
  if (!present) {
    write(files, await from.identity(subject, role));
    return;
  }
  if (!endsSoon(present.certificate, now)) return;
  try {
    write(files, await from.renewed(present, subject, role));
  } catch (error) {
    // It still serves; `status` and the metrics name it as long as nobody could renew it.
    if (hasEnded(present.certificate, now)) throw error;
  }
}

/** What the others need to know of an organisation: its MSP folder without an identity. */
export function writeMsp(dir: string, from: Authorities): void {
  const roots = mspRoots(dir);
  writePublic(roots.ca, from.identities.certificate);
  writePublic(roots.tlsCa, from.tls.certificate);
  writePublic(join(dir, 'config.yaml'), nodeUnitsConfig('cacerts/ca.pem'));
}

/**
 * A TLS folder: certificate, key and the root it was issued under. What ends soon is issued anew: under a new key, or under
 * the one there is where others know that key, as they do an orderer's, which stands in the channel's configuration.
 */
export async function ensureTls(
  dir: string,
  authority: Authority,
  subject: Subject,
  hosts: readonly string[],
  isKeyKept = false,
): Promise<void> {
  const files = tlsFiles(dir);
  writePublic(files.ca, authority.certificate);
  await ensureIssued(files, (present) => authority.tls(subject, hosts, isKeyKept ? present?.key : undefined));
}

/** Keeps a certificate with its key; makes them when they are not there yet, and anew when it ends soon. */
export async function ensureIssued(
  files: KeyFiles,
  issue: (present: Issued | undefined) => Promise<Issued>,
): Promise<void> {
  const present = read(files);
  if (!present || endsSoon(present.certificate)) write(files, await issue(present));
}

function read(files: KeyFiles): Issued | undefined {
  if (!existsSync(files.cert)) return undefined;
  if (!existsSync(files.key)) {
    throw new Error(`${files.cert} has lost its key ${files.key}: restore the key, or delete ${dirname(files.cert)}`);
  }
  return { certificate: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
}

/** The certificate comes last: where it is, its key is too. */
function write(files: KeyFiles, issued: Issued): void {
  writeSecret(files.key, issued.key);
  writePublic(files.cert, issued.certificate);
}

/** When the certificates end that a gateway starts with: its own, the roots it checks others by, its member's other nodes'. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import type { GatewaySettings } from './settings.js';

/** A certificate in use. */
export interface CertificateEnd {
  /** Name of the file it was read from. */
  readonly file: string;
  /** Common name of its subject. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads every certificate that the settings name; of several of one name in a file the one that ends first. Throws when a file is missing or holds what is no certificate. */
export function certificateEnds({ identity, doorTls, peers, nodes }: GatewaySettings): CertificateEnd[] {
  const roots = [doorTls.ca, ...peers.map(({ tlsCa }) => tlsCa)];
  const files = new Set([identity.cert, doorTls.cert, ...roots, nodes.identities, nodes.tls]);
  const all = [...files].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(CERTIFICATE)].map(([pem]) => endOf(basename(file), pem)),
  );
  const latestFirst = all.sort((one, other) => other.endsAt - one.endsAt);
  return [...new Map(latestFirst.map((end) => [`${end.file} ${end.name}`, end])).values()];
}

function endOf(file: string, pem: string): CertificateEnd {
  const certificate = new X509Certificate(pem);
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  return { file, name, endsAt: certificate.validToDate.getTime() };
}

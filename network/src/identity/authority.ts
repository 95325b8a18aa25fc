import 'reflect-metadata';
import { createPrivateKey, type KeyObject, randomBytes, type X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { ALGORITHM, exported, keyPair, pairOf, verifyingKey, webKey } from './keys.js';
import { isLowS } from './signature.js';

/** A certificate and its private key (PKCS#8), both PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** Fabric's NodeOU roles: an identity has exactly one of them. */
export type NodeRole = 'client' | 'peer' | 'admin' | 'orderer';

/** Whom a certificate names: O, CN and OUs. None of it may name a person. */
export interface Subject {
  readonly organisation: string;
  readonly name: string;
  readonly units?: readonly string[];
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Clocks of members differ a little: what was issued just now is valid at once everywhere. */
const CLOCK_MARGIN = HOUR;
const ROOT_VALIDITY = 3650 * DAY;
const LEAF_VALIDITY = 365 * DAY;
/** A list stays in force until the next one replaces it; no peer asks for its end. */
const LIST_VALIDITY = ROOT_VALIDITY;

/** Who issues an organisation's identities: its built-in authority, or a Fabric CA server. */
export interface IdentityIssuer {
  /** PEM of the root. */
  readonly certificate: string;
  /** A Fabric identity: signs, and nothing else. Further units may follow the role, such as `gateway`. */
  identity(subject: Subject, role: NodeRole): Promise<Issued>;
  /** The same identity under a new key. */
  renewed(present: Issued, subject: Subject, role: NodeRole): Promise<Issued>;
  /** A revocation list (PEM) that names this certificate; `earlier` are those in force, which it replaces. */
  revocation(certificate: X509Certificate, earlier: readonly string[]): Promise<string>;
}

/** A member's built-in certificate authority. */
export class Authority implements IdentityIssuer {
  private constructor(
    readonly certificate: string,
    readonly key: string,
    private readonly parsed: x509.X509Certificate,
    private readonly signingKey: KeyObject,
  ) {}

  /** A new root for ten years. */
  static async create(subject: Subject): Promise<Authority> {
    const { privateKey, publicKey } = keyPair();
    const issuedAt = Date.now();
    const name = distinguishedName(subject);
    const parsed = await lowSCertificate({
      serialNumber: serialNumber(),
      subject: name,
      issuer: name,
      notBefore: new Date(issuedAt - CLOCK_MARGIN),
      notAfter: new Date(issuedAt + ROOT_VALIDITY),
      publicKey: verifyingKey(publicKey),
      signingKey: webKey(privateKey),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(verifyingKey(publicKey)),
      ],
    });
    return new Authority(pem(parsed), exported(privateKey), parsed, privateKey);
  }

  static load(issued: Issued): Authority {
    const parsed = new x509.X509Certificate(issued.certificate);
    return new Authority(issued.certificate, issued.key, parsed, createPrivateKey(issued.key));
  }

  identity(subject: Subject, role: NodeRole): Promise<Issued> {
    return this.issue({ ...subject, units: [role, ...(subject.units ?? [])] }, []);
  }

  renewed(_present: Issued, subject: Subject, role: NodeRole): Promise<Issued> {
    return this.identity(subject, role);
  }

  /**
   * A TLS certificate for both ends of a connection, valid for these host names and addresses, for a new key unless one
   * (PKCS#8 PEM) is given.
   */
  tls(subject: Subject, hosts: readonly string[], key?: string): Promise<Issued> {
    const names = hosts.map((host) => ({ type: isAddress(host) ? ('ip' as const) : ('dns' as const), value: host }));
    const extensions = [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ];
    return this.issue(subject, extensions, key === undefined ? keyPair() : pairOf(key));
  }

  revocation({ serialNumber }: X509Certificate, earlier: readonly string[]): Promise<string> {
    const serials = new Set([...earlier.flatMap(revokedSerialNumbers), serialNumber.toLowerCase()]);
    return this.revocationList([...serials]);
  }

  /** The revocation list (PEM) of these serial numbers, in hexadecimal; it replaces every earlier one. */
  async revocationList(serialNumbers: readonly string[]): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.parsed.subjectName.toJSON(),
      thisUpdate: new Date(),
      nextUpdate: new Date(Date.now() + LIST_VALIDITY),
      signingAlgorithm: ALGORITHM,
      signingKey: webKey(this.signingKey),
      // By it Fabric finds the authority whose certificates are meant.
      extensions: [await x509.AuthorityKeyIdentifierExtension.create(this.parsed)],
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
    });
    // Fabric knows a list by this label alone (RFC 7468).
    return `${x509.PemConverter.encode(list.rawData, 'X509 CRL').trim()}\n`;
  }

  private async issue(
    subject: Subject,
    extensions: x509.Extension[],
    { privateKey, publicKey } = keyPair(),
  ): Promise<Issued> {
    const certificate = await lowSCertificate({
      serialNumber: serialNumber(),
      subject: distinguishedName(subject),
      issuer: this.parsed.subjectName.toJSON(),
      // Fabric refuses an identity older than its root.
      notBefore: new Date(Math.max(Date.now() - CLOCK_MARGIN, this.parsed.notBefore.getTime())),
      notAfter: new Date(Date.now() + LEAF_VALIDITY),
      publicKey: verifyingKey(publicKey),
      signingKey: webKey(this.signingKey),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(verifyingKey(publicKey)),
        await x509.AuthorityKeyIdentifierExtension.create(this.parsed),
        ...extensions,
      ],
    });
    return { certificate: pem(certificate), key: exported(privateKey) };
  }
}

/** Serial numbers, in lower-case hexadecimal, that a revocation list (PEM) names. */
export function revokedSerialNumbers(list: string): string[] {
  return new x509.X509Crl(list).entries.map(({ serialNumber }) => serialNumber.toLowerCase());
}

/**
 * Fabric brings the signature of a certificate into low-S form before it hashes it. Issued so from the start, the hash
 * of the file is the hash Fabric uses. Half of all signatures are low already, so signing again soon gives one.
 */
async function lowSCertificate(params: x509.X509CertificateCreateParams): Promise<x509.X509Certificate> {
  for (;;) {
    const certificate = await x509.X509CertificateGenerator.create(params);
    if (isSignedLowS(certificate)) return certificate;
  }
}

/** Whether the signature of a certificate by a P-256 key is in low-S form. */
export function isSignedLowS(certificate: x509.X509Certificate): boolean {
  return isLowS(derSignature(certificate));
}

/** Signature of the certificate as it stands in its DER. */
function derSignature(certificate: x509.X509Certificate): Buffer {
  const raw = Buffer.from(certificate.rawData);
  // The last element: BIT STRING, length, no unused bits, then SEQUENCE { r, s } of at most 72 bytes.
  for (let length = 68; length <= 72; length++) {
    const start = raw.length - length;
    if (raw[start - 3] === 0x03 && raw[start - 2] === length + 1 && raw[start - 1] === 0) return raw.subarray(start);
  }
  throw new Error('a certificate without a P-256 signature');
}

function distinguishedName({ organisation, name, units = [] }: Subject): x509.JsonName {
  return [{ O: [organisation] }, ...units.map((unit) => ({ OU: [unit] })), { CN: [name] }];
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

/** 127 random bits with the top bit clear and the next set: positive, and no leading zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function isAddress(host: string): boolean {
  return /^\d+(\.\d+){3}$/.test(host);
}

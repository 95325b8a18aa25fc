import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { lowS } from '../../identity/signature.js';
import { derChildren, derTag, readDer, writeDer, type Der } from './der.js';

const ECDSA_WITH_SHA2 = Buffer.from('2a8648ce3d0403', 'hex');
const SUBJECT_KEY_ID = Buffer.from('551d0e', 'hex');
const EXTENSIONS_TAG = 0xa3;

/** An X.509 certificate with what Fabric's membership rules ask of it. */
export class Certificate {
  /** DER with the issuer's ECDSA signature in low-S form: the form Fabric hashes and compares. */
  readonly der: Buffer;
  /** Hex SHA-256 of the low-S DER: Fabric's identity id. */
  readonly id: string;
  /** Organizational units of the subject, in order. */
  readonly units: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
  readonly serialNumber: string;
  readonly publicKey: KeyObject;

  private constructor(private readonly x509: X509Certificate) {
    this.der = lowSCertificate(x509.raw);
    this.id = createHash('sha256').update(this.der).digest('hex');
    this.units = organizationalUnits(x509);
    this.notBefore = x509.validFromDate;
    this.notAfter = x509.validToDate;
    this.isAuthority = x509.ca;
    this.serialNumber = x509.serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
    this.publicKey = x509.publicKey;
  }

  /** Parses PEM or DER; throws when the bytes are no certificate. */
  static parse(bytes: Buffer): Certificate {
    return new Certificate(new X509Certificate(bytes));
  }

  get pem(): string {
    return this.x509.toString();
  }

  /** Whether the key is one that Fabric takes for an identity: ECDSA. */
  get hasSupportedKey(): boolean {
    return this.publicKey.asymmetricKeyType === 'ec';
  }

  isIssuedBy(issuer: Certificate): boolean {
    return this.x509.checkIssued(issuer.x509) && this.x509.verify(issuer.publicKey);
  }

  isValidAt(time: Date): boolean {
    return time >= this.notBefore && time <= this.notAfter;
  }

  /** The subject key identifier, which revocation lists name their issuer by. */
  subjectKeyId(): Buffer | undefined {
    const [body] = derChildren(readDer(this.x509.raw).content);
    const extensions = body && derChildren(body.content).find(({ tag }) => tag === EXTENSIONS_TAG);
    const value = extensions && extensionValue(extensions, SUBJECT_KEY_ID);
    return value && readDer(value).content;
  }
}

/** The value of one extension in an EXPLICIT Extensions element of a certificate or revocation list. */
export function extensionValue(explicit: Der, objectId: Buffer): Buffer | undefined {
  for (const extension of derChildren(readDer(explicit.content).content)) {
    const parts = derChildren(extension.content);
    if (parts[0]?.content.equals(objectId) === true) {
      return parts.find(({ tag }) => tag === derTag.octetString)?.content;
    }
  }
  return undefined;
}

function organizationalUnits(x509: X509Certificate): string[] {
  const subject = x509.toLegacyObject().subject as { OU?: string | string[] } | undefined;
  const units = subject?.OU;
  if (units === undefined) return [];
  return typeof units === 'string' ? [units] : [...units];
}

/** Certificates come from CAs that know nothing of low-S: the signature is rewritten, all else stays. */
function lowSCertificate(raw: Buffer): Buffer {
  const [body, algorithm, signature] = derChildren(readDer(raw).content);
  if (body === undefined || algorithm === undefined || signature === undefined) return raw;
  const objectId = derChildren(algorithm.content)[0]?.content;
  if (objectId === undefined || !objectId.subarray(0, ECDSA_WITH_SHA2.length).equals(ECDSA_WITH_SHA2)) return raw;
  const low = lowS(signature.content.subarray(1));
  const bits = writeDer(derTag.bitString, Buffer.concat([Buffer.of(0), low]));
  return writeDer(derTag.sequence, Buffer.concat([body.raw, algorithm.raw, bits]));
}

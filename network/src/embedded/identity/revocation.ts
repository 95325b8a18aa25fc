import { verify } from 'node:crypto';
import { extensionValue, type Certificate } from './certificate.js';
import { derChildren, derTag, readDer } from './der.js';

const AUTHORITY_KEY_ID = Buffer.from('551d23', 'hex');
const EXTENSIONS_TAG = 0xa0;

/** A certificate revocation list of an MSP's configuration (PEM or DER). */
export class RevocationList {
  private readonly body: Buffer;
  private readonly signature: Buffer;
  private readonly authorityKeyId: Buffer | undefined;
  private readonly serialNumbers: ReadonlySet<string>;

  constructor(bytes: Buffer) {
    const [body, , signature] = derChildren(readDer(derOf(bytes)).content);
    if (body === undefined || signature === undefined) throw new Error('revocation list without signature');
    this.body = body.raw;
    this.signature = signature.content.subarray(1);
    const fields = derChildren(body.content);
    const extensions = fields.find(({ tag }) => tag === EXTENSIONS_TAG);
    const authority = extensions && extensionValue(extensions, AUTHORITY_KEY_ID);
    this.authorityKeyId = authority && derChildren(readDer(authority).content)[0]?.content;
    this.serialNumbers = revokedSerialNumbers(fields.map(({ tag, content }) => ({ tag, content })));
  }

  /** Whether this list, signed by the authority, names the certificate. */
  revokes(certificate: Certificate, authority: Certificate): boolean {
    const keyId = authority.subjectKeyId();
    if (keyId === undefined || this.authorityKeyId?.equals(keyId) !== true) return false;
    if (!this.serialNumbers.has(certificate.serialNumber)) return false;
    return verify('sha256', this.body, authority.publicKey, this.signature);
  }
}

function derOf(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const base64 = /-----BEGIN X509 CRL-----([^-]+)-----END/.exec(text)?.[1];
  return base64 === undefined ? bytes : Buffer.from(base64, 'base64');
}

/** revokedCertificates is the SEQUENCE that follows the times of issue. */
function revokedSerialNumbers(fields: readonly { tag: number; content: Buffer }[]): Set<string> {
  const isTime = (tag: number): boolean => tag === derTag.utcTime || tag === derTag.generalizedTime;
  const afterTimes = fields.findLastIndex(({ tag }) => isTime(tag)) + 1;
  const revoked = fields[afterTimes];
  if (revoked?.tag !== derTag.sequence) return new Set();
  return new Set(
    derChildren(revoked.content).map((entry) => {
      const serial = derChildren(entry.content)[0]?.content ?? Buffer.alloc(0);
      return serial.toString('hex').replace(/^0+(?=.)/, '');
    }),
  );
}

/** Who may register, enrol and revoke at a Fabric CA: its credentials, and the certificate they are exchanged for. */
import 'reflect-metadata';
import { createPrivateKey, sign } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import type { Issued, Subject } from '../authority.js';
import { hasEnded } from '../expiry.js';
import { writePublic, writeSecret } from '../files.js';
import { ALGORITHM, exported, keyPair, verifyingKey, webKey } from '../keys.js';
import type { KeyFiles } from '../layout.js';
import { lowS } from '../signature.js';
import { type Authorisation, call, decoded, type FabricCaAddress, FabricCaRefusal } from './rest.js';

const FOR_OTHERS = 0o077;
const UNAUTHORISED = 401;

/** Name and enrolment secret of whoever a Fabric CA knows. */
export interface Credentials {
  readonly name: string;
  readonly secret: string;
}

/** Reads {"name", "secret"}; throws for a file that others than its owner may read. */
export function readCredentials(file: string): Credentials {
  if (!existsSync(file)) throw new Error(`${file} is missing: write {"name": "...", "secret": "..."} of a registrar`);
  if ((statSync(file).mode & FOR_OTHERS) !== 0) throw new Error(`${file} may be read by others: chmod 600 ${file}`);
  const { name, secret } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Credentials>;
  if (typeof name === 'string' && typeof secret === 'string') return { name, secret };
  throw new Error(`${file} is no registrar's: write {"name": "...", "secret": "..."}`);
}

/** A registrar of one authority; its own certificate is enrolled when first needed, and kept in these files. */
export class Registrar {
  constructor(
    private readonly ca: FabricCaAddress,
    private readonly credentials: Credentials,
    private readonly files: KeyFiles,
  ) {}

  /** Calls as the registrar; once more with a new certificate when the server does not know the present one. */
  async call(method: 'POST' | 'PUT', path: string, content: Readonly<Record<string, unknown>>) {
    const present = this.kept();
    if (!present) return call(this.ca, method, path, content, bearer(await this.enrolled()));
    try {
      return await call(this.ca, method, path, content, bearer(present));
    } catch (error) {
      if (!(error instanceof FabricCaRefusal) || error.status !== UNAUTHORISED) throw error;
      return call(this.ca, method, path, content, bearer(await this.enrolled()));
    }
  }

  private kept(): Issued | undefined {
    if (!existsSync(this.files.cert) || !existsSync(this.files.key)) return undefined;
    const certificate = readFileSync(this.files.cert, 'utf8');
    return hasEnded(certificate) ? undefined : { certificate, key: readFileSync(this.files.key, 'utf8') };
  }

  private async enrolled(): Promise<Issued> {
    const { name, secret } = this.credentials;
    const issued = await enrol(this.ca, { name }, basic(name, secret));
    writeSecret(this.files.key, issued.key);
    writePublic(this.files.cert, issued.certificate);
    return issued;
  }
}

/** A certificate under a fresh key for whoever the call is authorised as; `again` = by a certificate it has already. */
export async function enrol(
  ca: FabricCaAddress,
  subject: Partial<Subject> & { readonly name: string },
  authorise: Authorisation,
  again = false,
): Promise<Issued> {
  const { privateKey, publicKey } = keyPair();
  const { organisation, name } = subject;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...(organisation === undefined ? [] : [{ O: [organisation] }]), { CN: [name] }],
    keys: { privateKey: webKey(privateKey), publicKey: verifyingKey(publicKey) },
    signingAlgorithm: ALGORITHM,
  });
  const content = { certificate_request: request.toString('pem') };
  const result = await call(ca, 'POST', again ? 'reenroll' : 'enroll', content, authorise);
  return { certificate: `${decoded(result, 'Cert').trim()}\n`, key: exported(privateKey) };
}

/** RFC 7617, as a Fabric CA takes an enrolment's secret. */
export function basic(name: string, secret: string): Authorisation {
  const value = `Basic ${base64(`${name}:${secret}`)}`;
  return () => value;
}

/** Fabric CA's token: the certificate, and its signature over method, address, body and certificate. */
export function bearer({ certificate, key }: Issued): Authorisation {
  const signingKey = createPrivateKey(key);
  return (method, uri, body) => {
    const signed = [method, base64(uri), base64(body), base64(certificate)].join('.');
    const signature = lowS(sign('sha256', Buffer.from(signed), signingKey));
    return `${base64(certificate)}.${signature.toString('base64')}`;
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

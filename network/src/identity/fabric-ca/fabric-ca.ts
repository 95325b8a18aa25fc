import 'reflect-metadata';
import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import { type IdentityIssuer, isSignedLowS, type Issued, type NodeRole, type Subject } from '../authority.js';
import { hasEnded } from '../expiry.js';
import { writePublic } from '../files.js';
import { ensureAuthority, ensureIssued } from '../issue.js';
import { type KeyFiles, layout } from '../layout.js';
import { basic, bearer, enrol, readCredentials, Registrar } from './registrar.js';
import { call, decoded, type FabricCaAddress, FabricCaRefusal } from './rest.js';

const SECRET_BYTES = 32;
const CONFLICT = 409;
/** As often as somebody knows the secret, which nobody keeps. */
const NO_LIMIT = -1;
const ROOT_AFFILIATION = '.';

/** Where a Fabric CA is and with whose word it is asked: files on the member's own machine. */
export interface FabricCaAccess {
  readonly url: string;
  /** Name of the authority on its server; empty = the default one. */
  readonly name: string;
  /** PEM of the root of the server's TLS certificate. */
  readonly tlsRoot: string;
  /** JSON {"name", "secret"}, readable by its owner only. */
  readonly registrar: string;
  /** The certificate that the server is shown; absent: one of the caller's own TLS authority. */
  readonly client?: KeyFiles;
  /** Whose built-in TLS authority issues that one. */
  readonly caller: { readonly member: string; readonly memberDir: string };
}

/** An organisation's identities from a Fabric CA server: registered, enrolled, renewed and revoked there. */
export class FabricCa implements IdentityIssuer {
  private constructor(
    private readonly url: string,
    readonly certificate: string,
    private readonly ca: () => FabricCaAddress,
    private readonly registrar: () => Registrar,
  ) {}

  /** The server is asked for its root once; what is kept in `dir`, the organisation's folder, needs no server. */
  static async open(access: FabricCaAccess, dir: string): Promise<FabricCa> {
    const files = layout.fabricCa(dir);
    const client = access.client ?? (await ensureClient(access.caller));
    const ca = () => ({
      url: access.url,
      name: access.name,
      tlsRoot: readFileSync(access.tlsRoot, 'utf8'),
      client: { cert: readFileSync(client.cert, 'utf8'), key: readFileSync(client.key, 'utf8') },
    });
    if (!existsSync(files.root)) writePublic(files.root, await rootOf(ca()));
    const certificate = readFileSync(files.root, 'utf8');
    refuseOtherRoot(certificate, layout.authority(dir).cert, access.url);
    return new FabricCa(
      access.url,
      certificate,
      ca,
      () => new Registrar(ca(), readCredentials(access.registrar), files),
    );
  }

  async identity(subject: Subject, role: NodeRole): Promise<Issued> {
    const secret = randomBytes(SECRET_BYTES).toString('hex');
    await this.register(subject, role, secret);
    const issued = await enrol(this.ca(), subject, basic(subject.name, secret));
    return this.checked(issued, subject, role);
  }

  /** The same identity under a new key, on the word of the present one; of the registrar when that has ended. */
  async renewed(present: Issued, subject: Subject, role: NodeRole): Promise<Issued> {
    if (hasEnded(present.certificate)) return this.identity(subject, role);
    return this.checked(await enrol(this.ca(), subject, bearer(present), true), subject, role);
  }

  /** Revoked at the server, whose own list names what it revoked before too. */
  async revocation(certificate: X509Certificate): Promise<string> {
    const key = new x509.X509Certificate(certificate.raw).getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
    const registrar = this.registrar();
    const which = { serial: certificate.serialNumber.toLowerCase(), aki: key?.toLowerCase() };
    await registrar.call('POST', 'revoke', which).catch((error: unknown) => {
      // Asked again after the list did not reach the channel.
      if (!(error instanceof FabricCaRefusal) || !error.message.includes('already revoked')) throw error;
    });
    return decoded(await registrar.call('POST', 'gencrl', {}), 'CRL');
  }

  /** Makes the identity known, or gives a known one another secret: the one before was kept by nobody. */
  private async register(subject: Subject, type: NodeRole, secret: string): Promise<void> {
    const registrar = this.registrar();
    const affiliation = subject.units?.join('.') ?? ROOT_AFFILIATION;
    const wanted = { type, affiliation, secret, max_enrollments: NO_LIMIT };
    try {
      await registrar.call('POST', 'register', { id: subject.name, ...wanted });
    } catch (error) {
      if (!(error instanceof FabricCaRefusal) || error.status !== CONFLICT) throw error;
      await registrar.call('PUT', `identities/${subject.name}`, wanted);
    }
  }

  /** What a server of another configuration gives may be no identity that the channel's policies know. */
  private checked(issued: Issued, subject: Subject, role: NodeRole): Issued {
    const certificate = new X509Certificate(issued.certificate);
    const refuse = (problem: string): never => {
      throw new Error(`the Fabric CA at ${this.url} issued ${subject.name} ${problem}`);
    };
    if (!certificate.verify(new X509Certificate(this.certificate).publicKey)) refuse('under another root than its own');
    const named = certificate.toLegacyObject().subject as Partial<Record<string, string | string[]>>;
    const units = [named['OU'] ?? []].flat().sort().join(', ');
    const wanted = [role, ...(subject.units ?? [])].sort().join(', ');
    if (units !== wanted) refuse(`with the units ${units}; ${wanted} are needed`);
    if (named['CN'] !== subject.name) refuse(`as ${String(named['CN'])}`);
    if (!isSignedLowS(new x509.X509Certificate(issued.certificate))) refuse('with a signature that is not low-S');
    return issued;
  }
}

/** A member's certificate for calls to its server, under its own TLS root; a server of ours takes none but those. */
async function ensureClient({ member, memberDir }: FabricCaAccess['caller']): Promise<KeyFiles> {
  const files = layout.fabricCaClient(memberDir);
  const tls = await ensureAuthority(layout.tlsAuthority(memberDir), {
    organisation: member,
    name: `tlsca.${member}`,
  });
  const subject = { organisation: member, name: `fabric-ca-client.${member}` };
  await ensureIssued(files, () => tls.tls(subject, [subject.name]));
  return files;
}

/** An organisation has one root: what was issued under another would be nobody's. */
function refuseOtherRoot(root: string, builtIn: string, url: string): void {
  if (!existsSync(builtIn)) return;
  const [theirs, ours] = [new X509Certificate(root), new X509Certificate(readFileSync(builtIn))];
  if (theirs.fingerprint256 === ours.fingerprint256) return;
  throw new Error(`the Fabric CA at ${url} has another root than ${builtIn}: start it with that one and its key`);
}

async function rootOf(ca: FabricCaAddress): Promise<string> {
  const chain = decoded(await call(ca, 'POST', 'cainfo', {}), 'CAChain');
  const certificates = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const [root, ...more] = certificates;
  if (root === undefined || more.length > 0) {
    throw new Error(`the Fabric CA at ${ca.url} has a chain of ${certificates.length}: it must be a root itself`);
  }
  return `${root}\n`;
}

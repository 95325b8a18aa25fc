import { createHash } from 'node:crypto';
import { msp } from '@hyperledger/fabric-protos';
import type { Identity } from '../ports.js';
import { Certificate } from './certificate.js';
import { parseMspSettings, type MspSettings, type NodeRole, type OrganizationalUnit } from './msp-config.js';
import { verifyOnce } from './verify.js';

/** An identity deserialized by its MSP; whether it is valid there is a question of its own. */
export interface MspIdentity extends Identity {
  readonly certificate: Certificate;
  /** MSP id and certificate hash: what tells identities apart when endorsements are counted. */
  readonly key: string;
  readonly msp: Msp;
}

/**
 * The membership rules of one organization (msp/ of Fabric 2.5): chain to a root, revocation, exactly one NodeOU role.
 * Expiry is not asked: a certificate is judged as of one second after its own start.
 */
export class Msp {
  private readonly settings: MspSettings;
  private readonly innerAuthorities: ReadonlySet<string>;
  private readonly faults = new Map<string, string | undefined>();

  constructor(config: msp.FabricMSPConfig) {
    this.settings = parseMspSettings(config);
    const { roots, intermediates } = this.settings;
    this.innerAuthorities = new Set(
      [...roots, ...intermediates]
        .filter((authority) => intermediates.some((below) => below !== authority && below.isIssuedBy(authority)))
        .map(({ id }) => id),
    );
  }

  get mspId(): string {
    return this.settings.name;
  }

  /** Deserializes a msp.SerializedIdentity of this MSP; throws when its certificate is malformed or of another CA. */
  deserialize(serialized: Buffer, pem: Buffer): MspIdentity {
    if (!pem.includes('-----BEGIN')) throw new Error('could not decode the PEM structure');
    const certificate = Certificate.parse(pem);
    if (!certificate.isAuthority) this.chainOf(certificate);
    const keyId = certificate.id;
    return {
      mspId: this.mspId,
      bytes: serialized,
      certificatePem: certificate.pem,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      certificate,
      key: this.mspId + certificate.id,
      msp: this,
      verify: (message, signature) => verifyOnce(keyId, certificate.publicKey, message, signature),
    };
  }

  /** Why the certificate is no valid identity of this MSP, or undefined when it is one. */
  fault(certificate: Certificate): string | undefined {
    if (!this.faults.has(certificate.id)) this.faults.set(certificate.id, this.findFault(certificate));
    return this.faults.get(certificate.id);
  }

  isNamedAdmin(certificate: Certificate): boolean {
    return this.settings.admins.some(({ id }) => id === certificate.id);
  }

  hasRole(certificate: Certificate, role: NodeRole): boolean {
    const unit = this.settings.nodeUnits?.get(role);
    return unit !== undefined && certificate.units.includes(unit.name);
  }

  /** SHA-256 over the DER of the CAs that issued the certificate, issuer first: its certifiers identifier. */
  certifiersOf(certificate: Certificate): Buffer {
    return hashOfChain(this.chainOf(certificate).slice(1));
  }

  private findFault(certificate: Certificate): string | undefined {
    if (!certificate.hasSupportedKey) return "could not validate identity's public key algorithm";
    if (certificate.isAuthority) return 'a CA certificate cannot be used as an identity';
    const issuer = this.chainOf(certificate)[1];
    if (issuer === undefined) return 'could not obtain certification chain';
    if (this.innerAuthorities.has(issuer.id)) return 'the issuer must be a leaf of the certification tree';
    if (this.settings.revocations.some((list) => list.revokes(certificate, issuer))) {
      return 'The certificate has been revoked';
    }
    return this.unitFault(certificate) ?? this.roleFault(certificate);
  }

  private unitFault(certificate: Certificate): string | undefined {
    if (this.settings.units.length === 0) return undefined;
    const certifiers = this.certifiersOf(certificate);
    const matches = this.settings.units.some(
      (unit) => certificate.units.includes(unit.name) && this.unitCertifiers(unit)?.equals(certifiers) !== false,
    );
    return matches ? undefined : `none of the identity's organizational units are in MSP ${this.mspId}`;
  }

  private roleFault(certificate: Certificate): string | undefined {
    if (this.settings.nodeUnits === undefined) return undefined;
    const byName = new Map([...this.settings.nodeUnits.values()].map((unit) => [unit.name, unit]));
    const roles = certificate.units.flatMap((name) => byName.get(name) ?? []);
    const certifiers = this.certifiersOf(certificate);
    if (roles.some((unit) => this.unitCertifiers(unit)?.equals(certifiers) === false)) {
      return `certifiersIdentifier does not match, MSP: [${this.mspId}]`;
    }
    if (roles.length === 1) return undefined;
    return roles.length === 0
      ? `the identity does not have an OU that resolves to client, peer, orderer, or admin role, MSP: [${this.mspId}]`
      : 'the identity must have a client, a peer, an orderer, or an admin OU role to be valid, not a combination of them';
  }

  private unitCertifiers(unit: OrganizationalUnit): Buffer | undefined {
    if (unit.certificate === undefined) return undefined;
    const isRoot = this.settings.roots.some(({ id }) => id === unit.certificate?.id);
    return hashOfChain(isRoot ? [unit.certificate] : this.chainOf(unit.certificate));
  }

  /** The one chain from the certificate to a root; throws when there is none or more than one. */
  private chainOf(certificate: Certificate): readonly Certificate[] {
    const time = new Date(certificate.notBefore.getTime() + 1000);
    const chains = this.chainsFrom([certificate], time);
    const [chain] = chains;
    if (chain === undefined) throw new Error('the supplied identity is not valid: signed by unknown authority');
    if (chains.length > 1) {
      throw new Error(`this MSP only supports a single validation chain, got ${chains.length}`);
    }
    return chain;
  }

  private chainsFrom(start: readonly Certificate[], time: Date): Certificate[][] {
    const last = start.at(-1);
    if (last === undefined) return [];
    const issues = (authority: Certificate): boolean =>
      authority.isAuthority && authority.isValidAt(time) && !start.includes(authority) && last.isIssuedBy(authority);
    const ends = this.settings.roots.filter(issues).map((root) => [...start, root]);
    const longer = this.settings.intermediates
      .filter(issues)
      .flatMap((authority) => this.chainsFrom([...start, authority], time));
    return [...ends, ...longer];
  }
}

function hashOfChain(chain: readonly Certificate[]): Buffer {
  const hash = createHash('sha256');
  for (const { der } of chain) hash.update(der);
  return hash.digest();
}

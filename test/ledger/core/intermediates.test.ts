import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createHash, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { msp } from '@hyperledger/fabric-protos';
import { Msp } from '@salus/network/embedded/identity/msp';
import { Certificate } from '@salus/network/embedded/identity/certificate';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const YEAR = 365 * 24 * 3_600_000;

interface Issued {
  readonly pem: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

let serial = 0;

/** A certificate by an issuer, or by itself; `from` is the start of its validity. */
async function issue(name: string, issuer?: Issued, authority = true, from = Date.now() - 1000): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  serial += 1;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '1'),
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    notBefore: new Date(from),
    notAfter: new Date(from + YEAR),
    publicKey: keys.publicKey,
    signingKey: (issuer ?? { keys }).keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { pem: certificate.toString('pem'), certificate, keys };
}

function mspOf(roots: readonly Issued[], intermediates: readonly Issued[]): Msp {
  const config = new msp.FabricMSPConfig();
  config.setName('OrgMSP');
  config.setRootCertsList(roots.map(({ pem }) => Buffer.from(pem)));
  config.setIntermediateCertsList(intermediates.map(({ pem }) => Buffer.from(pem)));
  const units = new msp.FabricNodeOUs();
  units.setEnable(true);
  const peer = new msp.FabricOUIdentifier();
  peer.setOrganizationalUnitIdentifier('peer');
  units.setPeerOuIdentifier(peer);
  config.setFabricNodeOus(units);
  return new Msp(config);
}

const faultOf = (of: Msp, { pem }: Issued): string | undefined =>
  of.fault(of.deserialize(Buffer.alloc(0), Buffer.from(pem)).certificate);

describe('chains of certificates of the embedded ledger', () => {
  it('reach a root through an intermediate, which alone then issues identities', async () => {
    const root = await issue('CN=root');
    const intermediate = await issue('CN=intermediate', root);
    const organisation = mspOf([root], [intermediate]);
    const below = await issue('OU=peer,CN=below', intermediate, false);
    assert.equal(faultOf(organisation, below), undefined);
    const beside = await issue('OU=peer,CN=beside', root, false);
    assert.match(faultOf(organisation, beside) ?? '', /leaf of the certification tree/);
    const unknown = await issue('OU=peer,CN=unknown', await issue('CN=intermediate', root), false);
    assert.throws(() => faultOf(organisation, unknown), /unknown authority/);
  });

  it('hash to the certifiers identifier, issuer first, in low-S form', async () => {
    const root = await issue('CN=root');
    const intermediate = await issue('CN=intermediate', root);
    const organisation = mspOf([root], [intermediate]);
    const [below, upper, top] = [await issue('OU=peer,CN=below', intermediate, false), intermediate, root].map(
      ({ pem }) => Certificate.parse(Buffer.from(pem)),
    );
    const expected = createHash('sha256').update(upper!.der).update(top!.der).digest();
    assert.deepEqual(organisation.certifiersOf(below!), expected);
  });

  it('ignore expiry, but want the authority to be valid when the identity began', async () => {
    const root = await issue('CN=root', undefined, true, Date.now() - 3 * YEAR);
    const expired = await issue('OU=peer,CN=expired', root, false, Date.now() - 2.5 * YEAR);
    const organisation = mspOf([root], []);
    assert.equal(faultOf(organisation, expired), undefined);
    const older = await issue('OU=peer,CN=older', root, false, Date.now() - 4 * YEAR);
    assert.throws(() => faultOf(organisation, older), /unknown authority/);
  });
});

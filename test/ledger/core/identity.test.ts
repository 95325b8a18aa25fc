import assert from 'node:assert/strict';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { Certificate } from '@salus/network/embedded/identity/certificate';
import { derChildren, derTag, readDer, writeDer } from '@salus/network/embedded/identity/der';
import { FabricError, type Signer } from '@salus/network/embedded/ports';
import { Authority, type NodeRole } from '@salus/network/identity/authority';
import { isLowS } from '@salus/network/identity/signature';
import { createSigner, serializedIdentity } from '@salus/network/identity/signer';
import {
  rolePrincipal,
  signaturePolicy,
  testChannel,
  unitPrincipal,
  identityPrincipal,
} from '../../support/channel-config.js';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

async function identity(authority: Authority, mspId: string, role: NodeRole, units: string[] = []): Promise<Signer> {
  const { certificate, key } = await authority.identity({ organisation: mspId, name: role, units }, role);
  return createSigner(mspId, certificate, key);
}

/** The same signature with s in the upper half of the order, as signers that know nothing of Fabric make it. */
function highS(signature: Buffer): Buffer {
  const [r, s] = derChildren(readDer(signature).content);
  const high = (ORDER - BigInt(`0x${s!.content.toString('hex')}`)).toString(16).padStart(64, '0');
  const bytes = Buffer.from(`00${high}`, 'hex');
  return writeDer(derTag.sequence, Buffer.concat([r!.raw, writeDer(0x02, bytes)]));
}

/** A revocation list (RFC 5280) of one certificate, signed by its authority. */
function revocationList(authority: Authority, serial: string): Buffer {
  const algorithm = writeDer(derTag.sequence, Buffer.from('06082a8648ce3d040302', 'hex'));
  const time = writeDer(derTag.utcTime, Buffer.from('260101000000Z'));
  const certificate = Certificate.parse(Buffer.from(authority.certificate));
  const [body] = derChildren(readDer(new X509Certificate(authority.certificate).raw).content);
  const subject = derChildren(body!.content)[5]!.raw;
  const entry = writeDer(derTag.sequence, Buffer.concat([writeDer(0x02, Buffer.from(serial, 'hex')), time]));
  const keyId = writeDer(derTag.sequence, writeDer(0x80, certificate.subjectKeyId()!));
  const extension = Buffer.concat([Buffer.from('0603551d23', 'hex'), writeDer(derTag.octetString, keyId)]);
  const extensions = writeDer(0xa0, writeDer(derTag.sequence, writeDer(derTag.sequence, extension)));
  const list = writeDer(
    derTag.sequence,
    Buffer.concat([
      writeDer(0x02, Buffer.of(1)),
      algorithm,
      subject,
      time,
      time,
      writeDer(derTag.sequence, entry),
      extensions,
    ]),
  );
  const signature = sign('sha256', list, createPrivateKey(authority.key));
  return writeDer(
    derTag.sequence,
    Buffer.concat([list, algorithm, writeDer(derTag.bitString, Buffer.concat([Buffer.of(0), signature]))]),
  );
}

const refusal = (text: string) => (error: unknown) => error instanceof FabricError && error.message === text;
const MALFORMED = 'access denied: channel [test] creator org unknown, creator is malformed';
const DENIED = 'access denied: channel [test] creator org [Org1MSP]';

describe('identities of the embedded ledger', function () {
  this.timeout(60_000);
  let org1: Authority;
  let org2: Authority;

  before(async () => {
    org1 = await Authority.create({ organisation: 'org1', name: 'ca' });
    org2 = await Authority.create({ organisation: 'org2', name: 'ca' });
  });

  const channel = (revocations: readonly Buffer[] = []) =>
    testChannel([
      { mspId: 'Org1MSP', authority: org1, revocations },
      { mspId: 'Org2MSP', authority: org2 },
    ]);

  it('are valid with a chain to their MSP and exactly one role', async () => {
    for (const role of ['client', 'peer', 'admin', 'orderer'] as const) {
      const { identity: bytes } = await identity(org1, 'Org1MSP', role);
      assert.equal(channel().identity(bytes).mspId, 'Org1MSP');
    }
  });

  it('are malformed under an unknown MSP, with a certificate of another CA, or none', async () => {
    const foreign = await identity(org2, 'Org1MSP', 'peer');
    const unknown = await identity(org1, 'Org9MSP', 'peer');
    const garbage = serializedIdentity('Org1MSP', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    for (const bytes of [foreign.identity, unknown.identity, garbage, Buffer.from('nonsense')]) {
      assert.throws(() => channel().identity(bytes), refusal(MALFORMED));
    }
  });

  it('are refused with two roles, or none that the MSP knows', async () => {
    const two = await identity(org1, 'Org1MSP', 'client', ['admin']);
    const none = await identity(org1, 'Org1MSP', 'auditor' as NodeRole);
    for (const { identity: bytes } of [two, none]) assert.throws(() => channel().identity(bytes), refusal(DENIED));
    const authority = serializedIdentity('Org1MSP', org1.certificate);
    assert.throws(() => channel().identity(authority), refusal(DENIED));
  });

  it('are refused once their authority revoked them, and only by its own list', async () => {
    const issued = await org1.identity({ organisation: 'org1', name: 'revoked' }, 'client');
    const { identity: bytes } = createSigner('Org1MSP', issued.certificate, issued.key);
    const { serialNumber } = new X509Certificate(issued.certificate);
    assert.equal(channel([revocationList(org2, serialNumber)]).identity(bytes).mspId, 'Org1MSP');
    assert.throws(() => channel([revocationList(org1, serialNumber)]).identity(bytes), refusal(DENIED));
    const other = await identity(org1, 'Org1MSP', 'client');
    assert.equal(channel([revocationList(org1, serialNumber)]).identity(other.identity).mspId, 'Org1MSP');
  });

  it('verify low-S signatures only, every time', async () => {
    const signer = await identity(org1, 'Org1MSP', 'client');
    const message = Buffer.from('message');
    const signature = signer.sign(message);
    const verified = channel().identity(signer.identity);
    assert.ok(isLowS(signature));
    for (let round = 0; round < 2; round += 1) {
      assert.equal(verified.verify(message, signature), true);
      assert.equal(verified.verify(message, highS(signature)), false);
      assert.equal(verified.verify(Buffer.from('another'), signature), false);
    }
  });

  it('satisfy an organizational unit principal with its certifiers, in any order of units', async () => {
    const gateway = await identity(org1, 'Org1MSP', 'client', ['gateway']);
    const plain = await identity(org1, 'Org1MSP', 'client');
    const certifiers = createHash('sha256').update(new X509Certificate(org1.certificate).raw).digest();
    const member = (bytes: Buffer, mspId: string, unit: string, by: Buffer): boolean => {
      const envelope = signaturePolicy({ n: 1, of: [0] }, [unitPrincipal(mspId, unit, by)]);
      return channel().isMember(Buffer.from(envelope.serializeBinary()), bytes);
    };
    assert.equal(member(gateway.identity, 'Org1MSP', 'gateway', certifiers), true);
    assert.equal(member(plain.identity, 'Org1MSP', 'gateway', certifiers), false);
    assert.equal(member(gateway.identity, 'Org1MSP', 'Gateway', certifiers), false);
    assert.equal(member(gateway.identity, 'Org1MSP', 'gateway', Buffer.alloc(32)), false);
    assert.equal(member(gateway.identity, 'Org2MSP', 'gateway', certifiers), false);
  });

  it('satisfy roles and named identities of their own MSP only', async () => {
    const peer = await identity(org1, 'Org1MSP', 'peer');
    const other = await identity(org1, 'Org1MSP', 'peer');
    const member = (principal: ReturnType<typeof rolePrincipal>): boolean =>
      channel().isMember(Buffer.from(signaturePolicy({ n: 1, of: [0] }, [principal]).serializeBinary()), peer.identity);
    assert.equal(member(rolePrincipal('Org1MSP', 'PEER')), true);
    assert.equal(member(rolePrincipal('Org1MSP', 'MEMBER')), true);
    assert.equal(member(rolePrincipal('Org1MSP', 'ADMIN')), false);
    assert.equal(member(rolePrincipal('Org2MSP', 'PEER')), false);
    assert.equal(member(identityPrincipal(peer.identity)), true);
    assert.equal(member(identityPrincipal(other.identity)), false);
  });
});

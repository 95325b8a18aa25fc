import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { msp } from '@hyperledger/fabric-protos';
import type { Signer } from '../embedded/ports.js';
import { messageSigner } from './signature.js';

/** msp.SerializedIdentity of a certificate: what Fabric calls creator and endorser. */
export function serializedIdentity(mspId: string, certificatePem: string): Buffer {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(mspId);
  identity.setIdBytes(Buffer.from(certificatePem));
  return Buffer.from(identity.serializeBinary());
}

/** Signs with ECDSA P-256 and SHA-256, low-S, as Fabric demands. Keys are PKCS#8 PEM. */
export function createSigner(mspId: string, certificatePem: string, keyPem: string): Signer {
  return { identity: serializedIdentity(mspId, certificatePem), sign: messageSigner(keyPem) };
}

/** The signer of a local MSP folder in Fabric's layout (signcerts, keystore). */
export function signerOf(mspDir: string, mspId: string): Signer {
  return createSigner(mspId, onlyFile(join(mspDir, 'signcerts')), onlyFile(join(mspDir, 'keystore')));
}

function onlyFile(folder: string): string {
  const [name, ...more] = readdirSync(folder);
  if (name === undefined || more.length > 0) throw new Error(`${folder} must hold exactly one file`);
  return readFileSync(join(folder, name), 'utf8');
}

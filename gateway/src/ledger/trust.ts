/** Who is who in a block: certificates under the roots that the channel's configuration names. */
import { verify as verifySignature, X509Certificate, type KeyObject } from 'node:crypto';

import { common, msp } from '@hyperledger/fabric-protos';

/** Root and intermediate certificates by MSP id. */
export type TrustRoots = ReadonlyMap<string, readonly X509Certificate[]>;

/** The roots of all organisations in a config block. Throws when it is none. */
export function trustRootsOf(configBlock: common.Block): TrustRoots {
  const roots = new Map<string, readonly X509Certificate[]>();
  for (const group of ['Application', 'Orderer']) {
    for (const fabric of organisationsOf(configBlock, group)) addRoots(roots, fabric);
  }
  return roots;
}

/** MSP ids of the channel's members by a config block. Throws when it is none. */
export function membersOf(configBlock: common.Block): ReadonlySet<string> {
  return new Set(organisationsOf(configBlock, 'Application').map((fabric) => fabric.getName()));
}

function organisationsOf(configBlock: common.Block, group: string): readonly msp.FabricMSPConfig[] {
  const [bytes] = configBlock.getData()?.getDataList_asU8() ?? [];
  if (bytes === undefined) throw new Error('a config block holds one transaction');
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
  const config = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig();
  const found: msp.FabricMSPConfig[] = [];
  const organisations = config?.getChannelGroup()?.getGroupsMap().get(group)?.getGroupsMap();
  organisations?.forEach((organisation: common.ConfigGroup) => {
    const value = organisation.getValuesMap().get('MSP')?.getValue_asU8();
    if (value === undefined) return;
    found.push(msp.FabricMSPConfig.deserializeBinary(msp.MSPConfig.deserializeBinary(value).getConfig_asU8()));
  });
  return found;
}

function addRoots(roots: Map<string, readonly X509Certificate[]>, fabric: msp.FabricMSPConfig): void {
  const all = [...fabric.getRootCertsList_asU8(), ...fabric.getIntermediateCertsList_asU8()];
  roots.set(
    fabric.getName(),
    all.map((pem) => new X509Certificate(Buffer.from(pem))),
  );
}

/** Number of the config block that was in force when this block was made (orderer's LAST_CONFIG metadata). */
export function lastConfigOf(block: common.Block): number {
  const bytes = block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.LAST_CONFIG];
  if (bytes === undefined || bytes.length === 0) return 0;
  return common.LastConfig.deserializeBinary(common.Metadata.deserializeBinary(bytes).getValue_asU8()).getIndex();
}

/** Who signed, and whether the signature is its own and its certificate one of its organisation's. */
export interface Signed {
  readonly mspId: string;
  readonly verified: boolean;
}

/** Checks an ECDSA-SHA256 signature of a serialized identity over a message. */
export function checkSigned(
  identity: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  roots: TrustRoots,
): Signed {
  const { mspId, certificate } = readIdentity(identity);
  if (certificate === undefined) return { mspId, verified: false };
  const issued = (roots.get(mspId) ?? []).some((root) => isIssued(certificate, root));
  return { mspId, verified: issued && isSigned(certificate.publicKey, message, signature) };
}

function readIdentity(identity: Uint8Array): { readonly mspId: string; readonly certificate?: X509Certificate } {
  try {
    const read = msp.SerializedIdentity.deserializeBinary(identity);
    const mspId = read.getMspid();
    return { mspId, certificate: new X509Certificate(Buffer.from(read.getIdBytes_asU8())) };
  } catch {
    return { mspId: '' };
  }
}

function isIssued(certificate: X509Certificate, root: X509Certificate): boolean {
  return certificate.checkIssued(root) && certificate.verify(root.publicKey);
}

function isSigned(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature('sha256', message, key, signature);
  } catch {
    return false;
  }
}

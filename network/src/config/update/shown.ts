/** A configuration update in words, for whoever is asked to sign it. */
import { createHash, X509Certificate } from 'node:crypto';
import { common, msp, orderer } from '@hyperledger/fabric-protos';
import type { Organisation } from '../../identity/material.js';
import { changesOf } from './delta.js';

/**
 * What an update does: the elements that it changes, then the SHA-256 of each root that it brings, as `openssl x509
 * -fingerprint -sha256` prints it, and the orderers that it leaves the channel with. Policies and settings are not spelled
 * out: whoever signs has them recomputed.
 */
export function shownOf(update: common.ConfigUpdate): string[] {
  const sections = update.getWriteSet()?.getGroupsMap();
  const roots: string[] = [];
  for (const name of ['Application', 'Orderer']) {
    const organisations = sections?.get(name)?.getGroupsMap();
    organisations?.forEach((group, mspId) => roots.push(...rootLines(mspId, group)));
  }
  const written = sections?.get('Orderer')?.getValuesMap().get('ConsensusType');
  return [...changesOf(update), ...roots, ...(written ? consenterLines(written) : [])];
}

/** The SHA-256 of a certificate (PEM), in the form in which two people compare it by telephone. */
export function fingerprint(certificate: string): string {
  try {
    return new X509Certificate(certificate).fingerprint256;
  } catch {
    return 'none, since it is no certificate';
  }
}

function rootLines(mspId: string, group: common.ConfigGroup): string[] {
  const bytes = group.getValuesMap().get('MSP')?.getValue_asU8();
  if (!bytes || bytes.length === 0) return [];
  const wrapped = msp.MSPConfig.deserializeBinary(bytes);
  const config = msp.FabricMSPConfig.deserializeBinary(wrapped.getConfig_asU8());
  const text = ([root]: Uint8Array[]) => Buffer.from(root ?? []).toString();
  const [ca, tlsCa] = [text(config.getRootCertsList_asU8()), text(config.getTlsRootCertsList_asU8())];
  return organisationLines({ mspId, ca, tlsCa });
}

/** The roots of an organisation, one line each, as who brings them and who signs them are both shown them. */
export function organisationLines({ mspId, ca, tlsCa }: Organisation): string[] {
  return [
    `${mspId}: root of identities, in SHA-256: ${fingerprint(ca)}`,
    `${mspId}: root of TLS, in SHA-256: ${fingerprint(tlsCa)}`,
  ];
}

function consenterLines(value: common.ConfigValue): string[] {
  if (value.getValue_asU8().length === 0) return [];
  const type = orderer.ConsensusType.deserializeBinary(value.getValue_asU8());
  const metadata = orderer.etcdraft.ConfigMetadata.deserializeBinary(type.getMetadata_asU8());
  return metadata.getConsentersList().map((each) => {
    const certificate = new X509Certificate(each.getServerTlsCert_asU8());
    const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
    const digest = createHash('sha256').update(key).digest('hex');
    return `orders from then on: ${each.getHost()}:${each.getPort()}, TLS key in SHA-256: ${digest}`;
  });
}

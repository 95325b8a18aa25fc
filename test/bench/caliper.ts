import { join, relative } from 'node:path';
import { layout, tlsFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf } from '@salus/network/topology';
import { stringify } from 'yaml';
import { gatewayIdentity } from '../support/embedded-network.js';
import { projectRoot } from '../support/shared.js';

const MEMBER = 'stmary';
/** Where connector, workload and benchmark file lie, from the project's folder. */
export const CALIPER = 'test/bench/caliper';

/** Caliper's network configuration, version 2: paths are relative to its workspace, the project's folder. */
export function networkFile(prepared: PreparedState): string {
  const { topology, stateDir, definition } = prepared;
  const inWorkspace = (file: string): string => relative(projectRoot, file);
  const member = memberOf(topology, MEMBER);
  const identity = gatewayIdentity(prepared, MEMBER);
  const [key, cert] = [inWorkspace(identity.key), inWorkspace(identity.cert)];
  const peers = member.peers.map(({ name, host, port }) => ({
    endpoint: `${host}:${port}`,
    tlsCACerts: { path: inWorkspace(tlsFiles(join(layout.peer(layout.member(stateDir, MEMBER), name), 'tls')).ca) },
  }));
  const certificate = {
    name: `gateway0.${MEMBER}`,
    clientPrivateKey: { path: key },
    clientSignedCert: { path: cert },
  };
  return stringify({
    name: 'Salus',
    version: '2.0.0',
    caliper: { blockchain: `./${CALIPER}/connector.cjs` },
    salus: { tls: { key, cert } },
    channels: [{ channelName: topology.channel, contracts: [{ id: definition.name }] }],
    organizations: [{ mspid: member.mspId, identities: { certificates: [certificate] }, peers }],
  });
}

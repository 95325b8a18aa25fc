import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePublic } from './identity/files.js';
import { layout } from './identity/layout.js';
import type { Material } from './identity/material.js';
import { peerAddress } from './identity/settings.js';
import type { Topology } from './topology/model.js';

/** How one member of a running network is reached. */
export interface MemberEndpoints {
  readonly mspId: string;
  /** FHIR R4 base. */
  readonly fhir: string;
  readonly door: string;
  readonly epcis: string;
  readonly ledger: string;
  /** Where its first gateway itself listens, on its own machine. */
  readonly gateway: string;
  /** host:port of its first peer. */
  readonly peer: string;
  /** Files: root of the peer's TLS certificate; certificate and key of the member's gateway. */
  readonly peerTlsCa: string;
  readonly cert: string;
  readonly key: string;
}

/** endpoints.json: what programs outside need to know of a running network. */
export interface Endpoints {
  readonly engine: 'embedded' | 'fabric';
  readonly channel: string;
  readonly chaincode: string;
  readonly members: Readonly<Record<string, MemberEndpoints>>;
}

/** What endpoints.json says of the network that last ran from a state folder; undefined before the first. */
export function readEndpoints(stateDir: string): Endpoints | undefined {
  const file = layout.endpoints(stateDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Endpoints) : undefined;
}

/** Writes endpoints.json and returns what it says. */
export function writeEndpoints(topology: Topology, material: Material, engine: Endpoints['engine']): Endpoints {
  const members = topology.members.flatMap((member, index) => {
    const own = material.members[index];
    const [gateway] = member.gateways;
    const [peer] = member.peers;
    if (!own || !gateway || !peer) return [];
    const base = gateway.publicUrl;
    const dir = layout.gateway(own.dir, gateway.name);
    const { endpoint, tlsCa } = peerAddress(member, own, peer);
    const entry: MemberEndpoints = {
      mspId: member.mspId,
      fhir: `${base}/fhir/R4`,
      door: `https://${gateway.host}:${gateway.doorPort}`,
      epcis: `${base}/epcis`,
      ledger: `${base}/ledger`,
      gateway: `http://${gateway.httpHost}:${gateway.port}`,
      peer: endpoint,
      peerTlsCa: tlsCa,
      cert: join(dir, 'cert.pem'),
      key: join(dir, 'key.pem'),
    };
    return [[member.name, entry] as const];
  });
  const { channel, chaincode } = topology;
  const endpoints: Endpoints = { engine, channel, chaincode: chaincode.name, members: Object.fromEntries(members) };
  writePublic(layout.endpoints(material.stateDir), `${JSON.stringify(endpoints, null, 2)}\n`);
  return endpoints;
}

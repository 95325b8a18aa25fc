import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writePublic, writeSecret } from '../identity/files.js';
import { layout, mspRoots, tlsFiles } from '../identity/layout.js';
import type { MemberMaterial, OrdererMaterial, PeerMaterial } from '../identity/material.js';
import type { Member, OrdererNode, PeerNode } from '../topology/model.js';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
/** Folder of the project's external builder for chaincode as a service. */
const BUILDER_DIR = fileURLToPath(new URL('../../builder', import.meta.url));

/** Where a peer keeps what external builders made, below its data. */
const BUILT = join('externalbuilder', 'builds');

/** Of a template, where a value goes. */
const PLACE = /\$\{(\w+)\}/g;
const QUOTED_OR_PLACE = /'[^']*'|\$\{(\w+)\}/g;
/** What YAML reads as it stands. */
const PLAIN = /^[\w/.][\w/.:@+-]*$/;

/** A node's own folder of configuration, as FABRIC_CFG_PATH. */
export interface RenderedNode {
  readonly configDir: string;
  /** Further environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Writes core.yaml of one peer, and what its builder needs to reach the member's chaincode. */
export function renderPeer(
  member: Member,
  node: PeerNode,
  own: MemberMaterial,
  material: PeerMaterial,
  builderDir: string = BUILDER_DIR,
): RenderedNode {
  const configDir = layout.peer(own.dir, node.name);
  const tls = tlsFiles(material.tlsDir);
  const connection = connectionFile(own, node);
  const dataDir = dataOf(own, node);
  writePublic(
    join(configDir, 'core.yaml'),
    fill('core.yaml', {
      id: `${node.name}.${member.name}`,
      address: `${node.host}:${node.port}`,
      listen: `${node.listenHost}:${node.port}`,
      chaincodeListen: `${node.listenHost}:${node.chaincodeListenPort}`,
      mspId: member.mspId,
      mspDir: material.mspDir,
      dataDir,
      ...tlsValues(tls),
      clientRoots: own.clientRoots,
      bootstrap: bootstrap(member, node),
      builderDir,
      operations: `${node.listenHost}:${node.operationsPort}`,
      ...ownRoots(material.mspDir),
    }),
  );
  const present = existsSync(connection) ? readFileSync(connection, 'utf8') : undefined;
  const wanted = chaincodeConnection(`${member.chaincodeHost}:${member.chaincodePort}`, own, tls);
  if (wanted !== present) {
    // The builder copied the old one, with the certificate of then; what it built is built anew when it is missing. It goes
    // first: interrupted in between, the next time sees that the connection is another one.
    rmSync(join(dataDir, BUILT), { recursive: true, force: true });
    writeSecret(connection, wanted);
  }
  return { configDir, environment: { SALUS_BUILDER_CONNECTION: connection } };
}

/**
 * Has a peer reach what it installs from now on at another address, and a package that it has already too, once its present process
 * ends: the peer reads the builder's copy whenever it connects.
 */
export function connectTo(address: string, packageId: string, own: MemberMaterial, material: PeerMaterial): void {
  const connection = chaincodeConnection(address, own, tlsFiles(material.tlsDir));
  writeSecret(connectionFile(own, material), connection);
  // Fabric names the folder after the package, with a dash for what a path may not hold.
  const built = join(dataOf(own, material), BUILT, packageId.replaceAll(':', '-'));
  const copy = join(built, 'release', 'chaincode', 'server', 'connection.json');
  if (existsSync(copy)) writeSecret(copy, connection);
}

const connectionFile = (own: MemberMaterial, { name }: { readonly name: string }): string =>
  join(layout.peer(own.dir, name), 'connection.json');

const dataOf = (own: MemberMaterial, { name }: { readonly name: string }): string =>
  join(layout.memberLedger(own.dir), name);

/** Writes orderer.yaml of one orderer. */
export function renderOrderer(node: OrdererNode, own: OrdererMaterial): RenderedNode {
  const configDir = join(own.dir, 'node');
  writePublic(
    join(configDir, 'orderer.yaml'),
    fill('orderer.yaml', {
      listenHost: node.listenHost,
      listenPort: String(node.port),
      mspId: node.mspId,
      mspDir: own.mspDir,
      dataDir: layout.ordererLog(own.dir),
      ...tlsValues(tlsFiles(own.tlsDir)),
      clientRoots: own.clientRoots,
      ...ownRoots(own.mspDir),
      admin: `${node.listenHost}:${node.adminPort}`,
      operations: `${node.listenHost}:${node.operationsPort}`,
    }),
  );
  return { configDir, environment: {} };
}

/** Files of the roots of the node's own organisation. */
function ownRoots(mspDir: string) {
  const { ca, tlsCa } = mspRoots(mspDir);
  return { ownCa: ca, ownTlsCa: tlsCa };
}

/** The member's first other peer; a member's only peer names itself. */
function bootstrap(member: Member, node: PeerNode): string {
  const other = member.peers.find(({ name }) => name !== node.name) ?? node;
  return `${other.host}:${other.port}`;
}

/** connection.json as Fabric's chaincode as a service reads it; mutual TLS, with the peer's own certificate. */
function chaincodeConnection(address: string, own: MemberMaterial, peer: { cert: string; key: string }): string {
  const connection = {
    address,
    dial_timeout: '10s',
    tls_required: true,
    client_auth_required: true,
    client_key: readFileSync(peer.key, 'utf8'),
    client_cert: readFileSync(peer.cert, 'utf8'),
    root_cert: readFileSync(tlsFiles(own.chaincodeTlsDir).ca, 'utf8'),
  };
  return `${JSON.stringify(connection, null, 2)}\n`;
}

function tlsValues({ cert, key, ca }: { cert: string; key: string; ca: string }) {
  return { tlsCert: cert, tlsKey: key, tlsCa: ca };
}

/** A template with its places filled, each with one scalar of YAML or a list; throws when one is given no value. */
export function fill(template: string, values: Readonly<Record<string, string | readonly string[]>>): string {
  const text = readFileSync(join(TEMPLATES, template), 'utf8');
  const valueOf = (name: string): string | readonly string[] => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} asks for ${name}, which nobody gives`);
    return value;
  };
  return text
    .split('\n')
    .map((line) =>
      line.replace(QUOTED_OR_PLACE, (found, bare?: string) => {
        if (bare !== undefined) return scalar(valueOf(bare));
        return found.replace(PLACE, (_, name: string) => escaped(String(valueOf(name))));
      }),
    )
    .join('\n');
}

/** A path may hold what YAML takes for a comment or a quote. */
function scalar(value: string | readonly string[]): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return PLAIN.test(value) ? value : `'${escaped(value)}'`;
}

function escaped(value: string): string {
  return value.replaceAll("'", "''");
}

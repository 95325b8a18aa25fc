/** An embedded ledger for a test: every member's peers and the orderers in this process, the test chaincode beside it. */
import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import {
  connect,
  hash,
  signers,
  type CloseableAsyncIterable,
  type ConnectOptions,
  type Contract,
  type Gateway,
  type Network,
} from '@hyperledger/fabric-gateway';
import type { CollectionTemplate } from '@salus/network/config/collections';
import { startEmbedded, type EmbeddedNetwork, type EmbeddedOptions } from '@salus/network/embedded/node/network';
import { layout, tlsFiles, type KeyFiles } from '@salus/network/identity/layout';
import { ensureAuthority, ensureIssued } from '@salus/network/identity/issue';
import { messageSigner } from '@salus/network/identity/signature';
import { prepareState, type PreparedState } from '@salus/network/prepare';
import { loadTopology, memberOf, type TopologyOverrides } from '@salus/network/topology';
import { ChaincodeProcess } from './chaincode-process.js';
import { freePortBase } from './free-ports.js';

/** Collections of the test chaincode, shaped like those of Salus. */
export const TEST_COLLECTIONS: readonly CollectionTemplate[] = [
  { name: 'of-{member}', each: 'member', members: 'self', endorsers: 1 },
  { name: 'care', members: ['hospital', 'witness'], endorsers: 2 },
];

/** Whose certificate a client connects and signs with. */
export interface ClientWish {
  readonly member: string;
  /** Member whose peer to connect to; the own one when absent. */
  readonly at?: string;
  /** Peer to connect to; the first one when absent. */
  readonly peer?: string;
  /** Identity to sign with; the gateway's of the member when absent. */
  readonly as?: { readonly mspId: string } & KeyFiles;
  /** Signs as the library's own signer does, in JavaScript, instead of natively. */
  readonly stockSigner?: boolean;
  readonly options?: Partial<ConnectOptions>;
}

/** A client of the unmodified Fabric gateway library. */
export interface TestClient {
  readonly gateway: Gateway;
  readonly network: Network;
  readonly contract: Contract;
  close(): void;
}

export interface TestLedgerOptions extends Omit<EmbeddedOptions, 'stateDir'> {
  readonly overrides?: TopologyOverrides;
  /** A state folder of an earlier ledger; a new one, deleted at the end, when absent. */
  readonly prepared?: PreparedState;
  readonly collections?: readonly CollectionTemplate[];
}

export interface TestLedger {
  readonly prepared: PreparedState;
  readonly network: EmbeddedNetwork;
  readonly chaincode: ChaincodeProcess;
  client(wish: ClientWish): TestClient;
  /** Stops everything and deletes the state unless it was given. */
  stop(): Promise<void>;
}

/** Starts a ledger and its chaincode. */
export async function startTestLedger(options: TestLedgerOptions = {}): Promise<TestLedger> {
  const prepared = options.prepared ?? (await prepareTestState(options));
  const [network, chaincode] = await Promise.all([
    startEmbedded({ ...options, stateDir: prepared.stateDir }),
    startTestChaincode(prepared),
  ]);
  const clients: TestClient[] = [];
  return {
    prepared,
    network,
    chaincode,
    client: (wish) => {
      const client = connectClient(prepared, wish);
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.close();
      await network.stop();
      await chaincode.kill();
      if (!options.prepared) rmSync(prepared.stateDir, { recursive: true, force: true });
    },
  };
}

/** A state folder with keys, channel and definition, on ports that are free. */
export async function prepareTestState(options: TestLedgerOptions = {}): Promise<PreparedState> {
  const portBase = options.overrides?.portBase ?? (await freePortBase());
  const topology = loadTopology(undefined, { ...options.overrides, portBase });
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-embedded-'));
  return prepareState(topology, stateDir, { collections: options.collections ?? TEST_COLLECTIONS });
}

/** The test chaincode as the one process that serves all members. */
export function startTestChaincode({ topology, definition, material }: PreparedState): Promise<ChaincodeProcess> {
  const { key, cert, ca } = tlsFiles(material.sharedChaincodeTlsDir);
  return ChaincodeProcess.start({
    address: `127.0.0.1:${topology.sharedChaincodePort}`,
    packageId: definition.packageId,
    tls: { key, cert, clientCa: ca },
  });
}

/** Files of the certificate and key of a member's gateway. */
export function gatewayIdentity(
  { topology, stateDir }: Pick<PreparedState, 'topology' | 'stateDir'>,
  member: string,
): { mspId: string } & KeyFiles {
  const folder = layout.gateway(layout.member(stateDir, member), 'gateway0');
  return { mspId: memberOf(topology, member).mspId, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

/** A client of the member without the gateway unit: it may write, but receives no blocks and no private data. */
export async function plainIdentity(
  { stateDir, topology }: PreparedState,
  member: string,
): Promise<{ mspId: string } & KeyFiles> {
  const folder = layout.member(stateDir, member);
  const authority = await ensureAuthority(layout.authority(folder), { organisation: member, name: `ca.${member}` });
  const files = { cert: join(folder, 'plain', 'cert.pem'), key: join(folder, 'plain', 'key.pem') };
  await ensureIssued(files, () => authority.identity({ organisation: member, name: `plain.${member}` }, 'client'));
  return { mspId: memberOf(topology, member).mspId, ...files };
}

/** Arguments of the test chaincode: operations that make one transaction. */
export function run(...operations: readonly (readonly string[])[]): string[] {
  return ['run', JSON.stringify(operations)];
}

/** The next few of a stream's events; then the stream is closed. */
export async function take<T>(events: CloseableAsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  try {
    for await (const event of events) {
      taken.push(event);
      if (taken.length === count) break;
    }
  } finally {
    events.close();
  }
  return taken;
}

/** What a client needs to know of a prepared state. */
export type ClientState = Pick<PreparedState, 'topology' | 'stateDir' | 'definition'>;

/** Connects with mutual TLS; without a deadline of its own a call ends after 60 s. */
export function connectClient(prepared: ClientState, wish: ClientWish): TestClient {
  const own = gatewayIdentity(prepared, wish.member);
  const signing = wish.as ?? own;
  const tls = { cert: readFileSync(own.cert), key: readFileSync(own.key) };
  const client = peerClient(prepared, wish, tls);
  const deadline = () => ({ deadline: Date.now() + 60_000 });
  const gateway = connect({
    client,
    identity: { mspId: signing.mspId, credentials: readFileSync(signing.cert) },
    ...(wish.stockSigner ? { signer: signers.newPrivateKeySigner(privateKey(signing.key)) } : fastSigner(signing.key)),
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
    tlsClientCertificateHash: certificateHash(tls.cert),
    ...wish.options,
  });
  const network = gateway.getNetwork(prepared.topology.channel);
  return {
    gateway,
    network,
    contract: network.getContract(prepared.definition.name),
    close: () => {
      gateway.close();
      client.close();
    },
  };
}

function peerClient({ topology, stateDir }: ClientState, wish: ClientWish, tls: { cert: Buffer; key: Buffer }): Client {
  const member = memberOf(topology, wish.at ?? wish.member);
  const peer = member.peers.find(({ name }) => name === (wish.peer ?? 'peer0'))!;
  const root = tlsFiles(join(layout.peer(layout.member(stateDir, member.name), peer.name), 'tls')).ca;
  const secure = credentials.createSsl(readFileSync(root), tls.key, tls.cert);
  return new Client(`${peer.host}:${peer.port}`, secure, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
}

/** Signs some ten times faster than the library's own signer. */
function fastSigner(file: string): Pick<ConnectOptions, 'signer' | 'hash'> {
  const sign = messageSigner(readFileSync(file, 'utf8'));
  return { hash: hash.none, signer: (message) => Promise.resolve(sign(message)) };
}

function certificateHash(pem: Buffer): Buffer {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest();
}

function privateKey(file: string): KeyObject {
  return createPrivateKey(readFileSync(file));
}

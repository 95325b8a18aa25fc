import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import * as grpc from '@grpc/grpc-js';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { type KeyFiles, mspFiles } from '../identity/layout.js';

const CALL_TIMEOUT_MS = 30_000;
const ADMIN_TIMEOUT_MS = 10_000;

/** How to reach a node, and as whom. */
export interface NodeAddress {
  /** host:port */
  readonly address: string;
  /** A name in its TLS certificate. */
  readonly serverName: string;
  /** PEM of the root of its TLS certificate. */
  readonly tlsCa: string;
  readonly clientMspDir: string;
  /**
   * The TLS client certificate where it is not the identity's own: all nodes take those of a channel's TLS authorities,
   * also of a member that joined after they were started.
   */
  readonly clientTls?: KeyFiles;
}

/** An answer of a node that is not yes. */
export class FabricRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'FabricRefusal';
  }
}

/** A peer's Endorser: sends one signed proposal. Throws FabricRefusal unless it is endorsed. */
export async function endorse(node: NodeAddress, proposal: peer.SignedProposal): Promise<peer.ProposalResponse> {
  const client = new peer.EndorserClient(node.address, credentials(node), channelOptions(node));
  try {
    const answer = await new Promise<peer.ProposalResponse>((resolve, reject) => {
      client.processProposal(proposal, new grpc.Metadata(), deadline(), (error, response) => {
        if (error) reject(new FabricRefusal(error.code, `${node.address}: ${error.details}`));
        else if (response) resolve(response);
      });
    });
    const response = answer.getResponse();
    const status = response?.getStatus() ?? 0;
    if (status !== 200) throw new FabricRefusal(status, `${node.address}: ${response?.getMessage() ?? 'no response'}`);
    return answer;
  } finally {
    client.close();
  }
}

/** Sends one envelope to an orderer. Throws FabricRefusal unless it is taken into order. */
export async function broadcast(node: NodeAddress, envelope: Uint8Array): Promise<void> {
  const client = new orderer.AtomicBroadcastClient(node.address, credentials(node), channelOptions(node));
  try {
    const answer = await new Promise<orderer.BroadcastResponse>((resolve, reject) => {
      const stream = client.broadcast(new grpc.Metadata(), deadline());
      stream.on('data', resolve);
      stream.on('error', (error: grpc.ServiceError) => {
        reject(new FabricRefusal(error.code, `${node.address}: ${error.details}`));
      });
      stream.write(common.Envelope.deserializeBinary(envelope));
      stream.end();
    });
    if (answer.getStatus() !== common.Status.SUCCESS) {
      throw new FabricRefusal(answer.getStatus(), `${node.address}: ${answer.getInfo()}`);
    }
  } finally {
    client.close();
  }
}

/** A channel at an orderer, as its participation interface tells. */
export interface Participation {
  readonly status: string;
  readonly consensusRelation: string;
  readonly height: number;
}

/** What an orderer knows of a channel; undefined when it is not part of it. */
export async function channelAt(node: NodeAddress, channel: string): Promise<Participation | undefined> {
  const { status, body } = await administer(node, 'GET', `/participation/v1/channels/${channel}`);
  if (status === 404) return undefined;
  if (status !== 200) throw new FabricRefusal(status, `${node.address}: ${body}`);
  return JSON.parse(body) as Participation;
}

/** Has an orderer join the channel of this block 0. */
export async function joinOrderer(node: NodeAddress, genesis: Uint8Array): Promise<void> {
  const form = new Response(formWith(genesis));
  const type = form.headers.get('content-type') ?? '';
  const content = Buffer.from(await form.arrayBuffer());
  const { status, body } = await administer(node, 'POST', '/participation/v1/channels', { type, content });
  if (status !== 201) throw new FabricRefusal(status, `${node.address}: ${body}`);
}

function formWith(genesis: Uint8Array): FormData {
  const form = new FormData();
  form.set('config-block', new Blob([Buffer.from(genesis)]), 'config.block');
  return form;
}

interface Upload {
  readonly type: string;
  readonly content: Buffer;
}

async function administer(node: NodeAddress, method: 'GET' | 'POST', path: string, upload?: Upload) {
  const { cert, key } = pair(node);
  const headers = upload ? { 'content-type': upload.type, 'content-length': upload.content.length } : {};
  const tls = { cert, key, ca: node.tlsCa, servername: node.serverName };
  const options = { method, headers, ...tls, timeout: ADMIN_TIMEOUT_MS, agent: false as const };
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const call = request(`https://${node.address}${path}`, options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() });
      });
    });
    call.on('timeout', () => call.destroy(new Error(`${node.address} does not answer`)));
    call.on('error', reject);
    call.end(upload?.content);
  });
}

/** Messages of any size, and the name by which the node's certificate is checked. */
export function channelOptions({ serverName }: NodeAddress): grpc.ClientOptions {
  return {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.ssl_target_name_override': serverName,
    'grpc.default_authority': serverName,
  };
}

/** When a call is given up. */
export function deadline(): grpc.CallOptions {
  return { deadline: Date.now() + CALL_TIMEOUT_MS };
}

/** Mutual TLS. */
export function credentials(node: NodeAddress): grpc.ChannelCredentials {
  const { cert, key } = pair(node);
  return grpc.credentials.createSsl(Buffer.from(node.tlsCa), key, cert);
}

/** Files of the TLS client certificate. */
export function clientFiles({ clientMspDir, clientTls }: NodeAddress): KeyFiles {
  return clientTls ?? mspFiles(clientMspDir);
}

function pair(node: NodeAddress) {
  const files = clientFiles(node);
  return { cert: readFileSync(files.cert), key: readFileSync(files.key) };
}

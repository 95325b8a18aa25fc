/** Fabric's services called as they are, for what the gateway client would not send. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { common, gateway, orderer, peer } from '@hyperledger/fabric-protos';
import { tlsFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf } from '@salus/network/topology';
import { gatewayIdentity } from './embedded-network.js';
import { masked } from './ledger-calls.js';

const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

/** What the server answered instead of a result. */
export interface RawFailure {
  readonly code: string;
  readonly message: string;
}

/** A member's peer and an orderer, the first one or a named member's, spoken to with the certificate of the member's gateway. */
export class RawClient {
  readonly gateway: gateway.GatewayClient;
  readonly endorser: peer.EndorserClient;
  readonly deliver: peer.DeliverClient;
  readonly orderer: orderer.AtomicBroadcastClient;
  /** SHA-256 of the TLS client certificate, which deliver wants in the channel header. */
  readonly tlsHash: Buffer;

  constructor(prepared: PreparedState, member: string, ordererOf?: string) {
    const own = gatewayIdentity(prepared, member);
    const [cert, key] = [readFileSync(own.cert), readFileSync(own.key)];
    this.tlsHash = createHash('sha256').update(new X509Certificate(cert).raw).digest();
    const { topology, material } = prepared;
    const [node] = memberOf(topology, member).peers;
    const ordering = topology.members.find(({ name, orderer }) => orderer && name === (ordererOf ?? name))!;
    const [peerMaterial] = material.members.find(({ name }) => name === member)!.peers;
    const ordererMaterial = material.members.find(({ name }) => name === ordering.name)!.orderer!;
    const toPeer = credentials.createSsl(readFileSync(tlsFiles(peerMaterial!.tlsDir).ca), key, cert);
    const ordererTls = tlsFiles(ordererMaterial.tlsDir);
    const toOrderer = credentials.createSsl(readFileSync(ordererTls.ca), key, cert);
    const peerAddress = `${node!.host}:${node!.port}`;
    this.gateway = new gateway.GatewayClient(peerAddress, toPeer, UNLIMITED);
    this.endorser = new peer.EndorserClient(peerAddress, toPeer, UNLIMITED);
    this.deliver = new peer.DeliverClient(peerAddress, toPeer, UNLIMITED);
    this.orderer = new orderer.AtomicBroadcastClient(
      `${ordering.orderer!.host}:${ordering.orderer!.port}`,
      toOrderer,
      UNLIMITED,
    );
  }

  close(): void {
    for (const client of [this.gateway, this.endorser, this.deliver, this.orderer]) client.close();
  }

  /** protos.Endorser/ProcessProposal. */
  process(proposal: peer.SignedProposal): Promise<peer.ProposalResponse> {
    return unary((done) => this.endorser.processProposal(proposal, done));
  }

  /** gateway.Gateway/Evaluate of a proposal made by hand; the request's other fields are as given. */
  evaluate(proposal: peer.SignedProposal, txId = '', channelId = ''): Promise<gateway.EvaluateResponse> {
    const request = new gateway.EvaluateRequest();
    request.setTransactionId(txId);
    request.setChannelId(channelId);
    request.setProposedTransaction(proposal);
    return unary((done) => this.gateway.evaluate(request, done));
  }

  endorse(proposal: peer.SignedProposal): Promise<gateway.EndorseResponse> {
    const request = new gateway.EndorseRequest();
    request.setProposedTransaction(proposal);
    return unary((done) => this.gateway.endorse(request, done));
  }

  submit(envelope: common.Envelope | undefined, channelId: string): Promise<gateway.SubmitResponse> {
    const request = new gateway.SubmitRequest();
    request.setChannelId(channelId);
    if (envelope) request.setPreparedTransaction(envelope);
    return unary((done) => this.gateway.submit(request, done));
  }

  /** orderer.AtomicBroadcast/Broadcast of envelopes, one after the other on one stream; an answer for each. */
  broadcast(envelopes: readonly common.Envelope[]): Promise<{ readonly status: string; readonly info: string }[]> {
    return new Promise((resolve, reject) => {
      const answers: { status: string; info: string }[] = [];
      const call = this.orderer.broadcast();
      call.on('data', (answer: orderer.BroadcastResponse) => {
        answers.push({ status: statusName(answer.getStatus()), info: masked(answer.getInfo()) });
        if (answers.length < envelopes.length) return;
        call.end();
        resolve(answers);
      });
      call.on('error', reject);
      for (const envelope of envelopes) call.write(envelope);
    });
  }
}

/** Name of a common.Status. */
export function statusName(code: number): string {
  return Object.entries(common.Status).find(([, value]) => value === code)?.[0] ?? String(code);
}

/** The failure a raw call must end in. */
export async function rawFailureOf(call: Promise<unknown>): Promise<RawFailure> {
  const error = await call.then(
    () => {
      throw new Error('the call succeeded');
    },
    (cause: unknown) => cause as ServiceError,
  );
  return { code: status[error.code], message: masked(error.details) };
}

function unary<T>(call: (done: (error: ServiceError | null, response?: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error) reject(error);
      else resolve(response!);
    });
  });
}

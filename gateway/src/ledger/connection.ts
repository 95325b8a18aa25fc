/** The gRPC connections of a gateway to its own member's peers: mutual TLS, deadlines on every call. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as grpc from '@grpc/grpc-js';
import { connect, hash, type Gateway } from '@hyperledger/fabric-gateway';
import { messageSigner } from '@salus/network/identity/signature';

import type { GatewaySettings, PeerAddress } from '../settings.js';

/** Milliseconds each call may take before it is given up. */
export const DEADLINES = {
  evaluate: 15_000,
  endorse: 30_000,
  submit: 15_000,
  commitStatus: 20_000,
} as const;

/** Below the peers' minimum interval clients are told to go away (GOAWAY too_many_pings). */
const KEEPALIVE_MS = 120_000;

/** One peer's connection, closed by its owner. */
export interface PeerConnection {
  readonly gateway: Gateway;
  /** SHA-256 of the TLS client certificate: block streams are bound to it. */
  readonly tlsClientCertificateHash: Uint8Array;
  close(): void;
}

/** Connects to a peer with the gateway's certificate, which also is its TLS client certificate. Does not wait. */
export function connectPeer(settings: GatewaySettings, peer: PeerAddress): PeerConnection {
  const certificate = readFileSync(settings.identity.cert);
  const key = readFileSync(settings.identity.key);
  const client = new grpc.Client(
    peer.endpoint,
    grpc.credentials.createSsl(readFileSync(peer.tlsCa), key, certificate),
    {
      'grpc.ssl_target_name_override': peer.serverName,
      'grpc.default_authority': peer.serverName,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // Nobody asks for channelz, which counts every message.
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      // Two gateways in one process must not share a channel: each has a certificate of its own.
      'grpc.use_local_subchannel_pool': 1,
    },
  );
  const sign = messageSigner(key.toString());
  const tlsClientCertificateHash = createHash('sha256').update(new X509Certificate(certificate).raw).digest();
  const gateway = connect({
    client,
    // A peer on mutual TLS delivers blocks only to a request that names the certificate it came with.
    tlsClientCertificateHash,
    identity: { mspId: settings.mspId, credentials: certificate },
    signer: (message) => Promise.resolve(sign(message)),
    hash: hash.none,
    evaluateOptions: deadline(DEADLINES.evaluate),
    endorseOptions: deadline(DEADLINES.endorse),
    submitOptions: deadline(DEADLINES.submit),
    commitStatusOptions: deadline(DEADLINES.commitStatus),
  });
  return {
    gateway,
    tlsClientCertificateHash,
    close: () => {
      gateway.close();
      client.close();
    },
  };
}

function deadline(milliseconds: number): () => grpc.CallOptions {
  return () => ({ deadline: Date.now() + milliseconds });
}

import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import type { RawHandlers } from './raw.js';

/** A node's TLS: PEM texts. */
export interface ServerTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Roots under which clients' certificates are taken; a client without one is refused. */
  readonly clientRoots: Buffer;
}

/** What one port serves. */
export interface PortPlan {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: ServerTls;
  readonly services: readonly (readonly [ServiceDefinition, RawHandlers])[];
}

/** A port that is being served. */
export interface ServedPort {
  readonly port: number;
  /** Takes no new calls, gives those under way a moment, then cuts them. */
  stop(): Promise<void>;
}

/** Streams never end by themselves; the graceful part of a stop is only for unary calls. */
const STOP_GRACE_MS = 500;

/** Limits as on Fabric's nodes: messages of any size here, since the orderer's filter bounds a transaction. */
const OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 7_200_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Nobody asks for channelz, which counts every message.
  'grpc.enable_channelz': 0,
};

/** Serves gRPC with mutual TLS. Throws when the port is taken, naming it. */
export async function servePort(plan: PortPlan): Promise<ServedPort> {
  const server = new Server(OPTIONS);
  for (const [definition, handlers] of plan.services) server.addService(definition, { ...handlers });
  const { certificate, key, clientRoots } = plan.tls;
  const pair = { cert_chain: certificate, private_key: key };
  const credentials = ServerCredentials.createSsl(clientRoots, [pair], true);
  const port = await bind(server, `${plan.host}:${plan.port}`, credentials);
  return { port, stop: () => stop(server) };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error)
        reject(new Error(`cannot listen on ${address}: ${error.message}; stop what uses it or change the ports`));
      else resolve(port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, STOP_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

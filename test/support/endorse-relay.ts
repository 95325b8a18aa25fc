/** Stands between a gateway and its member's peer, under the peer's own TLS certificate, and hears every Endorse. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as grpc from '@grpc/grpc-js';
import { gateway } from '@hyperledger/fabric-protos';
import { layout, tlsFiles } from '@salus/network/identity/layout';
import type { GatewaySettings } from '@salus/gateway/settings';

const METHODS = ['Endorse', 'Submit', 'CommitStatus', 'Evaluate'];
const asIs = (bytes: Buffer): Buffer => bytes;

/** Ends an Endorse in place of the peer: with an error, or not at all. */
export type Ending = (end: (error: object) => void) => void;

/** A relay that runs. */
export interface EndorseRelay {
  /** The gateway's settings with the relay in the peer's place. */
  readonly settings: GatewaySettings;
  /** Organisations of each Endorse since it was last emptied; none = as the policies ask. */
  readonly asked: string[][];
  /** What becomes of an Endorse of named organisations; undefined = the peer answers. */
  ending: Ending | undefined;
  stop(): void;
}

/** Relays to the first peer of the settings. */
export async function startEndorseRelay(stateDir: string, settings: GatewaySettings): Promise<EndorseRelay> {
  const [peer] = settings.peers;
  if (peer === undefined) throw new Error('no peer to relay to');
  const [key, certificate] = [readFileSync(settings.identity.key), readFileSync(settings.identity.cert)];
  const root = readFileSync(peer.tlsCa);
  const client = new grpc.Client(peer.endpoint, grpc.credentials.createSsl(root, key, certificate), {
    'grpc.ssl_target_name_override': peer.serverName,
    'grpc.default_authority': peer.serverName,
  });
  const own = tlsFiles(
    join(layout.peer(layout.member(stateDir, settings.member), peer.name.split('.')[0] ?? ''), 'tls'),
  );
  const pair = { cert_chain: readFileSync(own.cert), private_key: readFileSync(own.key) };
  const server = new grpc.Server();
  const relay = { asked: [] as string[][], ending: undefined as Ending | undefined };
  for (const method of METHODS) {
    const path = `/gateway.Gateway/${method}`;
    const definition = { path, requestStream: false, responseStream: false } as const;
    const serialization = {
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const handle: grpc.handleUnaryCall<Buffer, Buffer> = (call, callback) => {
      if (method === 'Endorse') {
        const named = gateway.EndorseRequest.deserializeBinary(call.request).getEndorsingOrganizationsList();
        relay.asked.push(named);
        if (named.length > 0 && relay.ending !== undefined) {
          relay.ending((error) => {
            callback(error);
          });
          return;
        }
      }
      client.makeUnaryRequest(path, asIs, asIs, call.request, callback);
    };
    server.addService({ [method]: { ...definition, ...serialization } }, { [method]: handle });
  }
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createSsl(root, [pair]);
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return Object.assign(relay, {
    settings: { ...settings, peers: [{ ...peer, endpoint: `127.0.0.1:${port}` }] },
    stop: () => {
      server.forceShutdown();
      client.close();
    },
  });
}

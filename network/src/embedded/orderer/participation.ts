/**
 * The channel participation interface of Fabric's orderers (orderer/common/channelparticipation): HTTPS on the
 * administration port, for the orderer's own administrators. It tells of the one channel; channels are not joined or
 * left here, for the state folder says which there is.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Chain } from '../ports.js';
import type { ServedPort, ServerTls } from '../rpc/server.js';

const CHANNELS = '/participation/v1/channels';
/** As Fabric checks channel ids (common/channelconfig): at most 249 of these, a letter first. */
const CHANNEL_ID = /^[a-z][a-z0-9.-]{0,248}$/;
const JSON_TAKEN = /application\/json|application\/\*|\*\/\*/;
const NOT_HERE = 'the embedded ledger has one channel, that of its state folder: it joins and leaves none';

/** Where it is served, and of which channel it tells. */
export interface ParticipationPlan {
  readonly host: string;
  readonly port: number;
  /** Its clients' root is that of the orderer's administrators. */
  readonly tls: ServerTls;
  readonly channel: string;
  readonly chain: Pick<Chain, 'height'>;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves it. Throws when the port is taken, naming it. */
export async function serveParticipation(plan: ParticipationPlan): Promise<ServedPort> {
  const { certificate: cert, key, clientRoots: ca } = plan.tls;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    // What is sent is not looked at, and must not block the connection.
    request.resume();
    send(response, answerTo(plan, request));
  });
  server.listen(plan.port, plan.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`cannot listen on ${plan.host}:${plan.port}: ${message}; stop what uses it or change the ports`, {
      cause: error,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerTo(plan: ParticipationPlan, { method = '', url = '', headers }: IncomingMessage): Answer {
  const { pathname } = new URL(url, 'https://orderer');
  const isList = pathname === CHANNELS;
  if (!isList && !pathname.startsWith(`${CHANNELS}/`)) return refused(404, 'invalid path: no such resource');
  if (!JSON_TAKEN.test(headers.accept ?? '*/*')) return refused(406, 'response Content-Type is application/json only');
  if (method !== 'GET') return changeOf(method, isList ? 'POST' : 'DELETE');
  return isList ? list(plan) : one(plan, pathname.slice(CHANNELS.length + 1));
}

/** Channels are joined by POST to their list and left by DELETE of one. */
function changeOf(method: string, change: 'POST' | 'DELETE'): Answer {
  if (method === change) return refused(403, NOT_HERE);
  return { ...refused(405, `invalid request method: ${method}`), headers: { allow: `GET, ${change}` } };
}

function list({ channel }: ParticipationPlan): Answer {
  return { status: 200, body: { systemChannel: null, channels: [{ name: channel, url: `${CHANNELS}/${channel}` }] } };
}

function one({ channel, chain }: ParticipationPlan, name: string): Answer {
  if (!CHANNEL_ID.test(name)) return refused(400, `invalid channel ID: '${name}' contains illegal characters`);
  if (name !== channel) return refused(404, 'channel does not exist');
  const standing = { consensusRelation: 'consenter', status: 'active', height: chain.height };
  return { status: 200, body: { name, url: `${CHANNELS}/${name}`, ...standing } };
}

function refused(status: number, error: string): Answer {
  return { status, body: { error } };
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(JSON.stringify(body));
}

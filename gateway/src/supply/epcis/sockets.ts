/**
 * Subscriptions by websocket (EPCIS 2.0 section 12.6): an upgrade of `GET /queries/{name}/events` with `stream=true` or
 * a schedule. A delivery has arrived once its subscriber answered the ping behind it: a frame alone says nothing.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { type WebSocket, WebSocketServer } from 'ws';

import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { KEEPERS } from './asked.js';
import type { EpcisDesk } from './desk.js';
import { EpcisProblem, refusalProblem } from './problem.js';
import { heldSubscription } from './subscribe.js';
import { ANSWER_MS } from './webhook.js';

/** Largest message that is taken; subscribers have nothing to say. */
export const MAX_SOCKET_BYTES = 1_024;
/** How often it is looked whether the subscriber is there, and may still ask, milliseconds. */
const BEAT_MS = 15_000;
/** How long a goodbye is waited for, milliseconds. */
const GOODBYE_MS = 2_000;
/** RFC 6455 section 7.4.1. */
const [NORMAL, GOING_AWAY, POLICY] = [1_000, 1_001, 1_008];
const PATH = /^\/epcis\/queries\/([^/]+)\/events$/;

/** Who asks, and who hears of faults. */
export interface SocketPorts {
  /** By the headers of the request that was upgraded. Throws Refusal. */
  readonly actorOf: (request: IncomingMessage) => Promise<Actor>;
  readonly onFault: (error: unknown) => void;
}

/** Whether a request asks for such a subscription; every other upgrade is not known here, and answered without. */
export function isSubscribing(request: IncomingMessage): boolean {
  const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
  return isWebSocket && PATH.test(urlOf(request).pathname);
}

/** One gateway's websockets. */
export class EpcisSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_SOCKET_BYTES });
  /** Each with what ends its part here. */
  readonly #open = new Map<WebSocket, (isDone: boolean) => void>();

  constructor(private readonly desk: EpcisDesk) {}

  /** Takes over the requests of a server that are upgraded, which are those of `isSubscribing`. */
  serve(server: Server, ports: SocketPorts): void {
    server.on('upgrade', (request, socket, head) => {
      void this.#upgrade(ports, request, { socket, head });
    });
  }

  /** Closes all of them; each subscriber may come back for the rest. Nothing is kept of them afterwards. */
  async end(): Promise<void> {
    await Promise.all([...this.#open].map(([socket, leave]) => closed(socket, leave)));
  }

  /** Takes an upgrade over, or answers why not and closes the connection. */
  async #upgrade(
    ports: SocketPorts,
    request: IncomingMessage,
    { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  ): Promise<void> {
    const broken = (): void => {
      socket.destroy();
    };
    socket.on('error', broken);
    try {
      const allowed = () => allowedActor(ports, request);
      const { subscriptionID, address } = this.#subscribed(request, await allowed());
      socket.off('error', broken);
      this.#server.once('headers', (headers: string[]) => {
        headers.push(`Location: ${address}`);
      });
      this.#server.handleUpgrade(request, socket, head, (open) => {
        this.#run(open, subscriptionID, allowed);
      });
    } catch (error) {
      refuse(socket, problemOf(error, ports.onFault));
    }
  }

  #subscribed(
    request: IncomingMessage,
    { user }: Actor,
  ): { readonly subscriptionID: string; readonly address: string } {
    const { pathname, searchParams } = urlOf(request);
    const [, name = ''] = PATH.exec(pathname) ?? [];
    const format = request.headers['gs1-epc-format'];
    const wish = { owner: user, format: typeof format === 'string' ? format : undefined };
    const { subscriptionID } = heldSubscription(this.desk, name, searchParams, wish);
    return { subscriptionID, address: `/epcis/queries/${name}/subscriptions/${subscriptionID}` };
  }

  #run(socket: WebSocket, subscriptionID: string, allowed: () => Promise<Actor>): void {
    const { subscriptions } = this.desk;
    const deliver = async (text: string): Promise<boolean> => {
      if (!(await mayGoOn(socket, allowed))) return false;
      socket.send(text);
      return await isAnswered(socket);
    };
    const beat = setInterval(() => {
      void mayGoOn(socket, allowed).then((may) => may && isAnswered(socket));
    }, BEAT_MS);
    const leave = (isDone: boolean): void => {
      clearInterval(beat);
      if (this.#open.delete(socket)) subscriptions.disconnected(subscriptionID, deliver, isDone);
    };
    this.#open.set(socket, leave);
    subscriptions.connected(subscriptionID, deliver);
    socket.on('error', () => undefined);
    // Who says goodbye is done; who only went comes back for what it missed.
    socket.on('close', (code) => {
      leave(code === NORMAL);
    });
  }
}

async function closed(socket: WebSocket, leave: (isDone: boolean) => void): Promise<void> {
  leave(false);
  if (socket.readyState === socket.CLOSED) return;
  const late = setTimeout(() => {
    socket.terminate();
  }, GOODBYE_MS);
  const end = once(socket, 'close');
  socket.close(GOING_AWAY);
  await end;
  clearTimeout(late);
}

/** A token that is no longer good opens nothing, however long the connection lives. */
async function mayGoOn(socket: WebSocket, allowed: () => Promise<Actor>): Promise<boolean> {
  try {
    await allowed();
    return true;
  } catch {
    socket.close(POLICY);
    return false;
  }
}

async function allowedActor({ actorOf }: SocketPorts, request: IncomingMessage): Promise<Actor> {
  const actor = await actorOf(request);
  if (KEEPERS.includes(actor.role)) return actor;
  throw new EpcisProblem('SecurityException', `only these roles may: ${KEEPERS.join(', ')}`, 403);
}

function problemOf(error: unknown, onFault: (error: unknown) => void): EpcisProblem {
  if (error instanceof EpcisProblem) return error;
  if (error instanceof Refusal) return refusalProblem(error);
  onFault(error);
  return new EpcisProblem('ImplementationException', 'the request failed here');
}

/** Whether the subscriber answers a ping in time; one that does not is away. */
function isAnswered(socket: WebSocket): Promise<boolean> {
  const mark = randomBytes(8);
  return new Promise((resolve) => {
    const end = (isThere: boolean): void => {
      clearTimeout(late);
      socket.off('pong', answered).off('close', away);
      resolve(isThere);
    };
    const answered = (data: Buffer): void => {
      if (data.equals(mark)) end(true);
    };
    const away = (): void => {
      end(false);
    };
    const late = setTimeout(() => {
      socket.terminate();
    }, ANSWER_MS);
    socket.on('pong', answered).on('close', away);
    if (socket.readyState === socket.OPEN) socket.ping(mark);
    else end(false);
  });
}

function refuse(socket: Duplex, problem: EpcisProblem): void {
  const body = JSON.stringify(problem.body);
  const headers = [
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'GS1-EPCIS-Version: 2.0.0',
    'Connection: close',
    ...(problem.status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ];
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n${headers.join('\r\n')}\r\n\r\n${body}`,
  );
}

function urlOf({ url = '' }: IncomingMessage): URL {
  return URL.canParse(url, 'http://epcis') ? new URL(url, 'http://epcis') : new URL('http://epcis');
}

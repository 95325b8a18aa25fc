/**
 * Subscriptions by websocket (EPCIS 2.0 section 12.6): an upgrade of `GET /queries/{name}/events` with `stream=true` or
 * a schedule.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { type WebSocket, WebSocketServer } from 'ws';

import { BEAT_MS, CLOSE, delivered, farewell, isAnswered, MAX_SOCKET_BYTES } from '../../delivery/sockets.js';
import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { KEEPERS } from './asked.js';
import type { EpcisDesk } from './desk.js';
import { EpcisProblem, refusalProblem } from './problem.js';
import { heldSubscription } from './subscribe.js';
import type { Line, LineEnd, Subscription } from './subscriptions.js';

/** Most websockets of one user at one gateway. */
export const MAX_USER_SOCKETS = 40;
/** Most websockets at one gateway. */
export const MAX_SOCKETS = 200;
/** Why the gateway ends one; a code of its own (section 7.4.2) where the registered ones have none for it. */
const ENDED = { deleted: CLOSE.normal, 'taken-over': 4_409 } as const satisfies Record<LineEnd, number>;
const PATH = /^\/epcis\/queries\/([^/]+)\/events$/;

/** Who asks, and who hears of faults. */
export interface SocketPorts {
  /** By the headers of the request that was upgraded. Throws Refusal. */
  readonly actorOf: (request: IncomingMessage) => Promise<Actor>;
  readonly onFault: (error: unknown) => void;
}

/** Whether a request asks for such a subscription; every other upgrade is not known here, and answered without. */
export function isSubscribing(request: IncomingMessage): boolean {
  const isWebSocket = request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
  return isWebSocket && PATH.test(urlOf(request).pathname);
}

interface OpenSocket {
  readonly user: string;
  /** Ends its part in the subscription. */
  readonly leave: (isDone: boolean) => void;
}

/** One gateway's websockets. */
export class EpcisSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_SOCKET_BYTES });
  readonly #open = new Map<WebSocket, OpenSocket>();
  /** What the answer to each upgrade names: whether and when a handshake is done, `ws` alone knows. */
  readonly #addresses = new WeakMap<IncomingMessage, string>();

  constructor(private readonly desk: EpcisDesk) {
    this.#server.on('headers', (headers: string[], request: IncomingMessage) => {
      headers.push(`Location: ${this.#addresses.get(request) ?? ''}`);
    });
  }

  /** Takes over those requests of a server that are upgraded and `isSubscribing`. */
  serve(server: Server, ports: SocketPorts): void {
    server.on('upgrade', (request, socket, head) => {
      if (isSubscribing(request)) void this.#upgrade(ports, request, { socket, head });
    });
  }

  /** Closes all of them; each subscriber may come back for the rest. Nothing is kept of them afterwards. */
  async end(): Promise<void> {
    await Promise.all(
      [...this.#open].map(async ([socket, { leave }]) => {
        leave(false);
        await farewell(socket);
      }),
    );
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
      const { user } = await allowedActor(ports, request);
      this.#room(user);
      const subscription = this.#wanted(request, user);
      socket.off('error', broken);
      this.#addresses.set(
        request,
        `/epcis/queries/${subscription.queryName}/subscriptions/${subscription.subscriptionID}`,
      );
      this.#server.handleUpgrade(request, socket, head, (open) => {
        this.#run(open, subscription, { user, mayGoOn: () => mayGoOn(open, ports, request) });
      });
    } catch (error) {
      refuse(socket, problemOf(error, ports.onFault));
    }
  }

  /** Throws EpcisProblem where there are as many as there may be. */
  #room(user: string): void {
    const users = [...this.#open.values()].filter((each) => each.user === user).length;
    if (users < MAX_USER_SOCKETS && this.#open.size < MAX_SOCKETS) return;
    const most = `${MAX_USER_SOCKETS} websockets of one user, ${MAX_SOCKETS} of all`;
    throw new EpcisProblem('SubscriptionControlsException', `there are at most ${most}: close one`, 503);
  }

  #wanted(request: IncomingMessage, owner: string): Subscription {
    const { pathname, searchParams } = urlOf(request);
    const [, name = ''] = PATH.exec(pathname) ?? [];
    const format = request.headers['gs1-epc-format'];
    return heldSubscription(this.desk, name, searchParams, {
      owner,
      format: typeof format === 'string' ? format : undefined,
    });
  }

  #run(
    socket: WebSocket,
    subscription: Subscription,
    { user, mayGoOn }: { readonly user: string; readonly mayGoOn: () => Promise<boolean> },
  ): void {
    const { subscriptions } = this.desk;
    const line: Line = {
      deliver: async (text) => {
        if (!(await mayGoOn())) return false;
        return await delivered(socket, text);
      },
      end: (why) => {
        socket.close(ENDED[why], why);
      },
    };
    const beat = setInterval(() => {
      void mayGoOn().then((may) => may && isAnswered(socket));
    }, BEAT_MS);
    const leave = (isDone: boolean): void => {
      clearInterval(beat);
      subscriptions.disconnected(subscription.subscriptionID, line, isDone);
    };
    this.#open.set(socket, { user, leave });
    subscriptions.connected(subscription, line);
    socket.on('error', () => undefined);
    // Who says goodbye is done; who only went comes back for what it missed.
    socket.on('close', (code) => {
      this.#open.delete(socket);
      leave(code === CLOSE.normal);
    });
  }
}

/** A token that is no longer good opens nothing, however long the connection lives. */
async function mayGoOn(socket: WebSocket, ports: SocketPorts, request: IncomingMessage): Promise<boolean> {
  try {
    await allowedActor(ports, request);
    return true;
  } catch (error) {
    socket.close(problemOf(error, ports.onFault).status < 500 ? CLOSE.policy : CLOSE.fault);
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

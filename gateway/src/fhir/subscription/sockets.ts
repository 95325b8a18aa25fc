/**
 * Subscribers by websocket: it is opened by anybody and hears nothing before its first message, `bind-with-token: …`
 * (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#websockets). One may be bound to several subscriptions.
 */
import type { IncomingMessage, Server } from 'node:http';

import { type WebSocket, WebSocketServer } from 'ws';

import {
  BEAT_MS,
  CLOSE,
  delivered,
  farewell,
  isAnswered,
  type Line,
  MAX_SOCKET_BYTES,
} from '../../delivery/sockets.js';
import type { Binding, Bindings } from './bindings.js';
import { SOCKET_PATH } from './desk.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';
import type { Notifying } from './notifying.js';

const PATH = `/fhir/R4/${SOCKET_PATH}`;
const BIND = /^bind-with-token:? +([A-Za-z0-9_-]{43})\s*$/;
/** Try again later (RFC 6455, IANA's registry of close codes). */
const BUSY = 1_013;

/** Whether a request opens such a websocket. */
export function isBinding({ method, url = '', headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && url.split('?')[0] === PATH;
}

/** What tokens are good for, and who tells. */
export interface SocketPorts {
  readonly bindings: Pick<Bindings, 'find'>;
  readonly notifying: Pick<Notifying, 'bound' | 'unbound'>;
  readonly clock: () => number;
  readonly onFault: (error: unknown) => void;
}

/** Part of a websocket that one subscription hears over. */
interface Bound extends Line {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** One gateway's websockets. */
export class SubscriptionSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_SOCKET_BYTES });
  readonly #open = new Set<WebSocket>();

  constructor(private readonly ports: SocketPorts) {}

  /** Takes over those requests of a server that are upgraded and `isBinding`. */
  serve(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      if (!isBinding(request)) return;
      this.#server.handleUpgrade(request, socket, head, (open) => {
        this.#run(open);
      });
    });
  }

  /** Closes all of them: each subscriber may come back for the rest. */
  async end(): Promise<void> {
    await Promise.all([...this.#open].map(farewell));
  }

  #run(socket: WebSocket): void {
    const lines = new Map<string, Bound>();
    this.#open.add(socket);
    socket.on('error', () => undefined);
    if (this.#open.size > SUBSCRIPTION_LIMITS.sockets) socket.close(BUSY, 'too many websockets');
    const unbound = setTimeout(() => {
      if (lines.size === 0) socket.close(CLOSE.policy, 'bind-with-token is awaited');
    }, SUBSCRIPTION_LIMITS.unboundSeconds * 1_000);
    const beat = setInterval(() => {
      this.#expire(socket, lines);
      void isAnswered(socket);
    }, BEAT_MS);
    socket.on('message', (data: Buffer) => {
      this.#bind(socket, lines, data.toString('utf8')).catch((error: unknown) => {
        this.ports.onFault(error);
        socket.close(CLOSE.fault);
      });
    });
    socket.on('close', () => {
      clearTimeout(unbound);
      clearInterval(beat);
      this.#open.delete(socket);
      for (const [id, line] of lines) this.ports.notifying.unbound(id, line);
    });
  }

  /** Closes what no token is good for any longer. */
  #expire(socket: WebSocket, lines: Map<string, Bound>): void {
    for (const [id, line] of lines) {
      if (line.until > this.ports.clock()) continue;
      lines.delete(id);
      this.ports.notifying.unbound(id, line);
      if (lines.size === 0) socket.close(CLOSE.policy, 'the token is over');
    }
  }

  async #bind(socket: WebSocket, lines: Map<string, Bound>, text: string): Promise<void> {
    const binding = this.ports.bindings.find(BIND.exec(text)?.[1] ?? '');
    if (binding === undefined) {
      socket.close(CLOSE.policy, 'no token that is good');
      return;
    }
    for (const id of binding.ids) await this.#add(socket, lines, binding, id);
  }

  async #add(socket: WebSocket, lines: Map<string, Bound>, { until }: Binding, id: string): Promise<void> {
    const { notifying, clock } = this.ports;
    const line = {
      ...{ id, until },
      deliver: (text: string) => (until > clock() ? delivered(socket, text) : Promise.resolve(false)),
    };
    // Before the handshake: who hangs up during it must leave nothing behind.
    lines.set(id, line);
    const isBound = await notifying.bound(id, line);
    if (isBound && socket.readyState === socket.OPEN) return;
    notifying.unbound(id, line);
    if (lines.get(id) === line) lines.delete(id);
  }
}

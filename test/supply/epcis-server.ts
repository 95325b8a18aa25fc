/** The EPCIS interface over HTTP, its events on an in-memory ledger and in a real projection. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { parseAnchor, type AnchorCapture } from '@salus/chaincode/supply/api';
import { Destinations } from '@salus/gateway/delivery/destinations';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor, Commit, LedgerCall, ResourceWrite } from '@salus/gateway/ports';
import { follow } from '@salus/gateway/projection/follower';
import { Projection } from '@salus/gateway/projection/projection';
import type { Projector } from '@salus/gateway/projection/projector';
import { type DeskPorts, EpcisDesk } from '@salus/gateway/supply/epcis/desk';
import { epcisExpress } from '@salus/gateway/supply/epcis/express';
import { EventRepository } from '@salus/gateway/supply/epcis/repository';
import { EpcisSockets, isSubscribing } from '@salus/gateway/supply/epcis/sockets';
import { epcisChanges } from '@salus/gateway/supply/epcis/stored';
import type { Effect } from '@salus/gateway/supply/packs/stored';
import { prefixLengthAmong } from '@salus/gateway/supply/gs1/epc';
import { PendingWork } from '@salus/gateway/keys/pending-work';
import express from 'express';

import { RecordLedger } from '../support/record-ledger.js';
import { scratchFolder } from '../support/scratch.js';
import { PREFIX } from './world.js';

const projector: Projector = (write) => {
  if (write.value === undefined) return [];
  const { type, id, text } = JSON.parse(Buffer.from(write.value).toString()) as ResourceWrite;
  return epcisChanges(type, id, text) ?? [];
};

/** An answer read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look at answers without a type for each
  readonly json: any;
}

/** A member's EPCIS interface. */
export class EpcisServer {
  readonly ledger = new RecordLedger();
  /** Captures anchored on the ledger. */
  readonly anchors: AnchorCapture[] = [];
  readonly faults: unknown[] = [];
  /** What carrying out captures does, one after the other; then nothing. */
  readonly effects: (readonly Effect[])[] = [];
  /** Whether each was carried out for the first time or again. */
  readonly carried: boolean[] = [];
  role = 'supply-operator';
  user = 'u-1';
  /** Headers of which it cannot be said whose they are. */
  readonly unclear = new Set<string>();
  /** Who asks is said no sooner. */
  asked: Promise<void> = Promise.resolve();
  /** Headers of those whose word is good. */
  readonly tokens = new Set(['Bearer good', 'Bearer other']);
  /** Facts that were read in lists so far. */
  read = 0;
  clockMs = Date.parse('2026-03-05T00:00:00.000Z');
  private readonly projection = new Projection({
    path: ':memory:',
    projectors: [projector],
    held: () => false,
    open: () => undefined,
    base: 'http://x/',
  });
  private readonly folder = scratchFolder();
  private readonly keys = new KeyStore(this.folder.path);
  private readonly pending = new PendingWork(this.keys, 'gateway0');
  private readonly stopping = new AbortController();
  private readonly following = follow(this.projection, this.ledger, this.stopping.signal);
  private server: Server | undefined;
  private sockets: EpcisSockets | undefined;
  private delivering = new AbortController();
  private delivered: Promise<void> = Promise.resolve();
  private process = { isKilled: false };

  static async start(): Promise<EpcisServer> {
    const made = new EpcisServer();
    await made.open();
    return made;
  }

  /** A process of the gateway: opened again, it goes on from what the one before kept. */
  async open(): Promise<void> {
    const repository = new EventRepository({
      projection: this.counting(),
      writer: this.ledger,
      ledger: { submit: (call) => this.anchor(call) },
    });
    const clock = (): number => (this.clockMs += 1);
    const desk = new EpcisDesk({
      repository,
      carry: (_actor, _events, again) => {
        this.carried.push(again);
        return Promise.resolve(this.effects.shift() ?? []);
      },
      pending: this.pendingOf((this.process = { isKilled: false })),
      destinations: new Destinations(false),
      clock,
      prefixLength: prefixLengthAmong([PREFIX]),
    });
    const app = express().use(
      '/epcis',
      epcisExpress(
        desk,
        (request) => this.actor(request.headers.authorization),
        (error) => this.faults.push(error),
      ),
    );
    this.sockets = new EpcisSockets(desk);
    this.server = createServer({ shouldUpgradeCallback: isSubscribing }, app).listen(0, '127.0.0.1');
    this.sockets.serve(this.server, {
      actorOf: ({ headers }) => this.actor(headers.authorization),
      onFault: (error) => this.faults.push(error),
    });
    await once(this.server, 'listening');
    this.delivering = new AbortController();
    this.delivered = desk.subscriptions.goOn(this.delivering.signal);
  }

  private counting() {
    const { projection } = this;
    return {
      get block() {
        return projection.block;
      },
      fact: (space: string, key: string) => projection.fact(space, key),
      facts: (...asked: Parameters<Projection['facts']>) => {
        const found = projection.facts(...asked);
        this.read += found.length;
        return found;
      },
      reached: (...asked: Parameters<Projection['reached']>) => projection.reached(...asked),
    };
  }

  /** Ends the process, not what it kept. */
  async stop(): Promise<void> {
    await this.sockets?.end();
    this.delivering.abort();
    await this.delivered;
    this.server?.closeAllConnections();
    this.server?.close();
  }

  /** Ends the process before it can keep anything more. */
  async kill(): Promise<void> {
    this.process.isKilled = true;
    await this.stop();
  }

  /** Address of a path below the interface, for a websocket. */
  socketUrl(path: string): string {
    const { port } = this.server?.address() as AddressInfo;
    return `ws://127.0.0.1:${port}/epcis${path}`;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const { port } = this.server?.address() as AddressInfo;
    const headers = { authorization: 'Bearer good', ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`http://127.0.0.1:${port}${path.startsWith('/epcis') ? '' : '/epcis'}${path}`, {
      ...init,
      headers,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask(path, { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** Captures and waits for the job's end: the job. */
  async capture(document: unknown, headers: Record<string, string> = {}): Promise<Answer['json']> {
    const { status, headers: answered, json } = await this.post('/capture', document, headers);
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(json)}`);
    for (;;) {
      const job = await this.ask(answered.get('location') ?? '');
      if ((job.json as { running: boolean }).running) await new Promise((resolve) => setImmediate(resolve));
      else return job.json;
    }
  }

  async events(query = ''): Promise<Record<string, unknown>[]> {
    const { status, json } = await this.ask(`/events${query}`);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(json)}`);
    return (json as { epcisBody: { queryResults: { resultsBody: { eventList: Record<string, unknown>[] } } } })
      .epcisBody.queryResults.resultsBody.eventList;
  }

  async close(): Promise<void> {
    await this.stop();
    this.stopping.abort();
    await this.following;
    this.projection.close();
    this.keys.close();
    this.folder.remove();
  }

  /** What a process keeps, until it is killed. */
  private pendingOf(process: { readonly isKilled: boolean }): DeskPorts['pending'] {
    const { pending } = this;
    return {
      keep: (...kept) => {
        if (!process.isKilled) pending.keep(...kept);
      },
      drop: (name) => {
        if (!process.isKilled) pending.drop(name);
      },
      list: (kind) => pending.list(kind),
    };
  }

  private anchor({ argument = '' }: LedgerCall): Promise<Commit> {
    this.anchors.push(parseAnchor(JSON.parse(argument), 'anchor'));
    return Promise.resolve(this.ledger.append([]));
  }

  private async actor(authorization = ''): Promise<Actor> {
    await this.asked;
    if (this.unclear.has(authorization)) throw new Error('it cannot be said whose token this is');
    if (!this.tokens.has(authorization)) throw new Refusal('forbidden', 'unauthenticated', 'send a token');
    return { member: 'test', user: this.user, role: this.role, purpose: 'HOPERAT', scopes: [] };
  }
}

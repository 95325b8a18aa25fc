/** A router over a real projection that follows an in-memory ledger. */
import { strict as assert } from 'node:assert';

import type { FhirContext } from '@salus/gateway/fhir/context';
import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import { fhirRouter, type FhirRouter } from '@salus/gateway/fhir/router';
import type { Actor, StoredVersion } from '@salus/gateway/ports';
import { follow } from '@salus/gateway/projection/follower';
import { Projection } from '@salus/gateway/projection/projection';
import type { WorkLimits } from '@salus/gateway/projection/search/search';

import { isRecord, RecordLedger, recordProjector } from './record-ledger.js';

export const BASE = 'http://fhir.test/fhir/R4';

export const physician: Actor = {
  member: 'test',
  user: 'dr-test',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.*'],
};

/** JSON of an answer: tests look at it without a type for every resource. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Answer extends FhirResponse {
  readonly json: Json;
}

export interface Ask {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly actor?: Actor;
}

/** A server for all tests of a suite, closed behind them; it must have had no fault of its own. */
export function serverOfSuite(): FhirServer {
  const server = new FhirServer();
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });
  return server;
}

export class FhirServer {
  readonly ledger = new RecordLedger();
  readonly projection: Projection;
  readonly router: FhirRouter;
  readonly faults: unknown[] = [];
  /** Resources that nobody may see, as `Type/id`. */
  readonly hidden = new Set<string>();
  private readonly stop = new AbortController();
  private readonly following: Promise<void>;

  constructor(more: Partial<FhirContext> = {}, searchLimits?: WorkLimits) {
    this.projection = newProjection(':memory:', searchLimits);
    const hides = (stored: StoredVersion): boolean => this.hidden.has(`${stored.type}/${stored.id}`);
    const context: FhirContext = {
      baseUrl: BASE,
      projection: this.projection,
      writer: this.ledger,
      decision: {
        permit: (_actor, stored) => (hides(stored) ? undefined : stored),
        opens: () => true,
        unrestricted: () => this.hidden.size === 0,
        allow: () => undefined,
      },
      ...more,
    };
    this.router = fhirRouter(context, { onFault: (error) => this.faults.push(error) });
    this.following = follow(this.projection, this.ledger, this.stop.signal);
  }

  /** Asks as `GET Patient/1?x=y`. */
  async ask(line: string, ask: Ask = {}): Promise<Answer> {
    const response = await this.router.handle(requestOf(line, ask));
    const { resource } = response;
    return { ...response, json: typeof resource === 'string' ? JSON.parse(resource) : resource };
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.following;
    this.projection.close();
  }
}

function requestOf(line: string, { headers = {}, body, actor = physician }: Ask): FhirRequest {
  const [method = '', url = ''] = line.split(/ (.*)/s, 2);
  const [path = '', search = ''] = url.split(/\?(.*)/s, 2);
  const query = new URLSearchParams(search);
  if (body === undefined) return { method, path, query, headers, actor };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method, path, query, headers: { 'content-type': 'application/fhir+json', ...headers }, actor, body: text };
}

export function newProjection(path = ':memory:', searchLimits?: WorkLimits): Projection {
  const options = { path, projectors: [recordProjector], open: () => undefined, held: isRecord, base: `${BASE}/` };
  return new Projection(searchLimits === undefined ? options : { ...options, searchLimits });
}

/** Ids of a Bundle's entries with this search mode. */
export function idsOf(bundle: Json, mode = 'match'): string[] {
  const entries = (bundle.entry ?? []) as Json[];
  return entries.filter((entry) => entry.search.mode === mode).map((entry) => entry.resource.id as string);
}

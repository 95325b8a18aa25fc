/** An endpoint of a subscriber to topics: what it was sent, and what it answers. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import type { Json } from '../support/fhir-server.js';

/** As much of an Observation as tests look at. */
export interface Told {
  readonly id: string;
  readonly meta: { readonly versionId: string };
  readonly valueQuantity: { readonly value: number };
}

/** A notification as its taker reads it. */
export interface Notification {
  readonly type: string;
  readonly status: string;
  readonly total: number;
  readonly numbers: readonly number[];
  /** Literal references, '' where an event names none. */
  readonly focuses: readonly string[];
  readonly resources: readonly Told[];
  readonly bundle: Json;
}

/** Reads a notification Bundle. */
export function notificationOf(bundle: Json): Notification {
  const [status, ...rest] = bundle.entry as Json[];
  const parameters = status.resource.parameter as Json[];
  const of = (name: string): Json => parameters.find((each) => each.name === name);
  const events = parameters.filter((each) => each.name === 'notification-event');
  const part = (event: Json, name: string): Json => (event.part as Json[]).find((each) => each.name === name);
  return {
    type: of('type').valueCode as string,
    status: of('status').valueCode as string,
    total: Number(of('events-since-subscription-start').valueString),
    numbers: events.map((event) => Number(part(event, 'event-number').valueString)),
    focuses: events.map((event) => (part(event, 'focus')?.valueReference.reference as string | undefined) ?? ''),
    resources: rest.flatMap((entry): Told[] => (entry.resource === undefined ? [] : [entry.resource as Told])),
    bundle,
  };
}

/** The endpoint. */
export class Hook {
  readonly taken: Notification[] = [];
  /** Headers of the last request. */
  headers: Readonly<Record<string, unknown>> = {};
  answers = 200;
  private server: Server | undefined;

  async listen(): Promise<string> {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        this.headers = request.headers;
        if (this.answers < 300) this.taken.push(notificationOf(JSON.parse(body)));
        response.writeHead(this.answers).end();
      });
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  of(type: string): readonly Notification[] {
    return this.taken.filter((each) => each.type === type);
  }

  /** Numbers of the events it was told of, in the order it was. */
  get numbers(): readonly number[] {
    return this.of('event-notification').flatMap(({ numbers }) => numbers);
  }

  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

const GUIDE = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

/** What a Subscription of a test says. */
export interface SubscriptionWish {
  readonly type?: string;
  readonly filters?: readonly string[];
  readonly endpoint?: string;
  readonly content?: string;
  /** Further elements of the channel, and extensions of it. */
  readonly channel?: object;
  readonly extension?: readonly object[];
  readonly more?: object;
}

/** A Subscription to a topic, by the profile. */
export function subscriptionTo(wish: SubscriptionWish): Json {
  const { type = 'Observation', filters = [], endpoint, content = 'full-resource' } = wish;
  return {
    resourceType: 'Subscription',
    meta: { profile: [`${GUIDE}/backport-subscription`] },
    status: 'requested',
    reason: 'to be told',
    criteria: `urn:salus:subscription-topic:${type}`,
    ...(filters.length === 0
      ? {}
      : {
          _criteria: {
            extension: filters.map((valueString) => ({ url: `${GUIDE}/backport-filter-criteria`, valueString })),
          },
        }),
    channel: {
      type: endpoint === undefined ? 'websocket' : 'rest-hook',
      ...(endpoint === undefined ? {} : { endpoint }),
      payload: 'application/fhir+json',
      _payload: { extension: [{ url: `${GUIDE}/backport-payload-content`, valueCode: content }] },
      ...(wish.extension === undefined ? {} : { extension: wish.extension }),
      ...wish.channel,
    },
    ...wish.more,
  };
}

/** An extension of the channel. */
export function channelExtension(name: string, value: object): object {
  return { url: `${GUIDE}/backport-${name}`, ...value };
}

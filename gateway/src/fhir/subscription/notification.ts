/**
 * Notifications and what is told of a subscription's state, in R4 a Bundle of type history whose first entry is Parameters
 * (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html). Pure.
 */
import { randomUUID } from 'node:crypto';

import type { StoredVersion } from '../../ports.js';
import { bundleText, type EntryText } from '../bundle-text.js';
import type { JsonObject } from '../json.js';
import type { Kept, TopicEvent } from './store.js';
import { GUIDE } from './topics.js';
import type { Content, Wish } from './wish.js';

/** R5 subscription-notification-type. */
export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** An event, and the version that it is of as far as the subscriber may see it. */
export interface ShownEvent {
  readonly event: TopicEvent;
  readonly shown?: StoredVersion | undefined;
}

/** What a notification says. */
export interface Said {
  readonly type: NotificationType;
  readonly content: Content;
  readonly events: readonly ShownEvent[];
  /** FHIR instant. */
  readonly at: string;
  /** Absolute, without a slash at its end. */
  readonly baseUrl: string;
}

/** The JSON text of a notification. */
export function notificationText(kept: Kept, wish: Wish, said: Said): string {
  const { baseUrl, events, at } = said;
  const id = randomUUID();
  const status = { ...statusOf(kept, wish, said), id };
  const url = `${baseUrl}/Subscription/${kept.id}/$status`;
  const first: EntryText = {
    fullUrl: `urn:uuid:${id}`,
    resource: JSON.stringify(status),
    more: { request: { method: 'GET', url }, response: { status: '200' } },
  };
  const meta = { profile: [`${GUIDE}/StructureDefinition/backport-subscription-notification-r4`] };
  const rest = said.content === 'empty' ? [] : events.flatMap((each) => entryOf(wish, said, each));
  return bundleText({ meta, type: 'history', timestamp: at }, [first, ...rest]);
}

/** The Parameters of the profile backport-subscription-status-r4. */
export function statusOf(kept: Kept, wish: Wish, { type, content, events, baseUrl }: Omit<Said, 'at'>): JsonObject {
  const { id, status, count, error } = kept;
  return {
    resourceType: 'Parameters',
    meta: { profile: [`${GUIDE}/StructureDefinition/backport-subscription-status-r4`] },
    parameter: [
      { name: 'subscription', valueReference: { reference: `${baseUrl}/Subscription/${id}` } },
      ...(content === 'empty' ? [] : [{ name: 'topic', valueCanonical: wish.topic }]),
      { name: 'status', valueCode: status },
      { name: 'type', valueCode: type },
      { name: 'events-since-subscription-start', valueString: String(count) },
      ...events.map((each) => ({ name: 'notification-event', part: partsOf(wish, content, each, baseUrl) })),
      ...(error === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: error } }]),
    ],
  };
}

function partsOf({ type }: Wish, content: Content, { event, shown }: ShownEvent, baseUrl: string): JsonObject[] {
  const reference = `${baseUrl}/${type}/${event.id}`;
  const isNamed = content !== 'empty' && shown !== undefined;
  return [
    { name: 'event-number', valueString: String(event.number) },
    { name: 'timestamp', valueInstant: event.at },
    ...(isNamed ? [{ name: 'focus', valueReference: { reference } }] : []),
  ];
}

/** The resource of an event, or where it is; nothing of what its subscriber may not see any longer. */
function entryOf({ type }: Wish, { content, baseUrl }: Said, { event, shown }: ShownEvent): EntryText[] {
  if (shown === undefined) return [];
  const isFirst = event.version === 1;
  const request = isFirst ? { method: 'POST', url: type } : { method: 'PUT', url: `${type}/${event.id}` };
  const entry = {
    fullUrl: `${baseUrl}/${type}/${event.id}`,
    more: { request, response: { status: isFirst ? '201' : '200', lastModified: event.at } },
  };
  return [content === 'full-resource' ? { ...entry, resource: shown.text } : entry];
}

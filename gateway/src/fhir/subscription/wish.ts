/**
 * What a Subscription asks for, by the profile backport-subscription of Subscriptions R5 Backport 1.1.0
 * (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html). Pure.
 */
import { Refusal } from '../../ledger/refusal.js';
import type { JsonObject } from '../json.js';
import { IssuesRefusal } from '../outcome.js';
import { type Filter, filtersOf } from './filters.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';
import { GUIDE, typeOfTopic } from './topics.js';

/** How much of a resource a notification has (backport-content-value-set). */
export type Content = 'empty' | 'id-only' | 'full-resource';

/** A Subscription, read. */
export interface Wish {
  /** Canonical URL. */
  readonly topic: string;
  /** The type that the topic is about. */
  readonly type: string;
  readonly filters: readonly Filter[];
  readonly channel: 'rest-hook' | 'websocket';
  /** Where a rest-hook is, as it was said. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Media type. */
  readonly payload: string;
  readonly content: Content;
  readonly heartbeatMs?: number;
  readonly timeoutMs: number;
  /** Events of one notification at most. */
  readonly maxCount: number;
  /** Milliseconds since 1970; absent = none is said. */
  readonly end?: number;
}

const CONTENTS: readonly unknown[] = ['empty', 'id-only', 'full-resource'];
const PAYLOAD =
  /^(application\/fhir\+json|application\/json)\s*(;\s*fhirVersion=4\.0(\.1)?\s*)?(;\s*charset=utf-8\s*)?$/i;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)$/;
/** What the connection says of itself. */
const OWN_HEADERS = [
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Reads it. Throws IssuesRefusal 422 that names the element which cannot be kept to. */
export function wishOf(resource: JsonObject): Wish {
  const channel = (resource.channel ?? {}) as JsonObject;
  const type = demand(typeOfTopic(resource.criteria), 'criteria', 'the criteria is a topic that /metadata names');
  const kind = demand(channelOf(channel), 'channel.type', 'the channel is a rest-hook or a websocket');
  const heartbeatMs = secondsOf(channel, 'heartbeat-period', [SUBSCRIPTION_LIMITS.heartbeatSeconds, 86_400]);
  const { timeoutSeconds, eventsAtOnce } = SUBSCRIPTION_LIMITS;
  const end = endOf(resource.end);
  return {
    ...{ topic: String(resource.criteria), type, channel: kind, filters: allFilters(type, resource._criteria) },
    endpoint: typeof channel.endpoint === 'string' ? channel.endpoint : '',
    headers: headersOf(channel.header),
    payload: payloadOf(channel.payload),
    content: contentOf(channel._payload),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    timeoutMs: secondsOf(channel, 'timeout', [1, timeoutSeconds]) ?? timeoutSeconds * 1_000,
    maxCount: numberOf(channel, 'max-count', [1, eventsAtOnce]) ?? eventsAtOnce,
    ...(end === undefined ? {} : { end }),
  };
}

function channelOf({ type }: JsonObject): Wish['channel'] | undefined {
  return type === 'rest-hook' || type === 'websocket' ? type : undefined;
}

function allFilters(type: string, criteria: unknown): readonly Filter[] {
  const filters = extensionsOf(criteria, 'filter-criteria').flatMap(({ valueString }) =>
    at('criteria', () => filtersOf(type, valueString)),
  );
  if (filters.length <= SUBSCRIPTION_LIMITS.filters) return filters;
  throw refused('criteria', `a subscription has at most ${SUBSCRIPTION_LIMITS.filters} filters`);
}

/** Each header is `Name: value` (R4 subscription-definitions.html#Subscription.channel.header). */
function headersOf(list: unknown): Readonly<Record<string, string>> {
  const headers = Array.isArray(list) ? (list as unknown[]) : [];
  const characters = headers.reduce<number>((sum, each) => sum + String(each).length, 0);
  if (headers.length > SUBSCRIPTION_LIMITS.headers || characters > SUBSCRIPTION_LIMITS.headerCharacters) {
    const { headers: most, headerCharacters } = SUBSCRIPTION_LIMITS;
    throw refused(
      'channel.header',
      `a channel has at most ${most} headers, of ${headerCharacters} characters together`,
    );
  }
  return Object.fromEntries(
    headers.map((header) => {
      const [, name = '', value = ''] = HEADER.exec(String(header)) ?? [];
      if (name !== '' && !OWN_HEADERS.includes(name.toLowerCase())) return [name, value];
      throw refused('channel.header', 'a header is written Name: value, and is none of the connection or the content');
    }),
  );
}

function payloadOf(payload: unknown): string {
  if (typeof payload === 'string' && PAYLOAD.test(payload)) return payload;
  throw refused('channel.payload', 'the payload is application/fhir+json');
}

function contentOf(payload: unknown): Content {
  const [{ valueCode } = { valueCode: undefined }] = extensionsOf(payload, 'payload-content');
  if (CONTENTS.includes(valueCode)) return valueCode as Content;
  throw refused('channel.payload', 'its extension backport-payload-content is empty, id-only or full-resource');
}

function endOf(end: unknown): number | undefined {
  return typeof end === 'string' ? Date.parse(end) : undefined;
}

function secondsOf(channel: JsonObject, name: string, range: readonly [number, number]): number | undefined {
  const seconds = numberOf(channel, name, range);
  return seconds === undefined ? undefined : seconds * 1_000;
}

/** The whole number of an extension of the channel. */
function numberOf(channel: JsonObject, name: string, [least, most]: readonly [number, number]): number | undefined {
  const [extension] = extensionsOf(channel, name);
  if (extension === undefined) return undefined;
  const value = extension.valueUnsignedInt ?? extension.valuePositiveInt;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw refused('channel', `backport-${name} is a number from ${least} to ${most}`);
}

function extensionsOf(element: unknown, name: string): readonly JsonObject[] {
  const { extension } = (element ?? {}) as JsonObject;
  const all = Array.isArray(extension) ? (extension as JsonObject[]) : [];
  return all.filter(({ url }) => url === `${GUIDE}/StructureDefinition/backport-${name}`);
}

function demand<T>(value: T | undefined, element: string, what: string): T {
  if (value === undefined) throw refused(element, what);
  return value;
}

function at<T>(element: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal ? refused(element, error.detail) : error;
  }
}

/** The refusal of a Subscription for what one of its elements says. */
export function refused(element: string, diagnostics: string): IssuesRefusal {
  const issue = {
    severity: 'error',
    code: 'not-supported',
    diagnostics,
    expression: [`Subscription.${element}`],
  } as const;
  return new IssuesRefusal('unprocessable', [issue]);
}

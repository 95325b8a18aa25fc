/**
 * Subscriptions as clients ask for them: the type Subscription (R4 subscription.html) and the operations of Subscriptions R5
 * Backport 1.1.0. Each is for who made it alone, but for officers, who see and end all: to anybody else it is not known here.
 */
import type { Destinations } from '../../delivery/destinations.js';
import { confinedTo } from '../../identity/scopes.js';
import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { formRequest, requireType, resourceBody } from '../body.js';
import { etagOf, notFound, requireId, versionOf } from '../context.js';
import { newId } from '../idempotency.js';
import { type JsonObject, plainOf } from '../json.js';
import type { FhirRequest, FhirResponse, Stable, Subscriptions, TypeHandler } from '../request.js';
import { requireValid } from '../validate.js';
import type { Bindings } from './bindings.js';
import { placeNow, type FindPorts } from './finding.js';
import { SUBSCRIPTION_LIMITS } from './limits.js';
import { statusOf } from './notification.js';
import type { Notifying } from './notifying.js';
import { found, pageOf, shown } from './shown.js';
import type { Kept, Status, SubscriptionStore } from './store.js';
import { type Content, refused, type Wish, wishOf } from './wish.js';

const DAY_MS = 86_400_000;

/** What subscriptions are kept and told with. */
export interface DeskPorts extends Pick<FindPorts, 'projection'> {
  readonly store: SubscriptionStore;
  readonly notifying: Notifying;
  readonly bindings: Bindings;
  readonly destinations: Destinations;
  readonly stable: Stable;
  /** Whether the actor may search the type at all; throws Refusal forbidden when not. */
  readonly allow: (actor: Actor, type: string) => void;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly baseUrl: string;
}

/** One gateway's subscriptions, as they are asked for. */
export class SubscriptionDesk implements Subscriptions {
  constructor(private readonly ports: DeskPorts) {}

  /** Of the type Subscription. */
  readonly handler: TypeHandler = (request, interaction, proceed) => {
    const [, id = ''] = request.path.split('/');
    const own: Partial<Record<typeof interaction, () => FhirResponse>> = {
      create: () => this.#create(request),
      read: () => this.#read(this.#seen(request, id)),
      update: () => this.#update(request, id),
      delete: () => this.#delete(request, id),
      search: () => this.#search(request.path.endsWith('/_search') ? formRequest(request) : request),
    };
    const work = own[interaction];
    return work === undefined ? proceed(request) : Promise.resolve().then(work);
  };

  status(request: FhirRequest, id?: string): FhirResponse {
    const { baseUrl } = this.ports;
    const [ids, states] = [request.query.getAll('id'), request.query.getAll('status')];
    const asked = this.#all(request).filter(
      (kept) => (ids.length === 0 || ids.includes(kept.id)) && (states.length === 0 || states.includes(kept.status)),
    );
    const entry = (id === undefined ? asked : [this.#mine(request, id)]).map((kept) => ({
      fullUrl: `${baseUrl}/Subscription/${kept.id}/$status`,
      resource: statusOf(kept, wishOf(kept.resource), {
        ...{ type: 'query-status', content: 'id-only', events: [], baseUrl },
      }),
      search: { mode: 'match' },
    }));
    const head = { resourceType: 'Bundle', type: 'searchset', total: entry.length };
    return { status: 200, headers: {}, resource: entry.length === 0 ? head : { ...head, entry } };
  }

  async events(request: FhirRequest, id: string): Promise<FhirResponse> {
    const kept = this.#mine(request, id);
    const { query } = request;
    const [since, until] = [
      numberIn(query, 'eventsSinceNumber') ?? 0,
      numberIn(query, 'eventsUntilNumber') ?? Infinity,
    ];
    const events = kept.events.filter(({ number }) => number >= since && number <= until);
    const content = contentIn(query);
    const sending = {
      ...({ type: 'query-event', events: events.slice(0, SUBSCRIPTION_LIMITS.eventsAtOnce) } as const),
      ...(content === undefined ? {} : { content }),
    };
    // A token that may see less than the one that subscribed sees less.
    const resource = await this.ports.notifying.text(kept, sending, request.actor);
    return { status: 200, headers: {}, resource };
  }

  bindingToken(request: FhirRequest, id?: string): FhirResponse {
    const { bindings, baseUrl } = this.ports;
    const asked = id === undefined ? request.query.getAll('id') : [id];
    const named = asked.map((each) => this.#mine(request, each));
    const all = named.length > 0 ? named : this.#all(request);
    const ids = all.filter((kept) => channelOf(kept) === 'websocket').map((kept) => kept.id);
    if (ids.length < Math.max(named.length, 1)) {
      throw new Refusal('invalid', 'unprocessable', 'this is for subscriptions whose channel is a websocket');
    }
    if (!all.every((kept) => hasRightsOf(request.actor, kept.actor))) {
      throw new Refusal(
        'forbidden',
        'scope-missing',
        'this token may do less than the one that subscribed: PUT it by this one',
      );
    }
    const { token, until } = bindings.issue(ids, request.actor.user);
    const parameter = [
      { name: 'token', valueString: token },
      { name: 'expiration', valueDateTime: new Date(until).toISOString() },
      ...ids.map((valueString) => ({ name: 'subscription', valueString })),
      { name: 'websocket-url', valueUrl: `${baseUrl.replace(/^http/, 'ws')}/${SOCKET_PATH}` },
    ];
    return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
  }

  #search(request: FhirRequest): FhirResponse {
    const all = isOfficer(request.actor) ? this.ports.store.all() : this.#all(request);
    return pageOf(request, found(all, request.query), this.ports.baseUrl);
  }

  #create(request: FhirRequest): FhirResponse {
    const id = newId(this.ports, request);
    const before = this.ports.store.get(id);
    if (before !== undefined) return this.#read(before, 201);
    return this.#read(this.#keep(request, id), 201);
  }

  #update(request: FhirRequest, id: string): FhirResponse {
    requireId(id);
    const { exact } = resourceBody(request);
    if (exact.id !== id) throw new Refusal('invalid', 'structure', 'the id in the body must be the one in the URL');
    const before = this.ports.store.get(id);
    if (before !== undefined && !isMade(before, request.actor)) {
      throw new Refusal('conflict', 'id-taken', 'another resource has this id');
    }
    requireMatch(request, before);
    const kept = this.#keep(request, id, before);
    return this.#read(kept, before === undefined ? 201 : 200);
  }

  #delete(request: FhirRequest, id: string): FhirResponse {
    const kept = this.#seen(request, id);
    requireMatch(request, kept);
    this.ports.store.drop(id);
    this.ports.notifying.dropped(id);
    return { status: 204, headers: {} };
  }

  /** Keeps what was sent, with the rights of who sent it. */
  #keep(request: FhirRequest, id: string, before?: Kept): Kept {
    const { exact, plain } = resourceBody(request);
    requireType(plain, 'Subscription');
    const resource = withHeaders(exact, before);
    requireValid(plainOf(resource) as JsonObject);
    const wish = wishOf(resource);
    this.#requireAllowed(wish);
    this.ports.allow(request.actor, wish.type);
    if (before === undefined) this.#requireRoom(request.actor);
    const now = this.ports.clock();
    const kept: Kept = {
      ...(before ?? { count: 0, told: 0, events: [], place: placeNow(this.ports) }),
      ...{ id, resource, version: (before?.version ?? 0) + 1, lastUpdated: new Date(now).toISOString() },
      ...{ actor: request.actor, status: statusAsked(plain, wish, before), end: endOf(wish, now) },
      error: plain.status === 'error' ? before?.error : undefined,
    };
    this.ports.store.keep(kept);
    this.ports.notifying.renewed(id);
    return kept;
  }

  #requireAllowed({ channel, endpoint }: Wish): void {
    if (channel === 'websocket' || this.ports.destinations.allowed(endpoint) !== undefined) return;
    const what = 'the endpoint is an https address that this gateway may send to, without user and password in it';
    throw refused('channel.endpoint', what);
  }

  #requireRoom(actor: Actor): void {
    const all = this.ports.store.all();
    const { ofOneUser, ofGateway } = SUBSCRIPTION_LIMITS;
    if (all.length < ofGateway && all.filter(({ actor: { user } }) => user === actor.user).length < ofOneUser) return;
    const most = `there are at most ${ofOneUser} subscriptions of one user, ${ofGateway} of all: delete one`;
    throw new Refusal('unavailable', 'too-many-requests', most);
  }

  #read(kept: Kept, status = 200): FhirResponse {
    const headers = { ETag: etagOf(kept.version), 'Last-Modified': new Date(kept.lastUpdated).toUTCString() };
    const location = { Location: `${this.ports.baseUrl}/Subscription/${kept.id}/_history/${kept.version}` };
    return { status, headers: status === 201 ? { ...headers, ...location } : headers, resource: shown(kept) };
  }

  #all({ actor }: FhirRequest): readonly Kept[] {
    return this.ports.store.all().filter((kept) => isMade(kept, actor));
  }

  /** One's own; an officer sees and ends anybody's. */
  #seen(request: FhirRequest, id: string): Kept {
    const kept = isOfficer(request.actor) ? this.ports.store.get(id) : undefined;
    return kept ?? this.#mine(request, id);
  }

  #mine({ actor }: FhirRequest, id: string): Kept {
    const kept = this.ports.store.get(id);
    if (kept === undefined || !isMade(kept, actor)) throw notFound('Subscription', id);
    return kept;
  }
}

/** Below the FHIR base: where websockets are opened. */
export const SOCKET_PATH = '$notifications';

/** Whether it is this actor's: the same user, for the same patient. */
function isMade({ actor }: Kept, { user, patient }: Actor): boolean {
  return actor.user === user && actor.patient === patient;
}

/** Whoever looks after who is told what; not by a token for one patient. */
function isOfficer(actor: Actor): boolean {
  return actor.role === 'privacy-officer' && confinedTo(actor) === undefined;
}

/** Whether a token of the same user may do all that another may. */
function hasRightsOf(one: Actor, other: Actor): boolean {
  const isAlike = one.role === other.role && one.purpose === other.purpose && one.launch === other.launch;
  return isAlike && other.scopes.every((scope) => one.scopes.includes(scope));
}

function channelOf({ resource }: Kept): unknown {
  return (resource.channel as JsonObject).type;
}

function requireMatch({ headers }: FhirRequest, kept: Kept | undefined): void {
  const wanted = headers['if-match'];
  if (wanted !== undefined && versionOf(wanted) !== String(kept?.version)) {
    throw new Refusal('conflict', 'precondition-failed', 'this is not the version in force');
  }
}

/** Headers are shown to nobody: who sends them back as they are shown means those that there are. */
function withHeaders(sent: JsonObject, before: Kept | undefined): JsonObject {
  const { _header: masked, header, ...channel } = (sent.channel ?? {}) as JsonObject;
  const known = (before?.resource.channel as JsonObject | undefined)?.header;
  const kept = masked === undefined ? header : known;
  return { ...sent, channel: kept === undefined ? channel : { ...channel, header: kept } };
}

/** A client asks for `requested`, or turns it off; what is in error stays so until it asks again. */
function statusAsked({ status }: JsonObject, { channel }: Wish, before: Kept | undefined): Status {
  if (status === 'off') return 'off';
  if (status === 'error') {
    if (before !== undefined) return 'error';
    throw refused('status', 'a new subscription is requested');
  }
  return channel === 'websocket' ? 'active' : 'requested';
}

function endOf({ end }: Wish, now: number): number {
  const last = now + SUBSCRIPTION_LIMITS.days * DAY_MS;
  if (end === undefined) return last;
  if (end > now && end <= last) return end;
  throw refused('end', `the end is within the next ${SUBSCRIPTION_LIMITS.days} days`);
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal('invalid', 'bad-value', `${name} is the number of an event`);
}

function contentIn(query: URLSearchParams): Content | undefined {
  const content = query.get('content') ?? undefined;
  if (content === undefined || content === 'empty' || content === 'id-only' || content === 'full-resource')
    return content;
  throw new Refusal('invalid', 'bad-value', 'content is empty, id-only or full-resource');
}

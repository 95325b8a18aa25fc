/** Subscriptions as they are asked for: `/queries/{name}/subscriptions`, and websockets (EPCIS 2.0 section 12.6). */
import { randomUUID } from 'node:crypto';

import { instantMs } from '../event/instant.js';
import { isMap, type JsonMap } from '../event/json.js';
import { EPC_FORMATS, type EpcFormat } from './answer.js';
import { allow, type Endpoint, found, type Handler, KEEPERS, named } from './asked.js';
import type { EpcisDesk } from './desk.js';
import { EpcisProblem } from './problem.js';
import { dueAfter, readSchedule } from './schedule.js';
import type { Subscription } from './subscriptions.js';

/** Most subscriptions to one query. */
export const MAX_SUBSCRIPTIONS = 20;

const create: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  const { name } = named(desk, asked);
  const body = asked.json();
  if (!isMap(body)) throw bad('send a JSON object with dest, and stream: true or a schedule');
  const dest = destOf(desk, body.dest);
  const subscription = withinLimit(desk, { ...subscriptionOf(desk, name, body), dest });
  desk.subscriptions.keep(subscription);
  const address = `${asked.base}/queries/${name}/subscriptions/${subscription.subscriptionID}`;
  return { status: 201, headers: { Location: address }, body: shown(subscription) };
};

const list: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  return { status: 200, body: desk.subscriptions.of(named(desk, asked).name).map(shown) };
};

const one: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  return { status: 200, body: shown(wanted(desk, asked)) };
};

const end: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  desk.subscriptions.drop(wanted(desk, asked).subscriptionID);
  return { status: 204 };
};

/** The endpoints by path. */
export const SUBSCRIPTION_ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/queries/:name/subscriptions': { GET: list, POST: create },
  '/queries/:name/subscriptions/:subscriptionID': { GET: one, DELETE: end },
};

const wanted = (desk: EpcisDesk, asked: Parameters<Handler>[1]): Subscription =>
  found(
    desk.subscriptions
      .of(named(desk, asked).name)
      .find(({ subscriptionID }) => subscriptionID === asked.parameters.subscriptionID),
    'subscription',
  );

/** What the request for a websocket says of who asks. */
export interface SocketWish {
  readonly owner: string;
  /** Header GS1-EPC-Format. */
  readonly format: string | undefined;
}

/**
 * The subscription of a websocket: a new one by `stream=true` or the fields of a schedule, which is not kept before the
 * websocket is open, or one that its own user goes on with by `subscriptionID`. Throws EpcisProblem.
 */
export function heldSubscription(
  desk: EpcisDesk,
  queryName: string,
  search: URLSearchParams,
  { owner, format }: SocketWish,
): Subscription {
  if (desk.repository.namedQuery(queryName) === undefined) {
    throw new EpcisProblem('NoSuchNameException', 'there is no query of this name');
  }
  const { subscriptionID, stream, reportIfEmpty, initialRecordTime, ...rest } = Object.fromEntries(search);
  if (subscriptionID !== undefined) {
    const isMine = (each: Subscription): boolean =>
      each.subscriptionID === subscriptionID && each.dest === undefined && each.owner === owner;
    return found(desk.subscriptions.of(queryName).find(isMine), 'subscription');
  }
  const schedule = Object.keys(rest).length === 0 ? {} : { schedule: rest };
  const said = { stream: stream === 'true', reportIfEmpty: reportIfEmpty === 'true', initialRecordTime };
  const made = subscriptionOf(desk, queryName, { ...said, ...schedule, epcFormat: format });
  return withinLimit(desk, { ...made, owner });
}

function withinLimit(desk: EpcisDesk, subscription: Subscription): Subscription {
  if (desk.subscriptions.of(subscription.queryName).length >= MAX_SUBSCRIPTIONS) {
    throw new EpcisProblem('SubscriptionControlsException', `a query has at most ${MAX_SUBSCRIPTIONS} subscriptions`);
  }
  return subscription;
}

function subscriptionOf(desk: EpcisDesk, queryName: string, body: JsonMap): Subscription {
  const { stream, schedule: given, signatureToken, initialRecordTime } = body;
  if ((stream === true) === (given !== undefined)) throw bad('say stream: true, or a schedule, and not both');
  if (signatureToken !== undefined && (typeof signatureToken !== 'string' || signatureToken.length > 512)) {
    throw bad('signatureToken is a text of at most 512 characters');
  }
  const schedule = given === undefined ? undefined : readSchedule(given);
  const createdAt = desk.now();
  return {
    subscriptionID: randomUUID(),
    queryName,
    signatureToken,
    reportIfEmpty: body.reportIfEmpty === true,
    epcFormat: formatOf(body.epcFormat),
    createdAt,
    schedule,
    due: schedule === undefined ? 0 : (dueAfter(schedule, Date.parse(createdAt)) ?? 0),
    told: desk.subscriptions.start(initialRecordTime === undefined ? undefined : instantOf(initialRecordTime)),
  };
}

/** Throws EpcisProblem for an address that this gateway sends nothing to. */
function destOf({ subscriptions }: EpcisDesk, value: unknown): string {
  const dest = subscriptions.allowed(value);
  if (dest !== undefined) return dest;
  const what = 'dest is an https address that this gateway may send to, without user and password in it';
  throw new EpcisProblem('InvalidURIException', what);
}

function formatOf(value: unknown): EpcFormat {
  const format = EPC_FORMATS.find((each) => each === (value ?? 'No_Preference'));
  if (format === undefined) throw bad(`epcFormat is one of: ${EPC_FORMATS.join(', ')}`);
  return format;
}

function instantOf(value: unknown): string {
  const at = typeof value === 'string' ? instantMs(value) : undefined;
  if (at === undefined) throw bad('initialRecordTime is a date and time with its offset from UTC');
  return new Date(at).toISOString();
}

/** Without its token: whoever made it knows it. */
function shown({
  subscriptionID,
  queryName,
  dest,
  createdAt,
  reportIfEmpty,
  epcFormat,
  schedule,
}: Subscription): object {
  const when = schedule === undefined ? { stream: true } : { schedule: textsOf(schedule) };
  return { subscriptionID, queryName, dest, createdAt, reportIfEmpty, epcFormat, ...when };
}

function textsOf(schedule: NonNullable<Subscription['schedule']>): object {
  return Object.fromEntries(Object.entries(schedule).map(([name, values]) => [name, values.join(',')]));
}

function bad(detail: string): EpcisProblem {
  return new EpcisProblem('SubscriptionControlsException', detail);
}

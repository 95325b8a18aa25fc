/** What subscriptions to topics may cost. */

/** Each refused beyond, or kept to, as docs/fhir.md says. */
export const SUBSCRIPTION_LIMITS = {
  /** Of one user at one gateway. */
  ofOneUser: 20,
  /** At one gateway. */
  ofGateway: 1_000,
  /** From now on to `end`; who goes on subscribes anew, with the rights of then. */
  days: 90,
  /** After its end for which it is told of. */
  daysOver: 7,
  filters: 10,
  valuesPerFilter: 50,
  headers: 10,
  headerCharacters: 2_000,
  /** Newest events that are kept, to be sent or asked for. */
  events: 500,
  /** Events of one notification, or one answer to `$events`. */
  eventsAtOnce: 100,
  /** Characters of resources in one of them, unless the first is longer. */
  characters: 4_194_304,
  timeoutSeconds: 30,
  /** Between heartbeats, at least. */
  heartbeatSeconds: 10,
  /** Attempts in a row that an endpoint does not take. */
  attempts: 7,
  /** For which a token binds a websocket. */
  bindingSeconds: 600,
  /** Until a websocket is bound. */
  unboundSeconds: 10,
  /** Websockets at one gateway. */
  sockets: 200,
} as const;

/** The resources of the EPCIS interface, each as plain functions: EPCIS 2.0 section 12. */
import { readDocument, readEvent } from '../event/document.js';
import { isMap } from '../event/json.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import {
  CONTEXT,
  EPC_FORMATS,
  type EpcFormat,
  queryDocument,
  respelling,
  type Respell,
  singleEvent,
} from './answer.js';
import {
  allow,
  type Asked,
  type Endpoint,
  type EpcisAnswer,
  found,
  type Handler,
  KEEPERS,
  named,
  READERS,
} from './asked.js';
import { type Collection, COLLECTIONS, occurring } from './collections.js';
import type { EpcisDesk } from './desk.js';
import { type Page, perPageOf } from './paging.js';
import { EpcisProblem } from './problem.js';
import { parametersOf, readQuery, runQuery, type Values } from './query.js';
import { SUBSCRIPTION_ENDPOINTS } from './subscribe.js';
import type { NamedQuery, ReadableEvent } from './stored.js';

const capture: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  const behaviour = asked.header('GS1-Capture-Error-Behaviour') ?? 'rollback';
  if (behaviour !== 'rollback' && behaviour !== 'proceed') {
    throw new EpcisProblem('ValidationException', 'GS1-Capture-Error-Behaviour is rollback or proceed');
  }
  const captureID = desk.capturing.start(asked.actor, readDocument(asked.json()), behaviour);
  return { status: 202, headers: { Location: `${asked.base}/capture/${captureID}` } };
};

const jobs: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  return paged(
    desk,
    asked,
    () => desk.capturing.jobs(),
    (items) => items,
  );
};

const job: Handler = (desk, asked) => {
  allow(asked, KEEPERS);
  return { status: 200, body: found(desk.capturing.job(asked.parameters.captureID ?? ''), 'capture job') };
};

const captureEvent: Handler = async (desk, asked) => {
  allow(asked, KEEPERS);
  const eventID = await desk.capturing.one(asked.actor, readEvent(asked.json()));
  return { status: 201, headers: { Location: `${asked.base}/events/${encodeURIComponent(eventID)}` } };
};

const events: Handler = (desk, asked) => answerQuery(desk, asked, 'SimpleEventQuery', new Map());

const event: Handler = (desk, asked) => {
  allow(asked, READERS);
  const [first] = desk.repository.byId(asked.parameters.eventID ?? '');
  return { status: 200, body: singleEvent(found(first, 'event'), respellFor(desk, asked)) };
};

const proof: Handler = (desk, asked) => {
  allow(asked, READERS);
  const [first] = desk.repository.byId(asked.parameters.eventID ?? '');
  return { status: 200, body: desk.proof(found(first, 'event')) };
};

const values =
  (collection: Collection): Handler =>
  (desk, asked) => {
    allow(asked, READERS);
    const member = () => occurring(collection, desk.repository.all());
    return paged(desk, asked, member, (items) => ({ '@context': CONTEXT, type: 'Collection', member: items }));
  };

const value =
  (collection: Collection): Handler =>
  (desk, asked) => {
    allow(asked, READERS);
    found(matching(desk, collection, asked)[0], 'event with this value');
    return { status: 200, body: { '@context': CONTEXT, type: 'Collection', member: ['events'] } };
  };

const valueEvents =
  (collection: Collection): Handler =>
  (desk, asked) =>
    answerQuery(desk, asked, 'SimpleEventQuery', new Map([[collection.parameter, [asked.parameters.value ?? '']]]));

const queries: Handler = (desk, asked) => {
  allow(asked, READERS);
  return paged(
    desk,
    asked,
    () => desk.repository.namedQueries().map(shown),
    (items) => items,
  );
};

/** Names that queries may have. */
const QUERY_NAME = /^[A-Za-z0-9_-]{1,64}$/;

const createQuery: Handler = async (desk, asked) => {
  allow(asked, READERS);
  const body = asked.json();
  const { name, query } = isMap(body) ? body : {};
  if (typeof name !== 'string' || !QUERY_NAME.test(name)) {
    throw new EpcisProblem('ValidationException', 'name must be 1 to 64 letters, digits, hyphens or underscores');
  }
  if (!isMap(query)) throw new EpcisProblem('ValidationException', 'query must be an object of parameters');
  readQuery(parametersOf(query), { namespaces: STANDARD, master: desk.repository.master });
  if (desk.repository.namedQuery(name) !== undefined) {
    throw new EpcisProblem('ResourceAlreadyExistsException', 'a query of this name exists: delete it first');
  }
  await desk.repository.keepQuery(asked.actor, { name, query, createdAt: desk.now() });
  return { status: 201, headers: { Location: `${asked.base}/queries/${name}` } };
};

const query: Handler = (desk, asked) => {
  allow(asked, READERS);
  return { status: 200, body: shown(named(desk, asked)) };
};

const deleteQuery: Handler = async (desk, asked) => {
  allow(asked, READERS);
  const { name, createdAt } = named(desk, asked);
  desk.subscriptions.dropAll(name);
  await desk.repository.keepQuery(asked.actor, { name, createdAt });
  return { status: 204 };
};

const queryEvents: Handler = (desk, asked) => {
  const { name, query: parameters = {} } = named(desk, asked);
  return answerQuery(desk, asked, name, parametersOf(parameters), withContext(STANDARD, parameters['@context']));
};

const dropToken: Handler = (desk, asked) => {
  desk.pages.drop(asked.parameters.token ?? '', asked.actor.user);
  return { status: 204 };
};

const nothing: Endpoint = {};

/** What `Allow` says of an endpoint. */
export function allowedOf(endpoint: Endpoint): string {
  return ['OPTIONS', ...Object.keys(endpoint)].join(', ');
}

/** The endpoints by path. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/': nothing,
  '/capture': { POST: capture, GET: jobs },
  '/capture/:captureID': { GET: job },
  '/events': { POST: captureEvent, GET: events },
  '/events/:eventID': { GET: event },
  '/events/:eventID/proof': { GET: proof },
  ...Object.fromEntries(
    Object.entries(COLLECTIONS).flatMap(([name, collection]) => [
      [`/${name}`, { GET: values(collection) }],
      [`/${name}/:value`, { GET: value(collection) }],
      [`/${name}/:value/events`, { GET: valueEvents(collection) }],
    ]),
  ),
  '/queries': { GET: queries, POST: createQuery },
  '/queries/:name': { GET: query, DELETE: deleteQuery },
  '/queries/:name/events': { GET: queryEvents },
  ...SUBSCRIPTION_ENDPOINTS,
  '/nextPageToken/:token': { DELETE: dropToken },
};

function shown({ name, createdAt, query }: NamedQuery): object {
  return { name, createdAt, query };
}

function answerQuery(
  desk: EpcisDesk,
  asked: Asked,
  queryName: string,
  fixed: ReadonlyMap<string, Values>,
  namespaces = STANDARD,
): EpcisAnswer {
  allow(asked, READERS);
  const { repository } = desk;
  const asking = { namespaces, master: repository.master };
  const run = () => runQuery(readQuery(new Map([...requested(asked), ...fixed]), asking), repository.all());
  const respell = respellFor(desk, asked);
  return paged(desk, asked, run, (items) => queryDocument(items, queryName, desk.now(), respell));
}

function matching(desk: EpcisDesk, { parameter }: Collection, asked: Asked): readonly ReadableEvent[] {
  const parameters = new Map([[parameter, [asked.parameters.value ?? '']]]);
  const { repository } = desk;
  return runQuery(readQuery(parameters, { namespaces: STANDARD, master: repository.master }), repository.all());
}

/** Several values of one parameter are separated by `|`. */
function requested({ query: search }: Asked): ReadonlyMap<string, Values> {
  const names = [...new Set(search.keys())].filter((name) => name !== 'perPage' && name !== 'nextPageToken');
  return new Map(names.map((name) => [name, search.getAll(name).flatMap((each) => each.split('|'))] as const));
}

function respellFor(desk: EpcisDesk, { header }: Asked): Respell {
  const wanted = header('GS1-EPC-Format') ?? 'No_Preference';
  const format: EpcFormat | undefined = EPC_FORMATS.find((each) => each === wanted);
  if (format === undefined)
    throw new EpcisProblem('NotAcceptableException', `GS1-EPC-Format is ${EPC_FORMATS.join(', ')}`);
  return respelling(format, desk.prefixLength);
}

/** A page of what is found at the first request, and later ones by their token. */
function paged<T>(
  desk: EpcisDesk,
  { query: search, path, base, actor }: Asked,
  find: () => readonly T[],
  show: (items: readonly T[]) => unknown,
): EpcisAnswer {
  const perPage = perPageOf(search.get('perPage') ?? undefined);
  const token = search.get('nextPageToken');
  const page =
    token === null
      ? desk.pages.first(find(), perPage, path, actor.user)
      : (desk.pages.next(token, perPage, path, actor.user) as Page<T>);
  return { status: 200, headers: nextOf(page, `${base}${path}?perPage=${perPage}`), body: show(page.items) };
}

function nextOf({ next }: Page<unknown>, address: string): Readonly<Record<string, string>> {
  if (next === undefined) return {};
  return {
    Link: `<${address}&nextPageToken=${next.token}>; rel="next"`,
    'GS1-Next-Page-Token-Expires': next.expires,
  };
}

/** Subscriptions as they are shown and searched (R4 subscription.html#search). Pure. */
import { Refusal } from '../../ledger/refusal.js';
import { split, tokenOf, unescaped } from '../../projection/search/values.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { SUBSCRIPTION_SERVED } from './topics.js';
import type { Kept } from './store.js';

const MASKED = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }],
};

/** With its state, without what its headers say. */
export function shown({ id, version, lastUpdated, resource, status, end, error }: Kept): JsonObject {
  const { resourceType, meta, ...rest } = resource;
  const { header, ...channel } = resource.channel as JsonObject;
  const masked = Array.isArray(header) ? { _header: header.map(() => MASKED) } : {};
  return {
    ...{ resourceType, id, meta: { ...(meta as object | undefined), versionId: String(version), lastUpdated } },
    ...{ ...rest, id, status, end: new Date(end).toISOString() },
    ...(error === undefined ? {} : { error }),
    channel: { ...channel, ...masked },
  };
}

type Meets = (kept: Kept, value: string) => boolean;

const token =
  (read: (kept: Kept) => unknown): Meets =>
  (kept, value) =>
    tokenOf(value).code === read(kept);

const channel = ({ resource }: Kept): JsonObject => resource.channel as JsonObject;

const PARAMETERS: Readonly<Record<string, Meets>> = {
  _id: token(({ id }) => id),
  criteria: ({ resource }, value) => String(resource.criteria).toLowerCase().startsWith(unescaped(value).toLowerCase()),
  payload: token((kept) => channel(kept).payload),
  status: token(({ status }) => status),
  type: token((kept) => channel(kept).type),
  url: (kept, value) => channel(kept).endpoint === unescaped(value),
};

/** What says how an answer is written, and how much of it. */
const CONTROLS = ['_count', '_format', '_pretty'];

/** Those that meet every parameter, by any of its values. Throws Refusal for a parameter that is not served. */
export function found(all: readonly Kept[], query: URLSearchParams): readonly Kept[] {
  return [...query]
    .filter(([name]) => !CONTROLS.includes(name))
    .reduce((rest, [name, value]) => {
      const meets = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
      if (meets === undefined) {
        const known = ['_id', ...(SUBSCRIPTION_SERVED.parameters ?? [])].join(', ');
        throw new Refusal('invalid', 'unknown-parameter', `Subscription is searched by ${known}`);
      }
      const values = split(value, ',');
      return rest.filter((kept) => values.some((each) => meets(kept, each)));
    }, all);
}

/** A searchset of them: there are never more than one page. */
export function pageOf({ query }: FhirRequest, matches: readonly Kept[], baseUrl: string): FhirResponse {
  const entry = matches.map((kept) => ({
    fullUrl: `${baseUrl}/Subscription/${kept.id}`,
    resource: shown(kept),
    search: { mode: 'match' },
  }));
  const self = { relation: 'self', url: `${baseUrl}/Subscription?${query.toString()}` };
  const head = { resourceType: 'Bundle', type: 'searchset', total: entry.length, link: [self] };
  const isCount = query.get('_count') === '0';
  return { status: 200, headers: {}, resource: isCount || entry.length === 0 ? head : { ...head, entry } };
}

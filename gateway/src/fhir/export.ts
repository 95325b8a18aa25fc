/** $export: kick-off, status, files (HL7 FHIR Bulk Data Access 2). Files are read from the projection as they are asked for. */
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';

import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { generatedSearch, isResourceType } from '../projection/generated.js';
import { requireAsync } from './async.js';
import { notFound, visible, type FhirContext } from './context.js';
import { sightOf } from './sight.js';
import { byQuery } from './everything.js';
import { LARGEST_PAGE } from './paging.js';
import { provenancesUpTo, searchProvenance } from './provenance.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { handlingOf } from './search.js';
import { parseSearch } from './search-request.js';
import { shapeOf } from './shape.js';

/** Exports remembered; the oldest is forgotten for a new one. */
export const EXPORT_LIMIT = 100;
/** Rows read before others have their turn. */
const ROWS = 500;

/** Whose resources are exported: everybody's and those of nobody, every patient's, or those of the members of a Group. */
interface Level {
  readonly kind: 'system' | 'patient' | 'group';
  readonly patients?: ReadonlySet<string>;
}

interface Job {
  readonly id: string;
  /** Only who asked may fetch it. */
  readonly user: string;
  readonly request: string;
  readonly level: Level;
  /** Number of the newest version that belongs to it: what is written later does not. */
  readonly snapshot: number;
  /** FHIR instant of that version. */
  readonly time: string;
  readonly types: readonly string[];
  readonly since: string;
  readonly shape: (text: string) => string;
  /** Ids that the type's filters match. */
  readonly only: ReadonlyMap<string, ReadonlySet<string>>;
  /** Types that have something for whoever asked. */
  readonly found: string[];
  looked: number;
}

const jobs = new WeakMap<object, Map<string, Job>>();

function jobsOf({ projection }: FhirContext): Map<string, Job> {
  const own = jobs.get(projection) ?? new Map<string, Job>();
  jobs.set(projection, own);
  return own;
}

/** Kick-off for all, or for all patients. */
export function exportAll(context: FhirContext, request: FhirRequest, kind: 'system' | 'patient'): FhirResponse {
  return kickOff(context, request, { kind });
}

/** Kick-off for the members of a Group that the asker may see. */
export function exportGroup(context: FhirContext, request: FhirRequest, id: string): FhirResponse {
  const group = visible(context, request, 'operation', ['Group', id]);
  if (group === undefined || group.deleted) throw notFound('Group', id);
  const { member = [] } = JSON.parse(group.text) as { member?: { entity?: { reference?: string } }[] };
  const patients = member.flatMap(({ entity }) => /^Patient\/(.+)$/.exec(entity?.reference ?? '')?.[1] ?? []);
  return kickOff(context, request, { kind: 'group', patients: new Set(patients) });
}

function kickOff(context: FhirContext, asked: FhirRequest, level: Level): FhirResponse {
  requireAsync(asked);
  const request = byQuery(asked);
  const job = jobOf(context, request, level);
  const own = jobsOf(context);
  const [oldest] = own.keys();
  if (own.size >= EXPORT_LIMIT && oldest !== undefined) own.delete(oldest);
  own.set(job.id, job);
  // One that cannot be looked through, as where the gateway stops meanwhile, is there no more.
  look(context, request, job).catch(() => own.delete(job.id));
  return { status: 202, headers: { 'Content-Location': `${context.baseUrl}/$export-status/${job.id}` } };
}

const PARAMETERS = new Set(['_outputFormat', '_since', '_type', '_typeFilter', '_elements', '_format']);
const FORMATS = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);

function jobOf(context: FhirContext, request: FhirRequest, level: Level): Job {
  const { query, path, actor } = request;
  const unknown = [...query.keys()].find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined && handlingOf(request) === 'strict') {
    throw new Refusal('invalid', 'unknown-parameter', `$export has no parameter '${unknown.slice(0, 80)}'`);
  }
  const format = (query.get('_outputFormat') ?? 'ndjson').replace(' ', '+');
  if (!FORMATS.has(format)) throw new Refusal('invalid', 'bad-value', '_outputFormat is application/fhir+ndjson');
  const since = new Date(query.get('_since')?.replace(' ', '+') ?? 0);
  if (Number.isNaN(since.getTime())) {
    throw new Refusal('invalid', 'bad-value', '_since is an instant such as 2026-01-31T10:00:00Z');
  }
  const { vid, updated } = context.projection.newest();
  return {
    ...{ id: randomUUID(), user: actor.user, level, snapshot: vid, time: updated, looked: 0, found: [] },
    request: `${context.baseUrl}/${path}${query.size === 0 ? '' : `?${query.toString()}`}`,
    types: typesOf(context, request),
    since: since.toISOString(),
    shape: shapeOf(query) ?? ((text) => text),
    only: filtersOf(context, request),
  };
}

/** Types asked for that the asker may read at all; those that a domain handles itself are not exported. */
function typesOf(context: FhirContext, { query, actor }: FhirRequest): string[] {
  const asked = query.getAll('_type').flatMap((each) => each.split(','));
  const unknown = asked.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw new Refusal('invalid', 'bad-value', '_type names a type that R4 does not have');
  const types = asked.length === 0 ? generatedSearch().types : [...new Set(asked)];
  return types.filter((type) => context.handlers?.[type] === undefined && isAllowed(context, actor, type));
}

function isAllowed({ decision }: FhirContext, actor: FhirRequest['actor'], type: string): boolean {
  try {
    decision.allow(actor, type, 'operation');
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** `_typeFilter=Type?query`: ids by type that one of its filters matches now. */
function filtersOf(context: FhirContext, request: FhirRequest): Map<string, Set<string>> {
  const only = new Map<string, Set<string>>();
  for (const filter of request.query.getAll('_typeFilter')) {
    const [type = '', text = ''] = filter.split(/\?(.*)/s);
    if (!isResourceType(type)) throw new Refusal('invalid', 'bad-value', '_typeFilter is written Type?query');
    const ids = only.get(type) ?? new Set<string>();
    only.set(type, ids);
    for (const id of matching(context, request, type, text)) ids.add(id);
  }
  return only;
}

function* matching(context: FhirContext, request: FhirRequest, type: string, text: string): Generator<string> {
  const query = new URLSearchParams(text);
  query.set('_count', String(LARGEST_PAGE));
  query.set('_total', 'none');
  const { search } = parseSearch(type, query, 'strict', context.projection.parameters);
  let cursor: string | undefined;
  do {
    const asked = cursor === undefined ? search : { ...search, cursor };
    const page =
      type === 'Provenance'
        ? searchProvenance(context, request, asked, 'operation')
        : context.projection.search.run(asked, sightOf(context, request, 'operation'));
    for (const { id } of page.matches) yield id;
    cursor = page.next;
  } while (cursor !== undefined);
}

/** Finds out which types have something to show. */
async function look(context: FhirContext, request: FhirRequest, job: Job): Promise<void> {
  for (const type of job.types) {
    for await (const stored of resources(context, request, job, type)) {
      job.found.push(stored.type);
      break;
    }
    job.looked += 1;
  }
}

/** A type's resources as they were when the export was asked for, and as the asker may see them now. */
async function* resources(
  context: FhirContext,
  request: FhirRequest,
  job: Job,
  type: string,
): AsyncGenerator<StoredVersion> {
  yield* storedResources(context, request, job, type);
  if (type !== 'Provenance') return;
  const ids = job.only.get(type);
  for await (const made of provenancesUpTo(context, request, job.snapshot)) {
    if (made.lastUpdated >= job.since && isOf(job.level, made.patient) && ids?.has(made.id) !== false) yield made;
  }
}

async function* storedResources(
  context: FhirContext,
  { actor }: FhirRequest,
  { snapshot, since, level, only }: Job,
  type: string,
): AsyncGenerator<StoredVersion> {
  const ids = only.get(type);
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = context.projection.asOf(snapshot, { type, since, after, limit: ROWS });
    after = page.last;
    for (const stored of page.versions) {
      if (!isOf(level, stored.patient) || ids?.has(stored.id) === false) continue;
      const seen = context.decision.permit(actor, stored, 'operation');
      if (seen !== undefined) yield seen;
    }
    await turn();
  }
}

function isOf(level: Level, patient: string | undefined): boolean {
  if (level.kind === 'system') return true;
  return patient !== undefined && level.patients?.has(patient) !== false;
}

/** How far it is: 202 while it is looked for what there is, then the manifest. Only who asked is told. */
export function exportStatus(context: FhirContext, request: FhirRequest, id: string): FhirResponse {
  const job = jobFor(context, request, id);
  if (job.looked < job.types.length) {
    return { status: 202, headers: { 'X-Progress': `${job.looked} of ${job.types.length} types`, 'Retry-After': '1' } };
  }
  const output = job.found.map((type) => ({ type, url: `${context.baseUrl}/$export-file/${id}/${type}` }));
  const resource = {
    ...{ transactionTime: job.time, request: job.request, requiresAccessToken: true, output, error: [] },
  };
  return { status: 200, headers: { 'Content-Type': 'application/json' }, resource };
}

/** Forgets an export. */
export function exportEnd(context: FhirContext, request: FhirRequest, id: string): FhirResponse {
  jobsOf(context).delete(jobFor(context, request, id).id);
  return { status: 202, headers: {} };
}

/**
 * One type's resources as ndjson. It is decided twice: before the answer begins, so that the read log names whose records
 * are in it, and again line by line, so that nothing is sent of anybody who is not named there.
 */
export async function exportFile(
  context: FhirContext,
  request: FhirRequest,
  id: string,
  type: string,
): Promise<FhirResponse> {
  const job = jobFor(context, request, id);
  if (!job.found.includes(type)) throw notFound('Export', id);
  const patients = new Set<string | undefined>();
  for await (const { patient } of resources(context, request, job, type)) patients.add(patient);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/fhir+ndjson' },
    lines: lines(context, request, job, { type, patients }),
  };
}

async function* lines(
  context: FhirContext,
  request: FhirRequest,
  job: Job,
  { type, patients }: { readonly type: string; readonly patients: ReadonlySet<string | undefined> },
): AsyncGenerator<string> {
  for await (const { text, patient } of resources(context, request, job, type)) {
    if (patients.has(patient)) yield `${job.shape(text)}\n`;
  }
}

function jobFor(context: FhirContext, { actor }: FhirRequest, id: string): Job {
  const job = jobsOf(context).get(id);
  if (job === undefined || job.user !== actor.user) throw notFound('Export', id);
  return job;
}

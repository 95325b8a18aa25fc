/**
 * Writes the lines of one part of a file: together in one transaction; where that is refused, what is refused is taken
 * out and the rest asked for again. What is asked is kept before it is, and asked under the same key until it is known.
 */
import { createHash } from 'node:crypto';

import type { Actor } from '../../ports.js';
import type { JsonObject } from '../json.js';
import type { Fhir, FhirRequest, FhirResponse } from '../request.js';
import { outcomeAt } from './chunks.js';
import type { ImportPart, ImportStore, OpenGroups, PartEntry } from './store.js';

/** What may be otherwise when it is asked again: unknown yet, too many at once, the ledger away. */
const PASSING = new Set([202, 429, 503]);
/** How often a part is asked for again without the one entry that it was refused for, before it is halved instead. */
const NAMED_SPLITS = 8;

/** What a part is written with. */
export interface PartPorts {
  readonly fhir: Fhir;
  readonly store: Pick<ImportStore, 'advance'>;
  /** Who writes, as they are now. */
  readonly actor: () => Actor;
  /** Lets others have their turn. Throws when there is no time left. */
  readonly turn: () => Promise<void>;
  /** Waits before something is asked once more. Throws when there is no time left. */
  readonly pause: (tries: number) => Promise<void>;
}

/** Writes what is open of a part that is kept; `before` is the last line before it. */
export async function writePart(ports: PartPorts, job: string, part: ImportPart, before: number): Promise<void> {
  for (let open: OpenGroups = part; open.groups.length > 0;) {
    await ports.turn();
    const [group = [], ...others] = open.groups;
    const entries = group.flatMap((at) => part.entries[at] ?? []);
    const response = await known(ports, requestOf(ports.actor(), keyOf(job, part.file, entries), entries));
    const isTaken = response.status < 300;
    const isOver = isTaken || entries.length === 1;
    open = isOver ? { ...open, groups: others } : splitAfter(response, group, { ...open, groups: others });
    const isLast = open.groups.length === 0;
    const { groups, named } = open;
    ports.store.advance(job, {
      ...{ file: part.file, line: isLast ? part.line : before, isDone: false },
      taken: isTaken ? entries.length : 0,
      problems: isOver && !isTaken ? problemsOf(entries, response) : new Map(),
      ...(isLast ? {} : { open: { groups, named } }),
    });
  }
}

function problemsOf(entries: readonly PartEntry[], response: FhirResponse): ReadonlyMap<number, string> {
  return new Map(entries.map(({ line }) => [line, outcomeAt(line, outcomeIn(response))]));
}

/** The answer, asked for as often as it may be another the next time. */
async function known({ fhir, pause }: PartPorts, request: FhirRequest): Promise<FhirResponse> {
  for (let tries = 1; ; tries += 1) {
    const response = await fhir(request);
    if (!PASSING.has(response.status)) return response;
    await pause(tries);
  }
}

/** The refused entry apart from the others of its group; where it is not known which one it is, the halves. */
function splitAfter(response: FhirResponse, group: readonly number[], { groups, named }: OpenGroups): OpenGroups {
  const refused = named < NAMED_SPLITS ? group[entryIn(response) ?? -1] : undefined;
  if (refused !== undefined) {
    return { groups: [[refused], group.filter((each) => each !== refused), ...groups], named: named + 1 };
  }
  const middle = Math.ceil(group.length / 2);
  return { groups: [group.slice(0, middle), group.slice(middle), ...groups], named };
}

/** Position of the entry that a transaction was refused for. */
function entryIn(response: FhirResponse): number | undefined {
  const [, at] = /Bundle\.entry\[(\d+)\]/.exec(JSON.stringify(outcomeIn(response) ?? {})) ?? [];
  return at === undefined ? undefined : Number(at);
}

function outcomeIn({ resource }: FhirResponse): JsonObject | undefined {
  return typeof resource === 'string' ? (JSON.parse(resource) as JsonObject) : resource;
}

/** One entry is asked for as what it is: there are types that are part of no transaction. */
function requestOf(actor: Actor, key: string, entries: readonly PartEntry[]): FhirRequest {
  const headers = { 'content-type': 'application/fhir+json', prefer: 'return=minimal', 'idempotency-key': key };
  const [first] = entries;
  if (entries.length === 1 && first !== undefined) {
    const { ifMatch, ifNoneMatch } = first.condition;
    const conditions = { 'if-match': ifMatch, 'if-none-match': ifNoneMatch };
    const own = { method: 'PUT', path: first.name, query: new URLSearchParams(), actor };
    return { ...own, headers: { ...headers, ...conditions }, body: first.text };
  }
  const entry = entries.map(
    ({ name, text, condition }) =>
      `{"resource":${text},"request":${JSON.stringify({ method: 'PUT', url: name, ...condition })}}`,
  );
  return {
    ...{ method: 'POST', path: '', query: new URLSearchParams(), actor, headers },
    body: `{"resourceType":"Bundle","type":"transaction","entry":[${entry.join(',')}]}`,
  };
}

/** An Idempotency-Key for these lines of a file, under which they take effect once. */
function keyOf(job: string, file: number, entries: readonly PartEntry[]): string {
  const lines = entries.map(({ line }) => line).join(',');
  return `import-${createHash('sha256').update(`${job}/${file}/${lines}`).digest('hex')}`;
}

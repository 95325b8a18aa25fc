/** Lines of a file as resources to write, gathered so that many share one transaction. */
import { Refusal } from '../../ledger/refusal.js';
import { isResourceType } from '../../projection/generated.js';
import { asResource } from '../body.js';
import { requireId } from '../context.js';
import { parseBody, type JsonObject } from '../json.js';
import { operationOutcome, outcomeOf } from '../outcome.js';
import { LITERAL, referencesIn, rewritten, type Replacement } from '../references.js';
import type { ImportLimits } from './limits.js';
import type { Line } from './lines.js';

/** A resource of a line, under the id that it gets here. */
export interface Candidate {
  readonly line: number;
  /** `Type/id`. */
  readonly name: string;
  readonly resource: JsonObject;
  /** Bytes of the line. */
  readonly size: number;
}

/** Lines from one on. */
export interface Chunk {
  readonly candidates: readonly Candidate[];
  /** JSON of an OperationOutcome by line. */
  readonly problems: Map<number, string>;
  /** The last line it comes to. */
  readonly line: number;
}

/** What is the same for all lines of a file. */
export interface FileFrame {
  /** Tells the file from all others of this member, for ids of resources that have none. */
  readonly file: string;
  /** Only resources of this type belong to it. */
  readonly type?: string;
  /** What resources get as meta.source that name none. */
  readonly source?: string;
  /** Whether another member keeps a resource under this id: then it gets one of this member's own. */
  readonly isElsewhere: (type: string, id: string) => boolean;
  /** A secret function of a text. */
  readonly stable: (text: string) => string;
  /** Throws Refusal where whoever asked writes nothing of the type. */
  readonly allow: (type: string) => void;
  /** Whether a resource is in the record, where whoever asked sees it. */
  readonly isHere: (name: string) => boolean;
  readonly limits: Pick<ImportLimits, 'partLines' | 'partBytes'>;
}

/** Gathers lines behind the one given; the same file gives the same chunks from there. */
export async function* chunksOf(lines: AsyncIterable<Line>, after: number, frame: FileFrame): AsyncGenerator<Chunk> {
  let open = new Gathering(after, frame.limits);
  for await (const line of lines) {
    if (line.number <= after) continue;
    const found = candidateOf(line, frame, open);
    if (!open.takes(found)) {
      yield open.end();
      open = new Gathering(line.number - 1, frame.limits);
    }
    open.add(line.number, found);
  }
  yield open.end();
}

class Gathering {
  readonly #candidates: Candidate[] = [];
  readonly #problems = new Map<number, string>();
  readonly #names = new Set<string>();
  #size = 0;

  constructor(
    private line: number,
    private readonly limits: FileFrame['limits'],
  ) {}

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** A resource that is in it already comes after it. */
  takes(found: Candidate | string): boolean {
    if (this.#candidates.length + this.#problems.size >= this.limits.partLines) return false;
    if (typeof found === 'string' || this.#candidates.length === 0) return true;
    return !this.#names.has(found.name) && this.#size + found.size <= this.limits.partBytes;
  }

  add(line: number, found: Candidate | string): void {
    this.line = line;
    if (typeof found === 'string') {
      this.#problems.set(line, found);
      return;
    }
    this.#candidates.push(found);
    this.#names.add(found.name);
    this.#size += found.size;
  }

  end(): Chunk {
    return { candidates: this.#candidates, problems: this.#problems, line: this.line };
  }
}

/** The resource of a line, or what is wrong with it. */
function candidateOf({ number, text, problem }: Line, frame: FileFrame, before: Gathering): Candidate | string {
  if (text === undefined) return problemAt(number, new Refusal('invalid', 'structure', problem ?? ''));
  try {
    const resource = asResource(parseBody(text).exact);
    const type = typeIn(resource, frame);
    frame.allow(type);
    const id = resource.id ?? stableId(frame, `line\n${frame.file}\n${number}`);
    if (typeof id !== 'string') throw new Refusal('invalid', 'structure', 'the id is a string');
    requireId(id);
    const made = placed({ ...resource, id }, `${type}/${id}`, frame, before);
    return { line: number, name: `${type}/${String(made.id)}`, resource: made, size: Buffer.byteLength(text) };
  } catch (error) {
    if (error instanceof Refusal) return problemAt(number, error);
    throw error;
  }
}

function typeIn({ resourceType }: JsonObject, { type }: FileFrame): string {
  const own = String(resourceType);
  if (!isResourceType(own)) throw new Refusal('invalid', 'structure', 'resourceType is none of R4');
  if (type === undefined || type === own) return own;
  throw new Refusal('invalid', 'structure', `the file is of ${type}, the line's resourceType is another`);
}

function stableId({ stable }: FileFrame, text: string): string {
  return stable(`import\n${text}`).slice(0, 32);
}

/** Of whatever another member keeps under the same id, here and in references. Throws Refusal for one that nothing here is. */
function placed(resource: JsonObject, name: string, frame: FileFrame, before: Gathering): JsonObject {
  const moved = new Map<string, Replacement>();
  for (const each of [name, ...literalsIn(resource)]) {
    const here = ownNameOf(each, frame);
    if (here === undefined) continue;
    if (each !== name && !before.has(here) && !frame.isHere(here)) throw leadsNowhere();
    moved.set(each, { name: here, version: 1 });
  }
  const fresh = moved.get(name)?.name.split('/')[1];
  const made = { ...rewritten(resource, moved), ...(fresh === undefined ? {} : { id: fresh }) };
  return withOrigin(made, frame, fresh === undefined ? undefined : name);
}

function literalsIn(resource: JsonObject): string[] {
  return referencesIn(resource, '').flatMap(({ reference }) => (LITERAL.test(reference) ? [reference] : []));
}

/** What is called something here that another member keeps; undefined for whatever none does. */
function ownNameOf(name: string, frame: FileFrame): string | undefined {
  const [type = '', id = ''] = name.split('/');
  if (!frame.isElsewhere(type, id)) return undefined;
  return `${type}/${stableId(frame, `${frame.source ?? ''}\n${name}`)}`;
}

function leadsNowhere(): Refusal {
  const detail = 'it refers to a Patient that another member keeps: import that Patient before it';
  return new Refusal('invalid', 'unprocessable', detail);
}

/** The proposal's extension for a resource whose id is another here than where it came from. */
const IMPORT_SOURCE = 'http://hl7.org/fhir/StructureDefinition/import-source';

/** meta.source where it is absent and known, and what the resource was called where it got another id. */
function withOrigin(resource: JsonObject, { source }: FileFrame, was: string | undefined): JsonObject {
  const meta = (resource.meta ?? {}) as JsonObject;
  if (typeof meta !== 'object' || Array.isArray(meta)) return resource;
  const before = Array.isArray(meta.extension) ? (meta.extension as unknown[]) : [];
  const named = {
    url: IMPORT_SOURCE,
    valueIdentifier: { ...(source === undefined ? {} : { system: source }), value: was },
  };
  const kept = {
    ...meta,
    ...(was === undefined ? {} : { extension: [...before, named] }),
    ...(source === undefined || meta.source !== undefined ? {} : { source }),
  };
  return Object.keys(kept).length === 0 ? resource : { ...resource, meta: kept };
}

/** The OperationOutcome of a line that is refused, as JSON. */
export function problemAt(line: number, refusal: Refusal): string {
  return outcomeAt(line, outcomeOf(refusal).resource);
}

/** An OperationOutcome that says which line it is about; 0 = the file as a whole. */
export function outcomeAt(line: number, outcome: JsonObject | undefined): string {
  const told = outcome ?? operationOutcome([{ severity: 'error', code: 'exception', diagnostics: 'not written' }]);
  const { resourceType, ...rest } = told;
  const extension = line === 0 ? {} : { extension: [{ url: 'urn:salus:line', valuePositiveInt: line }] };
  return JSON.stringify({ resourceType, ...extension, ...rest });
}

/** Writes the files of one import, part by part; each part takes effect once, however often it is begun. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { JsonObject } from '../json.js';
import type { Fhir, FhirRequest, FhirResponse } from '../request.js';
import { Refusal } from '../../ledger/refusal.js';
import { chunksOf, keyOf, outcomeAt, problemAt, type Candidate, type Chunk, type FileFrame } from './chunks.js';
import type { ImportLimits } from './limits.js';
import { linesOf } from './lines.js';
import { bytesOf, SourceFault } from './source.js';
import type { FileStanding, ImportJob, ImportStore } from './store.js';

/** What an import is carried out with. */
export interface CarryPorts {
  /** The interface that clients write through: whoever asked writes by the same rules. */
  readonly fhir: Fhir;
  readonly store: Pick<ImportStore, 'advance' | 'files'>;
  readonly limits: ImportLimits;
  /** Types that cannot be part of a transaction. */
  readonly apart: ReadonlySet<string>;
  readonly isElsewhere: FileFrame['isElsewhere'];
  readonly stable: FileFrame['stable'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Attempts to read a file in which no further line was got. */
const FILE_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const LAST_PAUSE_MS = 10_000;
/** What may be otherwise when it is asked again: unknown yet, too many at once, the ledger away. */
const PASSING = new Set([202, 429, 503]);

/** Carries a job on from where it is. Throws when the signal aborts. */
export async function carry(ports: CarryPorts, job: ImportJob, signal: AbortSignal): Promise<void> {
  for (const file of ports.store.files(job.id)) {
    if (!file.isDone) await new FileImport(ports, job, file.file, signal).run(file);
  }
}

/** One file of an import. */
class FileImport {
  #line = 0;
  readonly #frame: FileFrame;

  constructor(
    private readonly ports: CarryPorts,
    private readonly job: ImportJob,
    private readonly file: number,
    private readonly signal: AbortSignal,
  ) {
    const { source, input } = job.order;
    const type = input[file]?.type;
    const { isElsewhere, stable } = ports;
    this.#frame = {
      ...{ file: `${job.id}/${file}`, isElsewhere, stable },
      ...(type === undefined ? {} : { type }),
      ...(source === undefined ? {} : { source }),
    };
  }

  async run({ line }: FileStanding): Promise<void> {
    this.#line = line;
    for (let failures = 0; ;) {
      const before = this.#line;
      try {
        await this.#read();
        this.#keep(0, new Map(), true);
        return;
      } catch (error) {
        if (!(error instanceof SourceFault) || this.signal.aborted) throw error;
        failures = this.#line > before ? 1 : failures + 1;
        if (error.isFinal || failures === FILE_ATTEMPTS || this.#isLate()) {
          this.#keep(0, new Map([[0, problemAt(0, unread(error))]]), true);
          return;
        }
        await this.#pause(failures);
      }
    }
  }

  async #read(): Promise<void> {
    const { order } = this.job;
    const { limits } = this.ports;
    const bytes =
      order.upload === undefined
        ? bytesOf(order.input[this.file]?.url ?? '', limits, this.signal)
        : piecesOf(order.upload);
    const after = this.#line;
    for await (const chunk of chunksOf(linesOf(bytes, limits.lineBytes), after, this.#frame)) {
      const taken = await this.#write(chunk);
      this.#line = chunk.line;
      this.#keep(taken, chunk.problems, false);
    }
  }

  #keep(taken: number, problems: ReadonlyMap<number, string>, isDone: boolean): void {
    // Ended or stopped meanwhile: nothing is kept of it, and whoever goes on with it begins here once more.
    this.signal.throwIfAborted();
    const step = { file: this.file, line: this.#line, taken, problems, isDone };
    this.ports.store.advance(this.job.id, step, this.ports.limits.problems);
  }

  /** How many of the chunk's resources are in the record; what is wrong with the others is added to its problems. */
  async #write({ candidates, problems }: Chunk): Promise<number> {
    const [first] = candidates;
    if (first === undefined) return 0;
    const key = keyOf(this.job.id, this.file, first.line);
    const isApart = candidates.some(({ name }) => this.ports.apart.has(name.split('/')[0] ?? ''));
    if (!isApart && (await this.#asked('transaction', candidates, key)).status === 200) return candidates.length;
    // One by one, each under a key of its own: what is wrong with one is no matter to the others.
    const answers = await this.#eachAsked(candidates, `${key}-each`);
    for (const [at, { line }] of candidates.entries()) {
      const { status, outcome } = answers[at] ?? {};
      if (status === undefined || status >= 300) problems.set(line, outcomeAt(line, outcome));
    }
    return answers.filter(({ status }) => status < 300).length;
  }

  async #eachAsked(candidates: readonly Candidate[], key: string): Promise<readonly Answer[]> {
    for (let tries = 1; ; tries += 1) {
      const response = await this.#asked('batch', candidates, key);
      const answers = answersIn(response, candidates.length);
      if (!answers.some(({ status }) => PASSING.has(status)) || this.#isLate()) return answers;
      await this.#pause(tries);
    }
  }

  /** Asked as often as the answer is that it may pass. */
  async #asked(type: 'transaction' | 'batch', candidates: readonly Candidate[], key: string): Promise<FhirResponse> {
    for (let tries = 1; ; tries += 1) {
      const response = await this.ports.fhir(this.#request(type, candidates, key));
      if (!PASSING.has(response.status) || this.#isLate()) return response;
      await this.#pause(tries);
    }
  }

  #request(type: 'transaction' | 'batch', candidates: readonly Candidate[], key: string): FhirRequest {
    const entry = candidates.map(({ name, resource }) => ({ resource, request: { method: 'PUT', url: name } }));
    return {
      ...{ method: 'POST', path: '', query: new URLSearchParams(), actor: this.job.actor },
      headers: { 'content-type': 'application/fhir+json', prefer: 'return=minimal', 'idempotency-key': key },
      body: JSON.stringify({ resourceType: 'Bundle', type, entry }),
    };
  }

  /** Whoever asked may not be who they were: what is not in by then is not taken. */
  #isLate(): boolean {
    return this.ports.now() > this.job.began + this.ports.limits.hours * 3_600_000;
  }

  async #pause(tries: number): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, LAST_PAUSE_MS);
    await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal: this.signal });
  }
}

interface Answer {
  readonly status: number;
  readonly outcome?: JsonObject;
}

/** What became of each entry; where the batch as a whole was refused, that for each. */
function answersIn({ status, resource }: FhirResponse, count: number): readonly Answer[] {
  const told = (typeof resource === 'string' ? JSON.parse(resource) : resource) as JsonObject | undefined;
  if (status !== 200) {
    return Array.from({ length: count }, () => ({ status, ...(told === undefined ? {} : { outcome: told }) }));
  }
  const entries = told?.entry as readonly {
    readonly response?: { readonly status: string; readonly outcome?: JsonObject };
  }[];
  return entries.map(({ response }) => ({
    status: Number.parseInt(response?.status ?? '500', 10),
    ...(response?.outcome === undefined ? {} : { outcome: response.outcome }),
  }));
}

function unread({ message }: SourceFault): Refusal {
  return new Refusal('invalid', 'unprocessable', message);
}

/** A text's bytes in pieces of a size like those of a file. */
async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 65_536) {
    yield bytes.subarray(start, start + 65_536);
    await Promise.resolve();
  }
}

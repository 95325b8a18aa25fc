/** `$import`: kick-off, status, problems, end (Bulk Data Import proposal, manifest approach), for one gateway. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { KeyStore } from '../../keys/key-store.js';
import { Refusal } from '../../ledger/refusal.js';
import { notFound } from '../context.js';
import { outcomeOf } from '../outcome.js';
import type { Decision, Fhir, FhirRequest, FhirResponse, Imports } from '../request.js';
import { requireAsync } from '../async.js';
import { carry, type CarryPorts } from './carry.js';
import { IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { orderOf } from './order.js';
import { ImportStore, type FileStanding, type ImportJob } from './store.js';

/** Pause before an import that a fault of ours cut short goes on, milliseconds. */
const RETRY_MS = 10_000;

/** What imports are kept with, and what they may read and write. */
export interface ImportPorts extends Pick<CarryPorts, 'apart' | 'isElsewhere' | 'stable' | 'now'> {
  readonly keys: Pick<KeyStore, 'database' | 'seal'>;
  readonly gateway: string;
  readonly baseUrl: string;
  /** Origins of files that may be imported. */
  readonly origins: readonly string[];
  readonly fhir: Fhir;
  readonly decision: Pick<Decision, 'allow'>;
  /** Hears of a fault of ours that cut an import short. */
  readonly onFault: (error: unknown) => void;
  /** Instead of IMPORT_LIMITS. */
  readonly limits?: ImportLimits;
}

/** The imports of one gateway. */
export class ImportDesk implements Imports {
  readonly #store: ImportStore;
  readonly #running = new Map<string, AbortController>();
  readonly #limits: ImportLimits;

  constructor(private readonly ports: ImportPorts) {
    this.#store = new ImportStore(ports.keys, ports.gateway);
    this.#limits = ports.limits ?? IMPORT_LIMITS;
  }

  begin(request: FhirRequest): FhirResponse {
    requireAsync(request);
    const id = randomUUID();
    const { actor, path } = request;
    const order = orderOf(request, this.ports.origins, `urn:uuid:${id}`);
    for (const { type } of order.input) if (type !== undefined) this.ports.decision.allow(actor, type, 'update');
    if (this.#running.size >= this.#limits.underWay) return tooMany(this.#limits.underWay);
    const began = this.ports.now();
    const job = { id, began, isDone: false, actor, request: `${this.ports.baseUrl}/${path}`, order };
    this.#makeRoom();
    this.#store.keep({ ...job, time: new Date(began).toISOString() });
    this.#run(id);
    return { status: 202, headers: { 'Content-Location': `${this.ports.baseUrl}/$import-status/${id}` } };
  }

  status(request: FhirRequest, id: string): FhirResponse {
    const job = this.#jobFor(request, id);
    const files = this.#store.files(id);
    if (job.isDone) return this.#manifest(job, files);
    const done = files.filter(({ isDone }) => isDone).length;
    const lines = files.reduce((sum, { line }) => sum + line, 0);
    return {
      status: 202,
      headers: { 'X-Progress': `${lines} lines, ${done} of ${files.length} files done`, 'Retry-After': '1' },
    };
  }

  problems(request: FhirRequest, id: string, file: string): FhirResponse {
    this.#jobFor(request, id);
    const standing = this.#store.files(id).find((each) => String(each.file) === file);
    if (standing === undefined || standing.failed === 0) throw notFound('Import', id);
    const lines = this.#lines(id, standing.file);
    return { status: 200, headers: { 'Content-Type': 'application/fhir+ndjson' }, lines };
  }

  /** What is in the record by then stays. */
  end(request: FhirRequest, id: string): FhirResponse {
    this.#jobFor(request, id);
    this.#running.get(id)?.abort();
    this.#store.forget(id);
    return { status: 202, headers: {} };
  }

  /** Goes on with what a stop or a kill cut short. */
  goOn(): void {
    for (const { id, isDone } of this.#store.list()) if (!isDone) this.#run(id);
  }

  /** Leaves every import where it is. */
  stop(): void {
    for (const running of this.#running.values()) running.abort();
  }

  #run(id: string): void {
    if (this.#running.has(id)) return;
    const running = new AbortController();
    this.#running.set(id, running);
    void this.#untilDone(id, running.signal).finally(() => this.#running.delete(id));
  }

  async #untilDone(id: string, signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        await this.#carry(id, signal);
        return;
      } catch (error) {
        if (!isOver()) this.ports.onFault(error);
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  async #carry(id: string, signal: AbortSignal): Promise<void> {
    const job = this.#store.find(id);
    if (job === undefined) return;
    await carry({ ...this.ports, store: this.#store, limits: this.#limits }, job, signal);
    signal.throwIfAborted();
    this.#store.done(job);
  }

  /** The oldest one that is done is forgotten for a new one. */
  #makeRoom(): void {
    const all = this.#store.list();
    const oldest = all.find(({ isDone }) => isDone);
    if (all.length >= this.#limits.remembered && oldest !== undefined) this.#store.forget(oldest.id);
  }

  #manifest({ id, time, request, order }: ImportJob, files: readonly FileStanding[]): FhirResponse {
    const { baseUrl } = this.ports;
    const told = files.map(({ file, taken, failed }) => {
      const url = order.input[file]?.url ?? '';
      // The proposal's text names the field `input`, its example `inputUrl`.
      const named = { type: 'OperationOutcome', input: url, inputUrl: url };
      const error = { ...named, count: failed, url: `${baseUrl}/$import-file/${id}/${file}` };
      return { output: { ...named, count: taken }, error: failed === 0 ? [] : [error] };
    });
    const resource = {
      ...{ transactionTime: time, request, requiresAccessToken: true },
      output: told.map(({ output }) => output),
      error: told.flatMap(({ error }) => error),
    };
    return { status: 200, headers: { 'Content-Type': 'application/json' }, resource };
  }

  async *#lines(id: string, file: number): AsyncGenerator<string> {
    for (const problem of this.#store.problems(id, file)) {
      yield `${problem}\n`;
      await Promise.resolve();
    }
  }

  /** Only who asked is told. */
  #jobFor({ actor }: FhirRequest, id: string): ImportJob {
    const job = this.#store.find(id);
    if (job?.actor.user !== actor.user) throw notFound('Import', id);
    return job;
  }
}

function tooMany(limit: number): FhirResponse {
  const refusal = new Refusal(
    'invalid',
    'too-many-requests',
    `${limit} imports are under way: ask again when one is done`,
  );
  return { headers: { 'Retry-After': '30' }, ...outcomeOf(refusal) };
}

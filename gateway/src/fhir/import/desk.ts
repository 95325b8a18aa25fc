/** `$import`: kick-off, status, problems, end (Bulk Data Import proposal, manifest approach), for one gateway. */
import { randomUUID } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

import type { KeyStore } from '../../keys/key-store.js';
import { usedForAnother } from '../../ledger/key-memory.js';
import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import { generatedSearch } from '../../projection/generated.js';
import { notFound } from '../context.js';
import { idempotencyOf } from '../idempotency.js';
import { outcomeOf } from '../outcome.js';
import type { FhirRequest, FhirResponse, Imports } from '../request.js';
import { requireAsync } from '../async.js';
import { carry, type CarryPorts } from './carry.js';
import { IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { orderOf, type ImportOrder } from './order.js';
import { ImportStore, type FileStanding, type ImportJob, type KickOff } from './store.js';

/** Pause before an import that a fault of ours cut short goes on, milliseconds. */
const RETRY_MS = 10_000;
/** How often imports that are over for long are looked for, milliseconds. */
const SWEEP_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What imports are kept with, and what they may read and write. */
export interface ImportPorts extends Omit<CarryPorts, 'store' | 'limits'> {
  readonly keys: Pick<KeyStore, 'database' | 'seal'>;
  readonly gateway: string;
  readonly baseUrl: string;
  /** Origins of files that may be imported. */
  readonly origins: readonly string[];
  /** Whether somebody may know of others' imports, and end them. */
  readonly isOfficer: (actor: Actor) => boolean;
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
  #sweeping: NodeJS.Timeout | undefined;

  constructor(private readonly ports: ImportPorts) {
    this.#store = new ImportStore(ports.keys, ports.gateway);
    this.#limits = ports.limits ?? IMPORT_LIMITS;
  }

  begin(request: FhirRequest): FhirResponse {
    requireAsync(request);
    const id = randomUUID();
    const { actor, path } = request;
    const { upload, ...order } = orderOf(request, this.ports.origins, `urn:uuid:${id}`);
    this.#requireRight(actor, order);
    const kickOff = this.#kickOffOf(request);
    const earlier = kickOff && this.#earlier(kickOff);
    if (earlier !== undefined) return this.#begun(earlier, { 'Idempotent-Replayed': 'true' });
    const refusal = this.#full(actor);
    if (refusal !== undefined) return refusal;
    this.#makeRoom(1);
    const began = this.ports.now();
    const asked = { began, request: `${this.ports.baseUrl}/${path}`, time: new Date(began).toISOString() };
    this.#store.keep({ id, isDone: false, actor, ...asked, order }, upload, kickOff);
    this.#run(id);
    return this.#begun(id);
  }

  /** What is under way here, for officers: whose it is, not what it holds. */
  list({ actor }: FhirRequest): FhirResponse {
    if (!this.ports.isOfficer(actor)) throw new Refusal('forbidden', 'not-an-officer', 'this is for officers');
    const parameter = this.#store.list(false).map(({ id, user, began }) => ({
      name: 'import',
      part: [
        { name: 'id', valueId: id },
        { name: 'user', valueString: user },
        { name: 'began', valueInstant: new Date(began).toISOString() },
      ],
    }));
    return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
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
    if (!this.ports.isOfficer(request.actor) || this.#store.find(id) === undefined) this.#jobFor(request, id);
    this.#running.get(id)?.abort();
    this.#store.forget(id);
    return { status: 202, headers: {} };
  }

  /** Goes on with what a stop or a kill cut short. */
  goOn(): void {
    for (const { id } of this.#store.list(false)) this.#run(id);
    this.#makeRoom(0);
    this.#sweeping ??= setInterval(() => {
      this.#makeRoom(0);
    }, SWEEP_MS).unref();
  }

  /** Leaves every import where it is. */
  stop(): void {
    clearInterval(this.#sweeping);
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
        // Ended at another gateway of the member.
        if (isOver() || this.#store.find(id) === undefined) return;
        this.ports.onFault(error);
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  async #carry(id: string, signal: AbortSignal): Promise<void> {
    const job = this.#store.find(id);
    if (job === undefined) return;
    await carry({ ...this.ports, store: this.#store, limits: this.#limits }, job, signal);
    signal.throwIfAborted();
    this.#store.done(id);
  }

  /** Whoever may write nothing of it is told before anything is kept. Throws Refusal. */
  #requireRight(actor: Actor, { input }: Pick<ImportOrder, 'input'>): void {
    const types = input.flatMap(({ type }) => type ?? []);
    for (const type of types) this.ports.decision.allow(actor, type, 'update');
    if (types.length > 0 || generatedSearch().types.some((type) => this.#mayWrite(actor, type))) return;
    throw new Refusal('forbidden', 'role-may-not-write', `role ${actor.role} writes nothing by these scopes`);
  }

  #mayWrite(actor: Actor, type: string): boolean {
    try {
      this.ports.decision.allow(actor, type, 'update');
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  /** The kick-off's Idempotency-Key, the person's own. */
  #kickOffOf(request: FhirRequest): KickOff | undefined {
    const sent = idempotencyOf(request);
    if (sent === undefined) return undefined;
    const secret = (text: string): string => this.ports.stable(`import kick-off\n${text}`);
    return { key: secret(`${request.actor.user}\n${sent.key}`), digest: secret(sent.digest) };
  }

  #earlier({ key, digest }: KickOff): string | undefined {
    const found = this.#store.begunBy(key);
    if (found === undefined || found.digest === digest) return found?.id;
    throw usedForAnother();
  }

  #begun(id: string, headers: Readonly<Record<string, string>> = {}): FhirResponse {
    const location = { 'Content-Location': `${this.ports.baseUrl}/$import-status/${id}` };
    return { status: 202, headers: { ...location, ...headers } };
  }

  #full({ user }: Actor): FhirResponse | undefined {
    const all = this.#store.list(false);
    const { underWay, ofOnePerson } = this.#limits;
    if (all.filter((each) => each.user === user).length >= ofOnePerson) {
      return tooMany(`${ofOnePerson} of your own imports is under way`);
    }
    return all.length >= underWay ? tooMany(`${underWay} imports are under way`) : undefined;
  }

  /** Those that are done for long are forgotten, and the oldest ones where there are more than are remembered. */
  #makeRoom(more: number): void {
    const done = this.#store.list(true);
    const since = this.ports.now() - this.#limits.rememberedDays * DAY_MS;
    const most = this.#limits.remembered - this.#store.list(false).length - more;
    const beyond = done.length - most;
    for (const [at, { id, began }] of done.entries()) if (at < beyond || began < since) this.#store.forget(id);
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
      await setImmediate();
    }
  }

  /** Only who asked is told. */
  #jobFor({ actor }: FhirRequest, id: string): ImportJob {
    const job = this.#store.find(id);
    if (job?.actor.user !== actor.user) throw notFound('Import', id);
    return job;
  }
}

function tooMany(what: string): FhirResponse {
  const refusal = new Refusal('invalid', 'too-many-requests', `${what}: ask again when one is done`);
  return { headers: { 'Retry-After': '30' }, ...outcomeOf(refusal) };
}

/** Captures events: EPCIS 2.0 section 8.2. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Refusal } from '../../ledger/refusal.js';
import type { Actor } from '../../ports.js';
import type { DocumentEvent, EventDocument } from '../event/document.js';
import { eventHash } from '../event/hash.js';
import type { JsonMap } from '../event/json.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import type { Carry } from '../packs/carry.js';
import type { PendingWork } from '../../keys/pending-work.js';
import { MAX_MASTER_ELEMENTS, type MasterElement } from './master-data.js';
import { EpcisProblem, notKnownYet } from './problem.js';
import type { EventRepository } from './repository.js';
import { type CaptureJob, identityOf, recordTimeIn, type StoredEvent } from './stored.js';

/** Most events in one capture: they are kept in one transaction. */
export const CAPTURE_LIMIT = 1_000;
/** Largest body of a capture, bytes. */
export const CAPTURE_BYTES = 8 * 1024 * 1024;

/** What becomes of the rest when an event is wrong, from the header GS1-Capture-Error-Behaviour. */
export type ErrorBehaviour = 'rollback' | 'proceed';

/** A capture that was answered with 202 and is not carried out yet. */
interface OpenCapture {
  readonly actor: Actor;
  readonly job: CaptureJob;
  readonly context: unknown;
  readonly events: readonly Omit<DocumentEvent, 'namespaces'>[];
  /** Absent in what a gateway of an earlier version was told. */
  readonly master?: readonly MasterElement[];
}

/** The time, and who is told that events were kept. */
interface Told {
  /** FHIR instant. */
  readonly now: () => string;
  readonly onKept: () => void;
}

const KIND = 'capture/';
/** Until what could not be done is tried again, ms: the first time, and at most. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How long one event is waited for, ms: less than clients and what lies between commonly wait. */
const ONE_EVENT_MS = 25_000;

/** Takes documents in; jobs run one after the other, so that no id is captured twice. */
export class Capturing {
  readonly #running = new Map<string, CaptureJob>();
  /** What an earlier process left. */
  readonly #left: readonly OpenCapture[];
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly repository: EventRepository,
    private readonly carry: Carry,
    private readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>,
    private readonly told: Told,
  ) {
    this.#left = pending.list<OpenCapture>(KIND).map(({ value }) => value);
    for (const { job } of this.#left) this.#running.set(job.captureID, job);
  }

  /** Starts a capture: the job's id. Throws EpcisProblem for what is refused as a whole, with nothing stored. */
  start(actor: Actor, document: EventDocument, behaviour: ErrorBehaviour): string {
    refuseInvalid(document, behaviour);
    const captureID = randomUUID();
    const job: CaptureJob = {
      captureID,
      createdAt: this.told.now(),
      running: true,
      success: true,
      captureErrorBehaviour: behaviour,
      errors: [],
    };
    const events = document.events.map(({ event, problems }) => ({ event, problems }));
    const { context, master } = document;
    this.pending.keep(KIND + captureID, { actor, job, context, events, master } satisfies OpenCapture);
    this.#running.set(captureID, job);
    this.#last = this.#last.then(() => this.#carry(actor, document, job, false));
    return captureID;
  }

  /** Goes on with what a killed gateway had promised; resolves when all of it is done. */
  async goOn(): Promise<void> {
    for (const { actor, job, context, events, master = [] } of this.#left) {
      const outer = withContext(STANDARD, context);
      const read = events.map((each) => ({ ...each, namespaces: withContext(outer, each.event['@context']) }));
      this.#last = this.#last.then(() =>
        this.#carry(actor, { problems: [], context, events: read, master }, job, true),
      );
    }
    await this.#last;
  }

  /** Captures one event and waits for it: its id. Throws EpcisProblem. */
  async one(actor: Actor, document: EventDocument): Promise<string> {
    const captureID = this.start(actor, document, 'rollback');
    await Promise.race([this.#last, sleep(ONE_EVENT_MS, undefined, { ref: false })]);
    const job = this.job(captureID);
    const [error] = job?.errors ?? [];
    if (error !== undefined) throw problemOf(error);
    const [found] = this.repository.ofCapture(captureID);
    if (found === undefined) throw notKnownYet();
    return String(found.event.eventID);
  }

  job(captureID: string): CaptureJob | undefined {
    return this.#running.get(captureID) ?? this.repository.job(captureID);
  }

  /** All jobs, newest first. */
  jobs(): readonly CaptureJob[] {
    const jobs = new Map([...this.repository.jobs(), ...this.#running.values()].map((job) => [job.captureID, job]));
    return [...jobs.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  }

  async #carry(actor: Actor, document: EventDocument, job: CaptureJob, again: boolean): Promise<void> {
    try {
      const kept = await this.#kept(actor, document, job, again);
      await this.#carryOut(actor, job, kept, again ? 1 : 0);
    } catch (error) {
      this.#failed(job, error);
    }
  }

  /**
   * Keeps a document's events until the ledger has them or refuses them for good: what was promised by 202 must not be
   * called failed while it may take effect yet. Captures behind it wait, since none of them could be kept either.
   */
  async #kept(actor: Actor, document: EventDocument, job: CaptureJob, again: boolean): Promise<readonly StoredEvent[]> {
    for (let tries = again ? 1 : 0; ; tries += 1) {
      if (tries > 0 && this.repository.job(job.captureID) !== undefined) {
        return this.repository.ofCapture(job.captureID);
      }
      try {
        return await this.#keep(actor, document, job);
      } catch (error) {
        // A conflict with oneself: the try before took effect, and is about to be seen.
        if (!isOpen(error) && !(tries > 0 && error instanceof Refusal && error.category === 'conflict')) throw error;
        await sleep(pauseOf(tries), undefined, { ref: false });
      }
    }
  }

  /** Does on the ledger what the events say; where a part of it is open it is asked for again, and no other capture waits. */
  async #carryOut(actor: Actor, job: CaptureJob, kept: readonly StoredEvent[], tries: number): Promise<void> {
    try {
      const effects = await this.carry(actor, kept, tries > 0);
      await this.repository.keepEffects(actor, job.captureID, effects);
      const open = effects.filter(({ state }) => state === 'unknown');
      // What nobody says the outcome of is asked for again at the next start.
      if (open.length === 0) this.pending.drop(KIND + job.captureID);
      if (open.every(({ code }) => code === undefined)) {
        this.#running.delete(job.captureID);
        return;
      }
    } catch (error) {
      if (!isOpen(error)) throw error;
    }
    const further = (): void => {
      this.#carryOut(actor, job, kept, tries + 1).catch((error: unknown) => {
        this.#failed(job, error);
      });
    };
    setTimeout(further, pauseOf(tries)).unref();
  }

  #failed(job: CaptureJob, error: unknown): void {
    const failed = error instanceof EpcisProblem ? error : new EpcisProblem('ImplementationException', detailOf(error));
    const ended = { running: false, success: false, finishedAt: this.told.now(), errors: [failed.body] };
    this.#running.set(job.captureID, { ...job, ...ended });
    if (error instanceof Refusal) this.pending.drop(KIND + job.captureID);
  }

  /** Keeps what is right of a document, with the job: the events kept. */
  async #keep(actor: Actor, document: EventDocument, job: CaptureJob): Promise<readonly StoredEvent[]> {
    const { good, errors } = this.#sort(document, job);
    const isRefused = errors.length > 0 && job.captureErrorBehaviour === 'rollback';
    const kept = isRefused ? [] : good;
    const ended = { running: false, success: errors.length === 0, errors, finishedAt: this.told.now() };
    await this.repository.keep(actor, kept, isRefused ? [] : document.master, { ...job, ...ended });
    this.told.onKept();
    return kept;
  }

  /** Later than any before: who goes on from one event misses none, even if the clock was set back. */
  #recordTime(): string {
    const last = Date.parse(recordTimeIn(this.repository.newest()));
    const now = Date.parse(this.told.now());
    return new Date(last >= now ? last + 1 : now).toISOString();
  }

  /** What may be kept, and what is wrong with the rest. */
  #sort(
    document: EventDocument,
    { captureID }: CaptureJob,
  ): { good: readonly StoredEvent[]; errors: readonly JsonMap[] } {
    const recordTime = this.#recordTime();
    const taken = new Set<string>();
    const good: StoredEvent[] = [];
    const errors: JsonMap[] = [];
    for (const [position, each] of document.events.entries()) {
      const stored = storedOf(each, { context: document.context, captureID, position, recordTime });
      const problem = each.problems.length > 0 ? invalid(each.problems) : this.#duplicate(taken, stored);
      if (problem === undefined) good.push(stored);
      else errors.push({ ...problem.body, event: position });
      taken.add(identityOf(stored));
    }
    return { good, errors };
  }

  #duplicate(taken: ReadonlySet<string>, stored: StoredEvent): EpcisProblem | undefined {
    if (!taken.has(identityOf(stored)) && !this.repository.isTaken(stored)) return undefined;
    return new EpcisProblem('ResourceAlreadyExistsException', 'an event with this eventID was captured before');
  }
}

/** Whether the ledger may have it yet, or may take it later. */
function isOpen(error: unknown): boolean {
  return error instanceof Refusal
    ? error.category === 'unavailable'
    : error instanceof EpcisProblem && error.status === 503;
}

function pauseOf(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** tries);
}

function refuseInvalid(document: EventDocument, behaviour: ErrorBehaviour): void {
  if (document.events.length > CAPTURE_LIMIT) {
    throw new EpcisProblem(
      'CaptureLimitExceededException',
      `at most ${CAPTURE_LIMIT} events fit in one capture: split it`,
    );
  }
  if (document.master.length > MAX_MASTER_ELEMENTS) {
    const detail = `at most ${MAX_MASTER_ELEMENTS} elements of master data fit in one capture: split it`;
    throw new EpcisProblem('CaptureLimitExceededException', detail);
  }
  const within = behaviour === 'rollback' ? document.events.flatMap((each) => each.problems) : [];
  const problems = [...document.problems, ...within];
  if (problems.length > 0) throw invalid(problems);
}

/** How many problems are told at once. */
const MOST_TOLD = 20;

function invalid(problems: readonly string[]): EpcisProblem {
  return new EpcisProblem('ValidationException', problems.slice(0, MOST_TOLD).join('; '));
}

function storedOf(
  { event, namespaces }: DocumentEvent,
  { recordTime, ...place }: { context: unknown; captureID: string; position: number; recordTime: string },
): StoredEvent {
  const hash = eventHash(event, namespaces);
  const salt = randomBytes(32).toString('hex');
  return { event: { ...event, eventID: event.eventID ?? hash, recordTime }, hash, salt, ...place };
}

function problemOf({ type, detail }: JsonMap): EpcisProblem {
  const isKnown = type === 'epcisException:ResourceAlreadyExistsException';
  return new EpcisProblem(isKnown ? 'ResourceAlreadyExistsException' : 'ImplementationException', String(detail));
}

function detailOf(error: unknown): string {
  const detail = (error as { detail?: unknown } | null)?.detail;
  return typeof detail === 'string' ? detail : 'the capture failed and stored nothing: send it again';
}

/** Carries an import out, part by part, from where it is; Patients first, which the others refer to. */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

import { Refusal } from '../../ledger/refusal.js';
import type { Actor, StoredVersion } from '../../ports.js';
import { etagOf } from '../context.js';
import type { Decision } from '../request.js';
import { chunksOf, problemAt, type Candidate, type Chunk, type FileFrame } from './chunks.js';
import type { ImportLimits } from './limits.js';
import { linesOf } from './lines.js';
import { writePart, type PartPorts } from './part.js';
import { bytesOf, SourceFault } from './source.js';
import type { FileStanding, ImportJob, ImportPart, ImportStore, PartEntry } from './store.js';

/** What an import is carried out with. `fhir` is the interface that clients write through: the same rules hold. */
export interface CarryPorts extends Pick<PartPorts, 'fhir'> {
  readonly store: Pick<ImportStore, 'advance' | 'files' | 'open' | 'part' | 'upload'>;
  readonly limits: ImportLimits;
  /** Types that cannot be part of a transaction. */
  readonly apart: ReadonlySet<string>;
  readonly decision: Pick<Decision, 'allow'>;
  /** Whoever asked, as they are now: a mandate may have ended. */
  readonly actorNow: (actor: Actor) => Actor;
  /** The version in force, if the actor may see it. */
  readonly current: (actor: Actor, type: string, id: string) => StoredVersion | undefined;
  readonly isElsewhere: FileFrame['isElsewhere'];
  readonly stable: FileFrame['stable'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const FIRST_PAUSE_MS = 200;
const LAST_PAUSE_MS = 10_000;

/** The import goes on no further; what it has stays. */
class Ended extends Error {}

/** Carries a job on from where it is. Throws when the signal aborts. */
export async function carry(ports: CarryPorts, job: ImportJob, signal: AbortSignal): Promise<void> {
  const open = (): FileStanding[] => ports.store.files(job.id).filter(({ isDone }) => !isDone);
  const isOfPatients = ({ file }: FileStanding): boolean => job.order.input[file]?.type === 'Patient';
  try {
    for (const file of [...open().filter(isOfPatients), ...open().filter((each) => !isOfPatients(each))]) {
      await new FileImport(ports, job, file.file, signal).run(file);
    }
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    signal.throwIfAborted();
    const part = ports.store.part(job.id);
    for (const { file, line } of open()) {
      const unknown =
        part?.file === file ? `; lines ${line + 1} to ${part.line} that are not told may be in the record` : '';
      const problems = new Map([[0, problemAt(0, unread(`${error.message}${unknown}`))]]);
      ports.store.advance(job.id, { file, line, taken: 0, problems, isDone: true });
    }
  }
}

/** One file of an import. */
class FileImport {
  #line = 0;
  readonly #frame: FileFrame;
  readonly #actor: () => Actor;

  constructor(
    private readonly ports: CarryPorts,
    private readonly job: ImportJob,
    private readonly file: number,
    private readonly signal: AbortSignal,
  ) {
    const { source, input } = job.order;
    const type = input[file]?.type;
    const { isElsewhere, stable, limits } = ports;
    this.#actor = () => ports.actorNow(job.actor);
    this.#frame = {
      ...{ file: `${job.id}/${file}`, isElsewhere, stable, limits },
      allow: (each) => {
        ports.decision.allow(this.#actor(), each, 'update');
      },
      isHere: (name) => this.#current(name)?.deleted === false,
      ...(type === undefined ? {} : { type }),
      ...(source === undefined ? {} : { source }),
    };
  }

  async run({ line }: FileStanding): Promise<void> {
    this.#line = line;
    const part = this.ports.store.part(this.job.id);
    if (part?.file === this.file) await this.#finish(part);
    for (let failures = 0; ;) {
      const before = this.#line;
      try {
        await this.#read();
        this.#keep(new Map(), true);
        return;
      } catch (error) {
        if (!(error instanceof SourceFault) || this.signal.aborted) throw error;
        failures = this.#line > before ? 1 : failures + 1;
        if (error.isFinal || failures >= this.ports.limits.attempts) {
          this.#keep(new Map([[0, problemAt(0, unread(error.message))]]), true);
          return;
        }
        await this.#pause(failures);
      }
    }
  }

  async #read(): Promise<void> {
    const lines = linesOf(this.#bytes(), this.ports.limits.lineBytes);
    for await (const chunk of chunksOf(lines, this.#line, this.#frame)) {
      await this.#turn();
      await this.#write(chunk);
      this.#requireSound();
    }
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    const { limits, store } = this.ports;
    const { type, url = '' } = this.job.order.input[this.file] ?? {};
    const bytes = type === undefined ? piecesOf(store.upload(this.job.id) ?? '') : bytesOf(url, limits, this.signal);
    for await (const piece of bytes) {
      // Also of a file that never comes to the end of a line.
      await this.#turn();
      yield piece;
    }
  }

  async #write({ candidates, problems, line }: Chunk): Promise<void> {
    if (candidates.length === 0) {
      this.#line = line;
      this.#keep(problems, false);
      return;
    }
    const isApart = ({ name }: Candidate): boolean => this.ports.apart.has(name.split('/')[0] ?? '');
    const together = [...candidates.keys()].filter((at) => candidates[at] && !isApart(candidates[at]));
    const alone = [...candidates.keys()].filter((at) => !together.includes(at)).map((at) => [at]);
    const part: ImportPart = {
      ...{ file: this.file, line, named: 0 },
      entries: candidates.map((each) => this.#entryOf(each, isApart(each))),
      groups: [...(together.length === 0 ? [] : [together]), ...alone],
    };
    this.signal.throwIfAborted();
    this.ports.store.open(this.job.id, part, problems);
    await this.#finish(part);
  }

  /** Decided once and kept: what is written builds on what is in force now, and on nothing that comes later. */
  #entryOf({ line, name, resource }: Candidate, isApart: boolean): PartEntry {
    const current = this.#current(name);
    const seen = current === undefined ? { ifNoneMatch: '*' } : { ifMatch: etagOf(current.version) };
    // What is handled apart has conditions of its own.
    return { line, name, text: JSON.stringify(resource), condition: isApart ? {} : seen };
  }

  #current(name: string): StoredVersion | undefined {
    const [type = '', id = ''] = name.split('/');
    return this.ports.current(this.#actor(), type, id);
  }

  async #finish(part: ImportPart): Promise<void> {
    const { fhir, store } = this.ports;
    const advance: ImportStore['advance'] = (id, step) => {
      this.signal.throwIfAborted();
      store.advance(id, step);
    };
    const [turn, pause] = [() => this.#turn(), (tries: number) => this.#pause(tries)];
    const ports = { fhir, store: { advance }, actor: this.#actor, turn, pause };
    await writePart(ports, this.job.id, part, this.#line);
    this.#line = part.line;
  }

  #keep(problems: ReadonlyMap<number, string>, isDone: boolean): void {
    // Ended or stopped meanwhile: nothing is kept of it, and whoever goes on with it begins here once more.
    this.signal.throwIfAborted();
    this.ports.store.advance(this.job.id, { file: this.file, line: this.#line, taken: 0, problems, isDone });
  }

  /** Others have their turn; whoever asked may not be who they were, so that what is not in by then is not taken. */
  async #turn(): Promise<void> {
    await setImmediate();
    this.signal.throwIfAborted();
    const { now, limits } = this.ports;
    if (now() > this.job.began + limits.hours * 3_600_000) {
      throw new Ended(`the import was not done within ${limits.hours} hours`);
    }
  }

  #requireSound(): void {
    const { store, limits } = this.ports;
    const failed = store.files(this.job.id).reduce((sum, file) => sum + file.failed, 0);
    if (failed > limits.problems) throw new Ended(`more than ${limits.problems} lines cannot be taken`);
  }

  async #pause(tries: number): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, LAST_PAUSE_MS);
    await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal: this.signal });
    await this.#turn();
  }
}

function unread(message: string): Refusal {
  return new Refusal('invalid', 'unprocessable', message);
}

/** A text's bytes in pieces of a size like those of a file. */
async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 65_536) {
    yield bytes.subarray(start, start + 65_536);
    await setImmediate();
  }
}

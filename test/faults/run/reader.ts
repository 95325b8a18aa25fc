/** A client that reads all the time, at home and across members, each time as somebody else, and keeps what it was shown. */
import { setTimeout as sleep } from 'node:timers/promises';
import { laboratoryForNorthside } from '../../story/people.js';
import type { FaultyConsortium } from './consortium.js';
import type { Writer } from './writer.js';

/** A read that was answered with a patient's data. */
export interface Shown {
  /** Name of the reader: nobody reads twice. */
  readonly user: string;
  /** The member whose gateway was asked. */
  readonly at: string;
  /** Whether the data is another member's. */
  readonly remote: boolean;
  /** Milliseconds since 1970, of the answer. */
  readonly ended: number;
}

const CUSTODIAN = 'stmary';
const REQUESTER = 'northside';
const PAUSE_MS = 300;
const REQUEST_MS = 8_000;
/** Of so many reads one is across members: that costs a transaction. */
const LOCAL_READS = 3;

/** Reads Observations that a writer at the custodian wrote. */
export class Reader {
  readonly shown: Shown[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private asked = 0;

  constructor(
    private readonly consortium: FaultyConsortium,
    private readonly writer: Writer,
  ) {}

  /** Has the patient permit the reads across members, then reads. */
  async start(): Promise<void> {
    const { patient } = this.writer;
    const token = await this.patientToken();
    const [base = ''] = this.consortium.urlsOf(CUSTODIAN);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    const body = JSON.stringify(laboratoryForNorthside(patient));
    const answer = await fetch(`${base}/fhir/R4/Consent`, { method: 'POST', headers, body });
    if (answer.status !== 201) throw new Error(`a consent at ${CUSTODIAN}: ${answer.status}`);
    this.running = this.read();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** Id of the patient whose record is read. */
  get patient(): string {
    return this.writer.patient;
  }

  /** Token of the patient whose record is read. */
  patientToken(): Promise<string> {
    return this.consortium.token(CUSTODIAN, 0, { subject: 'pat', role: 'patient', patient: this.writer.patient });
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      this.asked += 1;
      if (this.asked % (LOCAL_READS + 1) === 0) await this.readAcross();
      else await this.readAtHome();
      await sleep(PAUSE_MS);
    }
  }

  private async readAtHome(): Promise<void> {
    const made = this.writer.history.filter(({ id }) => id !== undefined);
    const { id } = made[Math.floor(Math.random() * made.length)] ?? {};
    if (id !== undefined) await this.ask(CUSTODIAN, `Observation/${id}`, false);
  }

  private async readAcross(): Promise<void> {
    await this.ask(REQUESTER, `Observation?patient=${this.writer.patient}&_count=5`, true);
  }

  private async ask(at: string, path: string, remote: boolean): Promise<void> {
    const user = `reader-${this.asked}`;
    const urls = this.consortium.urlsOf(at);
    const gateway = this.asked % urls.length;
    const token = await this.consortium.token(at, gateway, { subject: user, role: 'physician' });
    const headers = { authorization: `Bearer ${token}` };
    const url = `${urls[gateway] ?? ''}/fhir/R4/${path}`;
    try {
      const answer = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_MS) });
      const text = await answer.text();
      if (answer.status !== 200 || !text.includes('valueQuantity')) return;
      this.shown.push({ user, at, remote, ended: Date.now() });
    } catch {
      // Nothing was shown.
    }
  }
}

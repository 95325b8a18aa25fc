/** Clients that write all the time, and the history of what they were told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { glucose, patient } from '../../story/people.js';
import type { FaultyConsortium } from './consortium.js';

/** What a client was told in the end of one write under one key. */
export type Told = 'acknowledged' | 'refused' | 'open';

export interface Write {
  readonly member: string;
  readonly value: number;
  readonly key: string;
  /** Milliseconds since 1970, of the first request. */
  readonly began: number;
  told: Told;
  /** When the answer came. */
  ended?: number;
  /** Status of each answer; 0 = none. */
  readonly statuses: number[];
}

const PAUSE_MS = 50;
const RETRY_MS = 250;
const REQUEST_MS = 15_000;
const TOKEN_MS = 60_000;
/** Answers after which the same request is asked again under its key: nothing is known yet, or it is under way. */
const AGAIN = new Set([0, 202, 401, 408, 409, 425, 429]);

/** Writes one Observation after the other at a member; asks again under the same key, at the next gateway, until told. */
export class Writer {
  readonly history: Write[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private patientId = '';
  private token = '';
  private minted = 0;
  private turn = 0;

  constructor(
    private readonly consortium: FaultyConsortium,
    readonly member: string,
    private readonly first: number,
  ) {}

  /** Id of the patient whose Observations it writes. */
  get patient(): string {
    return this.patientId;
  }

  async start(): Promise<void> {
    const answer = await this.ask('Patient', `patient-${this.first}`, patient);
    if (answer.status !== 201) throw new Error(`a patient at ${this.member}: ${answer.status}`);
    this.patientId = (JSON.parse(answer.text) as { id: string }).id;
    this.running = this.write();
  }

  /** Writes no more; resolves when the last write is told, or after so long. */
  async stop(patienceMs: number): Promise<void> {
    this.stopped = true;
    await Promise.race([this.running, sleep(patienceMs, undefined, { ref: false })]);
  }

  /** Resolves with the milliseconds until a write that began after `since` is acknowledged; Infinity = not in time. */
  async goesOn(since: number, patienceMs: number): Promise<number> {
    while (Date.now() < since + patienceMs) {
      const told = this.history.find(({ began, told }) => began >= since && told === 'acknowledged');
      if (told?.ended !== undefined) return told.ended - since;
      await sleep(20);
    }
    return Infinity;
  }

  private async write(): Promise<void> {
    for (let value = this.first; !this.stopped; value += 1) {
      const key = `${this.member}-${value}`;
      const write: Write = { member: this.member, value, key, began: Date.now(), told: 'open', statuses: [] };
      this.history.push(write);
      await this.untilTold(write);
      await sleep(PAUSE_MS);
    }
  }

  private async untilTold(write: Write): Promise<void> {
    for (;;) {
      const { status } = await this.ask('Observation', write.key, glucose(this.patientId, write.value));
      write.statuses.push(status);
      if (status === 201 || status === 200) write.told = 'acknowledged';
      else if (!AGAIN.has(status) && status < 500) write.told = 'refused';
      write.ended = Date.now();
      if (write.told !== 'open') return;
      await sleep(RETRY_MS);
    }
  }

  private async ask(type: string, key: string, body: object): Promise<{ status: number; text: string }> {
    const urls = this.consortium.urlsOf(this.member);
    if (Date.now() > this.minted + TOKEN_MS) {
      this.token = await this.consortium.token(this.member);
      this.minted = Date.now();
    }
    const url = `${urls[this.turn % urls.length] ?? ''}/fhir/R4/${type}`;
    const headers = {
      authorization: `Bearer ${this.token}`,
      'content-type': 'application/fhir+json',
      'idempotency-key': key,
    };
    const request = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(REQUEST_MS) };
    try {
      const response = await fetch(url, request);
      const text = await response.text();
      if (response.status !== 201) this.turn += 1;
      return { status: response.status, text };
    } catch {
      this.turn += 1;
      return { status: 0, text: '' };
    }
  }
}

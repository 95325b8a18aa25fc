/** Clients that write all the time, and the history of what they were told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { glucose, patient } from '../../story/people.js';
import { disguised } from './canaries.js';
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
  /** When the last answer came. */
  ended?: number;
  /** Id of what was made. */
  id?: string;
  /** Status of each answer; 0 = none. */
  readonly statuses: number[];
}

/** Values of writes that are made one at a time, after those of the others. */
const EXTRA = 500_000;
const PAUSE_MS = 50;
const RETRY_MS = 250;
/** Shorter than a gateway waits for the ledger: then the same is asked of the next gateway while the first is at it. */
const REQUEST_MS = 8_000;
/** Longer than that: whoever waits so long is told 202 by the gateway itself. */
const PATIENT_MS = 25_000;
/** Answers after which the same request is asked again under its key: nothing is known yet, or it is under way. */
const AGAIN = new Set([0, 202, 408, 409, 425, 429]);

/** Writes one Observation after the other at a member; asks again under the same key, at the next gateway, until told. */
export class Writer {
  readonly history: Write[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private patientId = '';
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

  /** One write more, by somebody who waits for the gateway's answer; resolves when it is told. */
  async writeOnce(): Promise<Write> {
    const write = this.begin(this.first + EXTRA + this.history.length);
    await this.untilTold(write, PATIENT_MS);
    return write;
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
      await this.untilTold(this.begin(value), REQUEST_MS);
      await sleep(PAUSE_MS);
    }
  }

  private begin(value: number): Write {
    const key = `${this.member}-${value}`;
    const write: Write = { member: this.member, value, key, began: Date.now(), told: 'open', statuses: [] };
    this.history.push(write);
    return write;
  }

  private async untilTold(write: Write, patienceMs: number): Promise<void> {
    const body = glucose(this.patientId, write.value);
    for (;;) {
      const { status, text } = await this.ask('Observation', write.key, body, patienceMs);
      write.statuses.push(status);
      if (status === 201 || status === 200) {
        write.told = 'acknowledged';
        write.id = (JSON.parse(text) as { id: string }).id;
      }
      if (write.told === 'open' && !AGAIN.has(status) && status < 500) write.told = 'refused';
      write.ended = Date.now();
      if (write.told !== 'open') return;
      await sleep(RETRY_MS);
    }
  }

  private async ask(
    type: string,
    key: string,
    body: object,
    patienceMs = PATIENT_MS,
  ): Promise<{ status: number; text: string }> {
    const urls = this.consortium.urlsOf(this.member);
    // The gateways in turn: a key that was not told is asked of the other one.
    const gateway = this.turn++ % urls.length;
    const url = `${urls[gateway] ?? ''}/fhir/R4/${type}`;
    const headers = {
      authorization: `Bearer ${await this.consortium.token(this.member, gateway)}`,
      'content-type': 'application/fhir+json',
      'idempotency-key': key,
    };
    const signal = AbortSignal.timeout(patienceMs);
    const request = { method: 'POST', headers, body: disguised(JSON.stringify(body), this.member), signal };
    try {
      const response = await fetch(url, request);
      return { status: response.status, text: await response.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }
}

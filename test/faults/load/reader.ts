/** A client that reads all the time, at home and across members, each time as somebody else, and keeps what it was shown. */
import { setTimeout as sleep } from 'node:timers/promises';
import { laboratoryForNorthside } from '../../story/people.js';
import type { History, ShownLine } from '../judge/history.js';
import type { Members } from '../members.js';
import { askMember } from './ask.js';
import type { Chart } from './clinical.js';
import type { Writer } from './writer.js';

const CUSTODIAN = 'stmary';
const REQUESTER = 'northside';
const PAUSE_MS = 300;
const REQUEST_MS = 8_000;
const PATIENT_MS = 25_000;
/** Of so many reads one is across members: that costs a transaction. */
const LOCAL_READS = 3;

/** Reads Observations of a chart at the custodian, which a writer writes. */
export class Reader {
  readonly shown: ShownLine[] = [];
  private stopped = false;
  private running: Promise<void> = Promise.resolve();
  private asked = 0;

  constructor(
    private readonly members: Members,
    private readonly history: History,
    private readonly chart: Chart,
    private readonly writer: Writer,
  ) {}

  /** Has the patient permit the reads across members, then reads. */
  async start(): Promise<void> {
    const { patient, own: bearer } = this.chart;
    const body = JSON.stringify(laboratoryForNorthside(patient));
    const headers = { 'content-type': 'application/fhir+json' };
    const request = { method: 'POST', path: '/fhir/R4/Consent', bearer, body, headers };
    const place = { member: CUSTODIAN, gateway: 0 };
    const { status, text } = await askMember(this.members, place, request, PATIENT_MS);
    if (status !== 201) throw new Error(`a consent at ${CUSTODIAN}: ${status} ${text}`);
    this.running = this.read();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
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
    const ids = this.writer.writes.flatMap((write) => write.ids);
    const id = ids[Math.floor(Math.random() * ids.length)];
    if (id !== undefined) await this.ask(CUSTODIAN, `Observation/${id}`, false);
  }

  private async readAcross(): Promise<void> {
    await this.ask(REQUESTER, `Observation?patient=${this.chart.patient}&_count=5`, true);
  }

  private async ask(member: string, path: string, remote: boolean): Promise<void> {
    const user = `reader-${this.asked}`;
    const place = { member, gateway: this.asked % this.members.urlsOf(member).length };
    const request = { path: `/fhir/R4/${path}`, bearer: { subject: user, role: 'physician' } };
    const answer = await askMember(this.members, place, request, REQUEST_MS);
    if (answer.status !== 200 || !answer.text.includes('valueQuantity')) return;
    const shown = { line: 'shown', at: Date.now(), user, remote, member, patient: this.chart.patient } as const;
    this.history.append(shown);
    this.shown.push(shown);
  }
}

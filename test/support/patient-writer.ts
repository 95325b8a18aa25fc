/** A client of a hospital that registers patients all the time, and remembers what it was told. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@salus/network/fabric/lifecycle';
import { patient } from '../story/people.js';

/** "Not known yet", and "try again", as whenever the orderers choose another leader. */
const OPEN = [202, 503];
const RETRY_MS = 250;
/** How long five more writes may take on a machine that is busy with other things. */
const PATIENCE_MS = 120_000;

/** Registers one patient after the other, each under a key of its own by which it asks again while the answer is open. */
export class PatientWriter {
  readonly acknowledged: string[] = [];
  /** Status and body of each answer that was neither yes nor open. */
  readonly failed: string[] = [];
  /** Writes that had to be asked for again. */
  postponed = 0;
  private running: Promise<void>;
  private isStopped = false;

  /** `base` is the hospital's FHIR base, `token` a physician's of its own. */
  constructor(
    private readonly base: string,
    private readonly token: string,
  ) {
    this.running = this.write();
  }

  /** Resolves once five more writes were acknowledged; begins again after a stop. */
  async goesOn(): Promise<void> {
    if (this.isStopped) {
      this.isStopped = false;
      this.running = this.write();
    }
    const before = this.acknowledged.length;
    const more = () => Promise.resolve(this.acknowledged.length >= before + 5);
    await until('five more writes', more, PATIENCE_MS);
  }

  /** Resolves once the last write was answered for good, with how many were acknowledged. */
  async stop(): Promise<number> {
    this.isStopped = true;
    await this.running;
    return this.acknowledged.length;
  }

  /** Reads all that was acknowledged. Throws where one is missing, or was acknowledged twice. */
  async readAll(): Promise<void> {
    assert.equal(new Set(this.acknowledged).size, this.acknowledged.length);
    for (const id of this.acknowledged) {
      const { status } = await fetch(`${this.base}/Patient/${id}`, { headers: this.headers() });
      assert.equal(status, 200, id);
    }
  }

  /** How many patients the hospital has. */
  async count(): Promise<number> {
    const answer = await fetch(`${this.base}/Patient?_summary=count`, { headers: this.headers() });
    return ((await answer.json()) as { total: number }).total;
  }

  private headers() {
    return { authorization: `Bearer ${this.token}`, 'content-type': 'application/fhir+json' };
  }

  private async write(): Promise<void> {
    while (!this.isStopped) await this.writeOne(randomUUID());
  }

  private async writeOne(key: string): Promise<void> {
    const headers = { ...this.headers(), 'idempotency-key': key };
    for (let asked = 1; ; asked += 1) {
      const answer = await fetch(`${this.base}/Patient`, { method: 'POST', headers, body: JSON.stringify(patient) });
      const text = await answer.text();
      if (asked === 2) this.postponed += 1;
      if (!OPEN.includes(answer.status)) {
        if (answer.status === 201) this.acknowledged.push((JSON.parse(text) as { id: string }).id);
        else this.failed.push(`${answer.status} ${text}`);
        return;
      }
      await sleep(RETRY_MS);
    }
  }
}

/** A data logger with a key of its own: what it read, signed. */
import { createHash } from 'node:crypto';

import { canonical } from '@salus/chaincode/dist/lib/canonical.js';

import { SigningKey } from '../support/signing.js';

/** Reads without gap, from a few days ago on. */
export class DataLogger {
  private readonly key = new SigningKey('');
  readonly kid: string;
  /** Where the next batch starts, ms since 1970; and where the last one did, FHIR instant. */
  private next: number | undefined;
  started = '';

  /** The key id is the key's thumbprint (RFC 7638) unless another is given. */
  constructor(kid?: string) {
    const { crv, kty, x, y } = this.key.jwk;
    this.kid = kid ?? createHash('sha256').update(canonical({ crv, kty, x, y })).digest('base64url');
  }

  get jwk() {
    return { ...this.key.jwk, kid: this.kid };
  }

  /** The next batch begins then, ms since 1970. */
  begin(at: number): void {
    this.next = at;
  }

  /** The next batch: readings in thousandths of a degree Celsius, every so many minutes. */
  batch(readings: readonly number[], every: number, agoMs = 5 * 86_400_000) {
    const from = this.next ?? Date.now() - agoMs;
    this.started = new Date(from).toISOString();
    return { from: this.started, every, readings };
  }

  /** The next batch signed; the one after begins where it ends. */
  read(readings: readonly number[], every: number, agoMs?: number): string {
    const batch = this.batch(readings, every, agoMs);
    this.next = Date.parse(batch.from) + readings.length * every * 60_000;
    return this.sign(batch);
  }

  /** Signs whatever it is given. */
  sign(batch: object, header: object = {}): string {
    return this.key.sign(batch, { kid: this.kid, ...header });
  }
}

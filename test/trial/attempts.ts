/** Illegal acts, tried on one trial. */
import assert from 'node:assert/strict';
import type { TrialWorld } from './world.js';
import { TRIAL } from './world.js';

/** An act that must be refused: what it is, the code, who tries, and what. */
export type Attempt = readonly [
  what: string,
  code: string,
  member: string,
  role: string,
  verb: string,
  request: object,
];

/** Content commitments and a reason, for acts that need one. */
export const commitment = '1'.repeat(64);
export const other = '2'.repeat(64);
export const reason = 'because';

/** Tries acts, each of which must be refused with its code, and counts them. */
export class Attempts {
  tried = 0;

  constructor(readonly world: TrialWorld) {}

  async all(attempts: readonly Attempt[]): Promise<void> {
    for (const [what, code, member, role, verb, request] of attempts) {
      const call = this.world.call(role, { trial: TRIAL, ...request });
      const { message } = await this.world.ledger.evaluate(member, `trial:${verb}`, call);
      assert.ok(message.includes(`"code":"${code}"`), `${what}: ${message} instead of ${code}`);
      this.tried += 1;
    }
  }

  /** One act on a data point of participant P1, unless it names another. */
  async point(
    what: string,
    code: string,
    [member, role]: readonly [string, string],
    about: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const request = await this.world.pointOf(member, role, { participant: 'P1', ...about });
    await this.all([[what, code, member, role, 'point', request]]);
  }
}

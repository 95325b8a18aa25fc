/** Illegal acts, tried on one trial. */
import assert from 'node:assert/strict';
import type { TrialLedger } from './trial-ledger.js';
import { TRIAL, TrialWorld } from './world.js';

/** How many acts each suite of them must have tried. */
const LEAST = 40;

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

/** Opens an enrolling trial with P1 of stmary in slot 1 and P2 of northside in slot 2, on whatever ledger. */
export type Open = () => Promise<Attempts>;

/** Declares a suite of illegal acts on one trial; `tests` declares what is tried, once the trial is there. */
export function illegalActs(title: string, open: Open, tests: (tried: () => Attempts) => void): void {
  describe(title, function () {
    this.timeout(300_000);
    let attempts: Attempts | undefined;
    const tried = (): Attempts => attempts ?? assert.fail('the trial is not open');

    before(async () => {
      attempts = await open();
    });
    after(() => {
      tried().assertMany();
    });
    tests(tried);
  });
}

/** Tries acts, each of which must be refused with its code, and counts them. */
export class Attempts {
  tried = 0;

  constructor(readonly world: TrialWorld<TrialLedger>) {}

  /** On an enrolling trial with P1 of stmary in slot 1 and P2 of northside in slot 2. */
  static async onTwo(world: TrialWorld<TrialLedger>): Promise<Attempts> {
    await world.opened(4);
    await world.enrolled('P1', 'stmary', 's1', 1);
    await world.enrolled('P2', 'northside', 's1', 2);
    return new Attempts(world);
  }

  /** Fails when hardly any were tried. */
  assertMany(): void {
    assert.ok(this.tried >= LEAST, `only ${this.tried} illegal acts were tried`);
  }

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

/**
 * `$randomize`: proposes the lowest slot that seems free, and the next one where somebody was faster; the kit is that of the
 * slot committed in the list committed, and never comes from a response.
 */
import { transactions } from '@salus/chaincode/trial/api';

import type { Given } from '../fhir/parameters.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Actor, Ledger } from '../ports.js';
import { demandTrial, readLine } from './reading.js';

/** How often another slot is proposed when others took the ones before. */
const SLOT_ATTEMPTS = 50;

/** An enrolment as it is asked for. */
interface Wish {
  readonly trial: string;
  readonly participant: string;
  readonly stratum: string;
  readonly consent: number;
}

/** A stratum's list as it was committed, which never changes, and the slot that seems to be next. */
interface Stratum {
  readonly kits: readonly string[];
  readonly next: number;
}

/** One gateway's enrolments: it remembers which slot of a stratum seems to be next, and the contracts judge. */
export class Randomizing {
  readonly #strata = new Map<string, Stratum>();

  constructor(private readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>) {}

  /** The participant's kit; who has a slot already keeps it. Throws Refusal. */
  async randomize(actor: Actor, trial: string, given: Given): Promise<{ readonly kit: string }> {
    const [participant, stratum] = [given.text('participant'), given.text('stratum')] as const;
    const wish = { trial, participant, stratum, consent: given.number('consent') };
    for (let tries = 0; tries < SLOT_ATTEMPTS; tries += 1) {
      const kit = await this.#propose(actor, wish);
      if (kit !== undefined) return { kit };
    }
    throw new Refusal('unavailable', 'slots-contended', 'many enrol now: ask again');
  }

  /** The kit of the slot that the participant has by now; undefined where it is to be tried again. */
  async #propose(actor: Actor, wish: Wish): Promise<string | undefined> {
    const place = `${wish.trial}/${wish.stratum}`;
    const known = this.#strata.get(place) ?? (await this.#committed(wish));
    const slot = known.next;
    const call = {
      transaction: transactions.enrol,
      argument: JSON.stringify({ ...wish, slot }),
      transient: { actor: actorBytes(actor) },
    };
    try {
      await this.ledger.submit(call);
      this.#strata.set(place, { ...known, next: slot + 1 });
      return known.kits[slot - 1] ?? (await this.#kitOf(wish));
    } catch (error) {
      const code = error instanceof Refusal ? error.code : '';
      if (code === 'already-enrolled') return await this.#kitOf(wish);
      if (code === 'slot-taken') this.#strata.set(place, { ...known, next: slot + 1 });
      else if (code === 'slot-skipped') this.#strata.delete(place);
      else throw error;
      return undefined;
    }
  }

  async #kitOf({ trial, participant }: Wish): Promise<string> {
    const line = await readLine(this.ledger, trial, participant);
    if (line.participant !== undefined) return line.participant.kit;
    throw new Refusal('unavailable', 'behind', 'the slot is not seen here yet: ask again');
  }

  async #committed({ trial, stratum }: Wish): Promise<Stratum> {
    const { slots, lists } = await demandTrial({ ledger: this.ledger }, trial);
    const taken = slots.find((each) => each.stratum === stratum)?.taken.length ?? 0;
    return { kits: lists.find((each) => each.stratum === stratum)?.kits ?? [], next: taken + 1 };
  }
}

/**
 * At a site: what the consents of a participant decide of the sponsor's people is put on the ledger, so that the sponsor's gateway,
 * which knows neither the person nor the consents, stops showing contents, and the site's handing them over. Looked at with
 * every block, since a consent, and a tick that ends one, comes with a block.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { transactions } from '@salus/chaincode/trial/api';

import type { Blocks } from '../door/committed.js';
import { isDeclined } from '../ledger/refusal.js';
import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Facts } from '../patient/lookup.js';
import type { Ledger } from '../ports.js';
import { allSubjects } from './content.js';
import { readLine, readTrial } from './reading.js';

/** Pause between looks, and after one that failed, milliseconds. */
const PAUSE_MS = { afterLook: 500, afterFailure: 2_000 } as const;

/** What it takes. */
export interface UsePorts {
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly facts: Pick<Facts, 'facts'> & Pick<Blocks, 'block'>;
  /** Whether the consents of a Patient kept here deny a member's people what a trial collected. */
  readonly denies: (patient: string, member: string) => boolean;
}

/** One gateway's look at its participants' consents. */
export class ConsentedUse {
  readonly #sponsors = new Map<string, string>();
  /** What the ledger says of each participant, as far as it was looked at. */
  readonly #said = new Map<string, boolean>();

  constructor(private readonly ports: UsePorts) {}

  /** Says on the ledger whatever changed, until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    let seen = -1;
    while (!signal.aborted) {
      const { block } = this.ports.facts;
      const isDone =
        block === seen ||
        (await this.look().then(
          () => true,
          () => false,
        ));
      // What failed is looked at again: the ledger is away, or another gateway of the member was first.
      if (isDone) seen = block;
      const pause = isDone ? PAUSE_MS.afterLook : PAUSE_MS.afterFailure;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Looks once at every participant of this site's. Throws what the ledger throws. */
  async look(): Promise<void> {
    for (const { trial, participant, patient } of allSubjects(this.ports.facts)) {
      const sponsor = await this.#sponsorOf(trial);
      if (sponsor !== undefined) await this.#say(trial, participant, this.ports.denies(patient, sponsor));
    }
  }

  async #sponsorOf(trial: string): Promise<string | undefined> {
    const known = this.#sponsors.get(trial) ?? (await readTrial(this.ports.ledger, trial))?.trial.parties.sponsor;
    if (known !== undefined) this.#sponsors.set(trial, known);
    return known;
  }

  async #say(trial: string, participant: string, isRestricted: boolean): Promise<void> {
    const name = `${trial}/${participant}`;
    if (this.#said.get(name) === isRestricted) return;
    const { consents, uses } = await readLine(this.ports.ledger, trial, participant);
    // Of who did not consent yet nothing was collected.
    if (consents.length === 0) return;
    if ((uses.at(-1)?.isRestricted ?? false) !== isRestricted) {
      // Until the ledger is read again, it is not known whether it has this or what it said before.
      this.#said.delete(name);
      const argument = JSON.stringify({ trial, participant, n: uses.length + 1, isRestricted });
      const transient = { actor: actorBytes(GATEWAY_ACTOR) };
      await this.ports.ledger
        .submit({ transaction: transactions.restrictUse, argument, transient })
        .catch((error: unknown) => {
          // One participant that the contract refuses, as before activation, keeps no other from being looked at.
          if (!isDeclined(error)) throw error;
        });
      return;
    }
    this.#said.set(name, isRestricted);
  }
}

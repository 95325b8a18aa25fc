/** Anchors what a door handed over: manifests of a second go into one transaction, since nobody waits for them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_MANIFESTS, merkleRoot, transactions, type Manifest } from '@salus/chaincode/access/api';

import type { JsonObject } from '../fhir/json.js';
import { byGateway } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';

/** Longest a manifest waits for others, ms. The access record that it hangs on is committed already. */
const GATHER_MS = 1_000;

/** How long the last ones have when the door closes, ms. */
const LAST_MS = 2_000;

/** Where manifests go, and who hears of those that could not be anchored. */
export interface ManifestPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly onUnanchored: (error: unknown) => void;
}

/** A door's manifests on their way to the ledger. */
export class Manifests {
  #waiting: Manifest[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #underway = new Set<Promise<void>>();

  constructor(private readonly ports: ManifestPorts) {}

  /** Takes what was delivered at once under an access: the resources of a Bundle's entries. */
  add(aid: string, entries: readonly JsonObject[]): void {
    this.#waiting.push(manifestOf(aid, entries));
    if (this.#waiting.length >= MAX_MANIFESTS) this.#send();
    else this.#timer ??= setTimeout(this.#send, GATHER_MS).unref();
  }

  /** Sends what waits; resolves when all is anchored or given up, or the time for it is over. */
  async settled(): Promise<void> {
    this.#send();
    await Promise.race([Promise.all(this.#underway), sleep(LAST_MS, undefined, { ref: false })]);
  }

  readonly #send = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const manifests = this.#waiting;
    this.#waiting = [];
    if (manifests.length === 0) return;
    const sent = this.#anchor(manifests).finally(() => this.#underway.delete(sent));
    this.#underway.add(sent);
  };

  /** One that the ledger refuses does not keep the others back. */
  async #anchor(manifests: readonly Manifest[]): Promise<void> {
    try {
      await this.ports.ledger.submit({ transaction: transactions.disclose, transient: byGateway({ manifests }) });
    } catch (error) {
      if (manifests.length === 1) this.ports.onUnanchored(error);
      else await Promise.all(manifests.map((each) => this.#anchor([each])));
    }
  }
}

/** What is anchored of a delivery. */
export function manifestOf(aid: string, entries: readonly JsonObject[]): Manifest {
  const salt = randomBytes(32);
  const items = entries.map((entry) => Buffer.concat([salt, Buffer.from(JSON.stringify(entry.resource ?? null))]));
  return {
    aid,
    manifestId: randomBytes(32).toString('hex'),
    root: merkleRoot(items).toString('hex'),
    count: entries.length,
    salt: salt.toString('hex'),
  };
}

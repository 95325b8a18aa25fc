/** Anchors what a door handed over: one manifest for all of a second under an access, all of them in one transaction, since nobody waits. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_MANIFESTS, merkleRoot, transactions, type Manifest } from '@salus/chaincode/access/api';

import { byGateway } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';

/** Longest a manifest waits for others, ms. The access record that it hangs on is committed already. */
const GATHER_MS = 1_000;
/** Most resources that wait: beyond that they go at once, so that a second of large records holds no memory. */
export const MOST_WAITING = 10_000;

/** How long the last ones have when the door closes, ms. */
const LAST_MS = 2_000;

/** Where manifests go, and who hears of those that could not be anchored. */
export interface ManifestPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly onUnanchored: (error: unknown) => void;
}

/** A door's manifests on their way to the ledger. */
export class Manifests {
  /** Resources' texts in the order of delivery, by access. */
  #waiting = new Map<string, string[]>();
  #resources = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #underway = new Set<Promise<void>>();

  constructor(private readonly ports: ManifestPorts) {}

  /** Takes what was delivered at once under an access: the resources' texts as they went out. */
  add(aid: string, resources: readonly string[]): void {
    const before = this.#waiting.get(aid);
    if (before === undefined) this.#waiting.set(aid, [...resources]);
    else before.push(...resources);
    this.#resources += resources.length;
    if (this.#waiting.size >= MAX_MANIFESTS || this.#resources >= MOST_WAITING) this.#send();
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
    const manifests = [...this.#waiting].map(([aid, resources]) => manifestOf(aid, resources));
    this.#waiting = new Map();
    this.#resources = 0;
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

/** What is anchored of deliveries under an access: the resources' texts. */
export function manifestOf(aid: string, resources: readonly string[]): Manifest {
  const salt = randomBytes(32);
  const items = resources.map((text) => Buffer.concat([salt, Buffer.from(text)]));
  return {
    aid,
    manifestId: randomBytes(32).toString('hex'),
    root: merkleRoot(items).toString('hex'),
    count: resources.length,
    salt: salt.toString('hex'),
  };
}

/**
 * Carries an approved erasure through: destroys the keys, drops the rows, announces in public, purges, certifies. Each
 * step is idempotent, so that a series cut short anywhere is gone through again from its beginning.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_ENTRIES, transactions, type EraseVersions } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { SigningKey } from '../identity/keys.js';
import { isRefusal } from '../ledger/refusal.js';
import type { Facts } from '../patient/lookup.js';
import type { Ledger } from '../ports.js';
import { announcementOf } from './announcement.js';
import { keyHashOf, rootOf, signCertificate } from './certificate.js';
import { ERASURE_SPACE, PURGE_SPACE, type Announced, type Purged } from './project.js';
import type { Erasure, ErasureStore } from './store.js';

/** Pause before a step that failed is tried again, ms. */
const RETRY_MS = 1_000;
/** How long the projection may take to show a step, ms, before the step is looked at again. */
const SHOWN_MS = 5_000;

/** What each step of an erasure acts on; every step may be repeated after a restart. */
export interface SeriesPorts {
  readonly member: string;
  readonly mspId: string;
  readonly channel: string;
  readonly store: ErasureStore;
  /** Its writes are carried on after a restart. */
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly projection: Facts & {
    readonly block: number;
    drop(ledgerKeys: readonly string[]): void;
    reached(block: number, timeoutMs: number): Promise<boolean>;
  };
  /** Contents in clear that this process remembers. */
  readonly recent: { clear(): void };
  /** Resolves when the writes under way have ended: none of them may come after the purge. */
  readonly settled: () => Promise<void>;
  /** Purges what other hospitals find the patient by, and ends the keys that sign for the patient. */
  readonly forget: (patient: string) => Promise<void>;
  readonly signingKey: SigningKey;
  /** FHIR instant. */
  readonly now: () => string;
  readonly onFailure: (error: unknown) => void;
}

/** The erasures of one gateway. */
export class ErasureSeries {
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(private readonly ports: SeriesPorts) {}

  /** Destroys keys and rows of what was approved: from here on nothing of it is shown. To be called before serving. */
  close(): void {
    for (const erasure of this.ports.store.underWay()) this.#destroy(erasure);
  }

  /** Goes on with every erasure that is under way. */
  resume(): void {
    for (const { id } of this.ports.store.underWay()) void this.carry(id);
  }

  /** Destroys at once, then carries on until it is done; resolves then, or when stopped. */
  carry(id: string): Promise<void> {
    const known = this.#running.get(id);
    if (known !== undefined) return known;
    const run = this.#untilDone(id).finally(() => {
      this.#running.delete(id);
    });
    this.#running.set(id, run);
    return run;
  }

  /** Ends the retrying; what is under way is carried on at the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #untilDone(id: string): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#once(id);
        return;
      } catch (error) {
        this.ports.onFailure(error);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #once(id: string): Promise<void> {
    const { store, projection, settled } = this.ports;
    const erasure = store.byId(id);
    if (erasure === undefined || !['approved', 'destroyed'].includes(erasure.state)) return;
    this.#destroy(erasure);
    await settled();
    const ledgerKeys = store.ledgerKeys(id);
    await this.#announce(id, ledgerKeys);
    for (let part = 0; part * MAX_ENTRIES < ledgerKeys.length; part += 1) {
      await this.#purge(id, part, ledgerKeys.slice(part * MAX_ENTRIES, (part + 1) * MAX_ENTRIES));
    }
    await this.ports.forget(erasure.patient);
    projection.drop(ledgerKeys);
    store.dropContents();
    store.done(id, await this.#certificate(erasure, ledgerKeys));
  }

  /** In one turn of the event loop: no write can come between. */
  #destroy(erasure: Erasure): void {
    const { store, projection, recent } = this.ports;
    if (erasure.state === 'approved') store.destroy(erasure);
    store.dropContents();
    recent.clear();
    projection.drop(store.ledgerKeys(erasure.id));
  }

  async #announce(erasureId: string, ledgerKeys: readonly string[]): Promise<void> {
    const call = announcementOf(erasureId, 'erasure', ledgerKeys);
    await this.#unlessDone('erasure-exists', this.ports.ledger.submit(call));
    await this.#shown(ERASURE_SPACE, erasureId);
  }

  async #purge(erasureId: string, part: number, ledgerKeys: readonly string[]): Promise<void> {
    const entries = ledgerKeys.map(positionOf);
    const request: EraseVersions = { erasureId, part, entries, salt: randomBytes(32).toString('hex') };
    const transient = { request: Buffer.from(JSON.stringify(request)) };
    const call = { transaction: transactions.erase, transient, endorsers: [this.ports.mspId] };
    await this.#unlessDone('part-done', this.ports.ledger.submit(call));
    await this.#shown(PURGE_SPACE, `${erasureId}/${part}`);
  }

  async #unlessDone(code: string, submitted: Promise<unknown>): Promise<void> {
    try {
      await submitted;
    } catch (error) {
      if (!isRefusal(error, code)) throw error;
    }
  }

  /** Waits until the projection shows a fact. Throws when it does not come: the step is then gone through again. */
  async #shown(space: string, key: string): Promise<void> {
    const { projection } = this.ports;
    const end = Date.now() + SHOWN_MS;
    while (projection.fact(space, key) === undefined) {
      if (Date.now() > end || this.#stopped.signal.aborted) throw new Error('the step is not in the projection yet');
      await projection.reached(projection.block + 1, SHOWN_MS);
    }
  }

  async #certificate({ id, basis, asked, approved }: Erasure, ledgerKeys: readonly string[]): Promise<string> {
    const { member, channel, projection, signingKey, now } = this.ports;
    const announced = JSON.parse(projection.fact(ERASURE_SPACE, id) ?? '') as Announced;
    const purged = projection
      .facts(PURGE_SPACE, `${id}/`)
      .map(({ value }) => JSON.parse(value) as Purged)
      .sort((a, b) => a.record.part - b.record.part);
    if (approved === undefined) throw new Error('an erasure without approval is under way');
    const keyHashes = ledgerKeys.map(keyHashOf);
    return await signCertificate(
      {
        ...{ v: 1, kind: 'erasure', channel, member, erasureId: id, basis, asked, approved },
        announced: announced.txId,
        purged: purged.map(({ txId }) => txId),
        keyHashes,
        root: rootOf(keyHashes),
        completed: now(),
      },
      signingKey,
    );
  }
}

function positionOf(ledgerKey: string): { readonly key: string; readonly version: number } {
  const [key = '', version] = parseKey(ledgerKey)?.attributes ?? [];
  return { key, version: Number(version) };
}

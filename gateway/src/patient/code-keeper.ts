/**
 * Keeps the look-up codes of this member's patients on the ledger as their identifiers are: lists what is new, purges what
 * is over, and begins anew with each quarter's secret. Every step may be repeated: what is lost on the way is purged later.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { AnnounceErasure } from '@salus/chaincode/ehr/api';
import {
  lookupEntryKey,
  lookupSecretKey,
  MAX_LISTED,
  quarterBefore,
  quarterOf,
  transactions,
  type ListCodes,
  type ListedCodes,
  type PurgeCodes,
  type Quarter,
  type RetireSecret,
} from '@salus/chaincode/patient/api';

import { announcementOf } from '../erasure/announcement.js';
import type { JsonObject } from '../fhir/json.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Ledger, StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { codeOf, listedIdentifiers } from './codes.js';
import type { CodeSecrets } from './code-secrets.js';
import { CodeStore, type Listed } from './code-store.js';
import type { PatientLookup } from './lookup.js';

/** Longest pause between two looks, ms; a write wakes it sooner. */
const LOOK_EVERY_MS = 30_000;
/** Pause after a look that failed, and before one, so that writes shortly after each other are listed together, ms. */
const RETRY_MS = 2_000;
const GATHER_MS = 250;

/** What keeping the codes works with. */
export interface CodeKeeperPorts {
  readonly member: string;
  readonly gateway: string;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly keys: KeyStore;
  readonly secrets: CodeSecrets;
  readonly lookup: PatientLookup;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  /** Whether the projection shows a block, waiting for it a while. */
  readonly reached: (block: number) => Promise<boolean>;
  /** FHIR instant. */
  readonly now: () => string;
  readonly onFailure: (error: unknown) => void;
}

interface Wish extends Listed {
  readonly listed?: ListedCodes;
}

/** One gateway's keeping of its member's codes. */
export class CodeKeeper {
  readonly #store: CodeStore;
  #wake = Promise.withResolvers<undefined>();
  /** The block whose writes are to be looked at. */
  #block = -1;
  #retired: Quarter | undefined;

  constructor(private readonly ports: CodeKeeperPorts) {
    this.#store = new CodeStore(ports.keys);
  }

  /** Has patients looked at whose write begins: however it ends, they are. */
  mark(patients: readonly string[]): void {
    this.#store.mark(patients, this.#now);
  }

  /** Looks soon: their write is in this block. */
  soon(block: number): void {
    this.#block = Math.max(this.#block, block);
    this.#wake.resolve(undefined);
  }

  /** Looks again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#store.markAgain(this.#now);
    while (!signal.aborted) {
      const pause = await this.#look().then(
        () => LOOK_EVERY_MS,
        (error: unknown) => {
          this.ports.onFailure(error);
          return RETRY_MS;
        },
      );
      const woken = this.#wake.promise.then(() => delay(GATHER_MS, undefined, { signal, ref: false }));
      await Promise.race([woken, delay(pause, undefined, { signal, ref: false })]).catch(() => undefined);
      this.#wake = Promise.withResolvers();
    }
  }

  /** Purges what is listed of a patient whose record is erased; resolves when it is. Throws Refusal. */
  async unlist(patient: string): Promise<void> {
    this.mark([patient]);
    const entries = this.#store.end(patient);
    if (entries.length > 0) await this.#purge(entries, 'erasure');
  }

  async #look(): Promise<void> {
    const quarter = quarterOf(this.ports.now());
    if (!this.#store.takeTurn(this.ports.gateway, quarter, this.#now)) return;
    await this.ports.reached(this.#block);
    let due = this.#store.due('', MAX_LISTED);
    while (due.length > 0) {
      await this.#list(quarter, due);
      due = this.#store.due(due.at(-1) ?? '', MAX_LISTED);
    }
    for (let over = this.#over(); over.length > 0; over = this.#over()) await this.#purge(over, 'rotation');
    if (this.#retired !== quarter) await this.#retire(quarterBefore(quarter));
    this.#retired = quarter;
  }

  async #list(quarter: Quarter, due: readonly string[]): Promise<void> {
    const wishes: Wish[] = [];
    for (const patient of due) {
      const wish = await this.#wish(quarter, patient);
      if (wish !== undefined) wishes.push(wish);
    }
    const entries = wishes.flatMap(({ listed }) => listed ?? []);
    if (entries.length > 0) {
      this.#store.sent(
        wishes.filter(({ listed }) => listed !== undefined),
        this.#now,
      );
      const request = { quarter, entries, salt: random() } satisfies ListCodes;
      await this.#submit(transactions.listCodes, request);
    }
    this.#store.changed(wishes);
    this.#store.looked(due, this.#now);
  }

  /** What is to be listed of a patient instead of what is; undefined where nothing changes. */
  async #wish(quarter: Quarter, patient: string): Promise<Wish | undefined> {
    const { keys, member, secrets, lookup } = this.ports;
    const identifiers = this.#identifiers(patient);
    const before = this.#store.digest(patient);
    const pid = lookup.keeps(patient) ? lookup.pidOf(patient) : undefined;
    if (identifiers.length === 0 || pid === undefined) {
      return before === undefined ? undefined : { patient, digest: '' };
    }
    const secret = await secrets.ensure(quarter);
    const codes = [...new Set(identifiers.map((identifier) => codeOf(secret, member, identifier)))];
    const digest = keys.hmac('lookup', `codes\n${codes.join('\n')}`);
    if (digest === before) return undefined;
    const entryId = random();
    return { patient, digest, entryId, listed: { entryId, pid, codes } };
  }

  #identifiers(patient: string) {
    const stored = this.ports.current('Patient', patient);
    const isThere = stored !== undefined && !stored.deleted && !this.ports.keys.isErased(patient);
    return isThere ? listedIdentifiers(JSON.parse(outlineOf(stored)) as JsonObject) : [];
  }

  #over(): string[] {
    return this.#store.over(this.#now, MAX_LISTED);
  }

  async #purge(entries: readonly string[], reason: AnnounceErasure['reason']): Promise<void> {
    const erasureId = await this.#announce(
      entries.map((entry) => lookupEntryKey(this.ports.member, entry)),
      reason,
    );
    await this.#submit(transactions.purgeCodes, { erasureId, entries } satisfies PurgeCodes);
    this.#store.purged(entries);
  }

  /** Ends a quarter's secret, on the ledger and here; whichever hospital comes first does. */
  async #retire(quarter: Quarter): Promise<void> {
    const { secrets } = this.ports;
    secrets.forget(quarter);
    const isThere = (await secrets.find(quarter)) !== undefined;
    secrets.forget(quarter);
    if (!isThere) return;
    const erasureId = await this.#announce([lookupSecretKey(quarter)], 'rotation');
    await this.#submit(transactions.retireSecret, { erasureId, quarter } satisfies RetireSecret);
  }

  async #announce(keys: readonly string[], reason: AnnounceErasure['reason']): Promise<string> {
    const erasureId = random();
    await this.ports.ledger.submit(announcementOf(erasureId, reason, keys));
    return erasureId;
  }

  async #submit(transaction: string, request: object): Promise<void> {
    await this.ports.ledger.submit({ transaction, transient: { request: Buffer.from(JSON.stringify(request)) } });
  }

  get #now(): number {
    return Date.parse(this.ports.now());
  }
}

function random(): string {
  return randomBytes(32).toString('hex');
}

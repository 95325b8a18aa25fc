/** Keys this member registered for its patients, kept in its own store: what the ledger says of them is not believed. */
import { randomBytes } from 'node:crypto';

import { transactions, type KeyHolder, type RegisterKey } from '@salus/chaincode/patient/api';

import type { KeyStore } from '../keys/key-store.js';
import { isDeclined, isRefusal } from '../ledger/refusal.js';
import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../ports.js';
import type { PublicJwk } from '../settings.js';
import type { Facts } from './lookup.js';
import { keyOf, REGISTERED_SPACE, REVOKED_SPACE } from './project.js';

/** In `active`: revoked for good; in force; sent to the ledger, which did not answer yet. */
const [REVOKED, ACTIVE, SENT] = [0, 1, 2];

const SCHEMA = `
CREATE TABLE IF NOT EXISTS patient_signing_keys (
  pid TEXT NOT NULL, kid TEXT NOT NULL, jwk TEXT NOT NULL, holder TEXT NOT NULL, active INTEGER NOT NULL,
  PRIMARY KEY (pid, kid)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guardian_keys (
  pid TEXT NOT NULL, kid TEXT NOT NULL, patient TEXT NOT NULL, person TEXT NOT NULL,
  PRIMARY KEY (pid, kid)) STRICT, WITHOUT ROWID;
`;

/** Where a registration whose answer was lost is looked for. */
export interface Registered {
  readonly facts: Pick<Facts, 'fact'>;
  readonly member: string;
}

/** Whose key a guardian's is: FHIR ids of the patient and of the RelatedPerson. */
export interface GuardianKey {
  readonly pid: string;
  readonly patient: string;
  readonly person: string;
  readonly jwk: PublicJwk;
}

/** Whose a key is to be, and until when (FHIR instant) where it has an end. */
export interface KeyOwner {
  readonly holder: KeyHolder;
  readonly guardian?: Pick<GuardianKey, 'patient' | 'person'>;
  readonly until?: string | undefined;
}

/** The registered keys, in keys.db. */
export class PatientKeys {
  constructor(
    private readonly store: KeyStore,
    private readonly ledger: Pick<Ledger, 'submit'>,
    private readonly registrations: Registered,
  ) {
    store.database.exec(SCHEMA);
  }

  /** The public key, if this member registered it for the patient and did not revoke it. */
  active(pid: string, kid: string): PublicJwk | undefined {
    this.#settle(pid);
    const row = this.store.database
      .prepare('SELECT jwk FROM patient_signing_keys WHERE pid = ? AND kid = ? AND active = ?')
      .get(pid, kid, ACTIVE);
    return row === undefined ? undefined : (JSON.parse(row.jwk as string) as PublicJwk);
  }

  /**
   * The public key, if this member registered it for the patient; `revoked` where it did so for what comes later: what
   * the ledger's order puts before the revocation stays signed.
   */
  registered(pid: string, kid: string): { readonly jwk: PublicJwk; readonly revoked: boolean } | undefined {
    this.#settle(pid);
    const row = this.store.database
      .prepare('SELECT jwk, active FROM patient_signing_keys WHERE pid = ? AND kid = ? AND active <> ?')
      .get(pid, kid, SENT);
    return row && { jwk: JSON.parse(row.jwk as string) as PublicJwk, revoked: row.active === REVOKED };
  }

  /** The public key in this member's wallet that signs for the patient; undefined where the patient has an own one. */
  custodial(pid: string): PublicJwk | undefined {
    this.#settle(pid);
    const row = this.store.database
      .prepare("SELECT jwk FROM patient_signing_keys WHERE pid = ? AND holder = 'custodian' AND active = ?")
      .get(pid, ACTIVE);
    return row === undefined ? undefined : (JSON.parse(row.jwk as string) as PublicJwk);
  }

  /** Keeps the wallet's key of a patient whose registration carries it: nothing is signed with it before that is there. */
  keepCustodial(pid: string, jwk: PublicJwk): void {
    this.store.database
      .prepare("INSERT OR IGNORE INTO patient_signing_keys VALUES (?, ?, ?, 'custodian', ?)")
      .run(pid, jwk.kid, JSON.stringify(jwk), ACTIVE);
  }

  /**
   * Registers a key in `care`, and then here: it counts once the ledger took it. Again with the same key changes
   * nothing. The patient's own one replaces the wallet's. `actor` is staff of this member. Throws `key-exists` where another key has this kid.
   */
  async register(actor: Actor, pid: string, jwk: PublicJwk, owner: KeyOwner): Promise<Commit | undefined> {
    const { holder, guardian, until } = owner;
    const wasSent = this.#send(pid, jwk, holder);
    if (guardian !== undefined) {
      this.store.database
        .prepare('INSERT OR REPLACE INTO guardian_keys VALUES (?, ?, ?, ?)')
        .run(pid, jwk.kid, guardian.patient, guardian.person);
    }
    const replaced = holder === 'patient' ? this.custodial(pid)?.kid : undefined;
    const replaces = replaced === undefined ? {} : { replaces: replaced };
    const salt = randomBytes(32).toString('hex');
    const request: RegisterKey = { pid, jwk, holder, state: 'active', until, ...replaces, salt };
    const commit = await this.#submit(actor, request).catch((error: unknown) => {
      if (isRefusal(error, 'key-exists') && wasSent) return undefined;
      if (isDeclined(error) && !wasSent) this.#unsend(pid, jwk.kid);
      throw error;
    });
    this.store.database
      .prepare(
        'UPDATE patient_signing_keys SET jwk = ?, holder = ?, active = ? WHERE pid = ? AND kid = ? AND active = ?',
      )
      .run(JSON.stringify(jwk), holder, ACTIVE, pid, jwk.kid, SENT);
    if (replaced !== undefined) this.#end(pid, replaced);
    return commit;
  }

  /** Revokes a key here at once, then in `care`. Throws Refusal. */
  async revoke(actor: Actor, pid: string, jwk: PublicJwk, holder: KeyHolder): Promise<Commit> {
    this.#end(pid, jwk.kid);
    return await this.#submit(actor, { pid, jwk, holder, state: 'revoked', salt: randomBytes(32).toString('hex') });
  }

  /** Keys of guardians that count. */
  ofGuardians(): readonly GuardianKey[] {
    const rows = this.store.database
      .prepare(
        `SELECT g.pid, g.patient, g.person, k.jwk FROM guardian_keys g
           JOIN patient_signing_keys k ON k.pid = g.pid AND k.kid = g.kid WHERE k.active = ?`,
      )
      .all(ACTIVE);
    return rows.map(({ jwk, ...rest }) => ({
      ...(rest as unknown as GuardianKey),
      jwk: JSON.parse(jwk as string) as PublicJwk,
    }));
  }

  /** Revokes a guardian's key in `care`, and then here: until the ledger has it, it is tried again. Throws Refusal. */
  async endGuardian(pid: string, jwk: PublicJwk): Promise<void> {
    await this.#endByGateway(pid, jwk, 'guardian');
  }

  /**
   * The same for every key that signs for a patient, whosever it is, the wallet's too, or would once the ledger takes a
   * registration that it did not answer. Throws Refusal.
   */
  async endAll(pid: string): Promise<void> {
    const rows = this.store.database
      .prepare('SELECT jwk, holder FROM patient_signing_keys WHERE pid = ? AND active <> ?')
      .all(pid, REVOKED);
    for (const { jwk, holder } of rows) {
      await this.#endByGateway(pid, JSON.parse(jwk as string) as PublicJwk, holder as KeyHolder);
    }
  }

  async #endByGateway(pid: string, jwk: PublicJwk, holder: KeyHolder): Promise<void> {
    const salt = randomBytes(32).toString('hex');
    // What was sent and not answered may come to the ledger yet: revoked before, it is refused there.
    const request: RegisterKey = { pid, jwk, holder, state: 'revoked', evenUnknown: true, salt };
    await this.#submit(GATEWAY_ACTOR, request).catch((error: unknown) => {
      if (!isRefusal(error, 'key-revoked')) throw error;
    });
    this.#end(pid, jwk.kid);
  }

  #end(pid: string, kid: string): void {
    this.store.database
      .prepare('UPDATE patient_signing_keys SET active = ? WHERE pid = ? AND kid = ?')
      .run(REVOKED, pid, kid);
  }

  /** Keeps a key before it is sent; true when this very key was kept before and not revoked: the ledger may have it. */
  #send(pid: string, jwk: PublicJwk, holder: KeyHolder): boolean {
    const { database } = this.store;
    const text = JSON.stringify(jwk);
    const row = database
      .prepare('SELECT jwk, active FROM patient_signing_keys WHERE pid = ? AND kid = ?')
      .get(pid, jwk.kid);
    if (row !== undefined) return row.jwk === text && row.active !== REVOKED;
    database.prepare('INSERT INTO patient_signing_keys VALUES (?, ?, ?, ?, ?)').run(pid, jwk.kid, text, holder, SENT);
    return false;
  }

  /** A key that the ledger refused is kept no more. */
  #unsend(pid: string, kid: string): void {
    this.store.database
      .prepare('DELETE FROM patient_signing_keys WHERE pid = ? AND kid = ? AND active = ?')
      .run(pid, kid, SENT);
  }

  /**
   * Takes for registered what was sent without an answer and this member's own transaction brought to the ledger: the
   * key is the one kept here, the ledger says only that it took it.
   */
  #settle(pid: string): void {
    const { database } = this.store;
    const sent = database.prepare('SELECT kid, jwk FROM patient_signing_keys WHERE pid = ? AND active = ?');
    const taken = sent.all(pid, SENT).filter(({ kid, jwk }) => this.#isTaken(pid, kid as string, jwk as string));
    if (taken.length === 0) return;
    const activate = database.prepare('UPDATE patient_signing_keys SET active = ? WHERE pid = ? AND kid = ?');
    for (const { kid } of taken) activate.run(ACTIVE, pid, kid as string);
    const wallets = database.prepare(
      "SELECT kid FROM patient_signing_keys WHERE pid = ? AND holder = 'custodian' AND active = ?",
    );
    for (const { kid } of wallets.all(pid, ACTIVE)) {
      if (this.#fact(REVOKED_SPACE, pid, kid as string) !== undefined) this.#end(pid, kid as string);
    }
  }

  #isTaken(pid: string, kid: string, kept: string): boolean {
    const fact = this.#fact(REGISTERED_SPACE, pid, kid);
    if (fact === undefined) return false;
    const [known, taken] = [JSON.parse(kept) as PublicJwk, JSON.parse(fact) as Pick<PublicJwk, 'x' | 'y'>];
    return known.x === taken.x && known.y === taken.y;
  }

  #fact(space: string, pid: string, kid: string): string | undefined {
    const { facts, member } = this.registrations;
    return facts.fact(space, keyOf(pid, member, kid));
  }

  async #submit(actor: Parameters<typeof actorBytes>[0], request: RegisterKey): Promise<Commit> {
    const transient = { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(actor) };
    return await this.ledger.submit({ transaction: transactions.key, transient });
  }
}

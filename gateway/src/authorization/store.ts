/**
 * What the development authorization server remembers, in `sign-in.db` beside the keys: sign-ins under way, codes,
 * tokens, grants. Shared by the member's gateways. Ids are secrets that open something, so their hashes are kept and
 * the rest is sealed.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';

import { openDatabase } from '../keys/database.js';
import type { Seal } from '../keys/sealing.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS remembered (
  key TEXT PRIMARY KEY, model TEXT NOT NULL, grant_key TEXT, uid_key TEXT, consumed INTEGER,
  expires INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS remembered_by_grant ON remembered (grant_key) WHERE grant_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS remembered_by_uid ON remembered (uid_key) WHERE uid_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS remembered_by_end ON remembered (expires);
CREATE INDEX IF NOT EXISTS remembered_by_model ON remembered (model, expires);
`;

/** Sign-ins that may be under way at once, since anybody may begin one; beyond, the oldest is forgotten. */
export const OPEN_SIGN_INS_LIMIT = 1_000;
/** What has no end of its own is kept so long, seconds. */
const NO_END_S = 10 * 365 * 86_400;

/** One database for all that is remembered. */
export class SignInStore {
  readonly #database: DatabaseSync;

  constructor(
    dataDir: string,
    private readonly seal: Seal,
  ) {
    this.#database = openDatabase(join(dataDir, 'sign-in.db'), SCHEMA);
  }

  /** Remembers something for so many seconds. */
  keep(model: string, id: string, payload: AdapterPayload, seconds: number = NO_END_S): void {
    const now = secondsNow();
    this.#database.prepare('DELETE FROM remembered WHERE expires <= ?').run(now);
    if (model === 'Interaction') this.#makeRoom();
    const key = keyOf(model, id);
    const sealed = this.seal.seal(Buffer.from(JSON.stringify(payload)), key);
    const { grantId, uid } = payload;
    const consumed: unknown = payload.consumed;
    this.#database
      .prepare('INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(
        key,
        model,
        grantId === undefined ? null : keyOf('grantId', grantId),
        uid === undefined ? null : keyOf(`${model}/uid`, uid),
        typeof consumed === 'number' ? consumed : null,
        now + seconds,
        sealed,
      );
  }

  find(model: string, id: string): AdapterPayload | undefined {
    return this.#opened('SELECT * FROM remembered WHERE key = ? AND expires > ?', keyOf(model, id));
  }

  has(model: string, id: string): boolean {
    const found = this.#database.prepare('SELECT 1 FROM remembered WHERE key = ? AND expires > ?');
    return found.get(keyOf(model, id), secondsNow()) !== undefined;
  }

  findByUid(model: string, uid: string): AdapterPayload | undefined {
    return this.#opened('SELECT * FROM remembered WHERE uid_key = ? AND expires > ?', keyOf(`${model}/uid`, uid));
  }

  /** Marks it as used; false when it was used before, or is gone. */
  consume(model: string, id: string): boolean {
    const mark = this.#database.prepare('UPDATE remembered SET consumed = ? WHERE key = ? AND consumed IS NULL');
    return mark.run(secondsNow(), keyOf(model, id)).changes === 1;
  }

  /** Takes it out; undefined when it is not there (any more). */
  take(model: string, id: string): AdapterPayload | undefined {
    const found = this.find(model, id);
    return this.forget(model, id) ? found : undefined;
  }

  /** Whether it was there to forget. */
  forget(model: string, id: string): boolean {
    return this.#database.prepare('DELETE FROM remembered WHERE key = ?').run(keyOf(model, id)).changes === 1;
  }

  /** Forgets all that was issued under a grant. */
  forgetGranted(grantId: string): void {
    this.#database.prepare('DELETE FROM remembered WHERE grant_key = ?').run(keyOf('grantId', grantId));
  }

  /** What oidc-provider keeps its models of one name with. */
  adapter(model: string): Adapter {
    return {
      upsert: (id, payload, seconds) =>
        done(() => {
          this.keep(model, id, payload, seconds || undefined);
        }),
      find: (id) => done(() => this.find(model, id)),
      findByUid: (uid) => done(() => this.findByUid(model, uid)),
      findByUserCode: () => Promise.resolve(undefined),
      // Of two at the same moment one comes too late.
      consume: (id) =>
        done(() => {
          if (!this.consume(model, id)) throw new errors.InvalidGrant('already consumed');
        }),
      destroy: (id) => done(() => void this.forget(model, id)),
      revokeByGrantId: (grantId) =>
        done(() => {
          this.forgetGranted(grantId);
        }),
    };
  }

  close(): void {
    this.#database.close();
  }

  #opened(query: string, key: string): AdapterPayload | undefined {
    const row = this.#database.prepare(query).get(key, secondsNow());
    if (row === undefined) return undefined;
    const payload = JSON.parse(
      this.seal.open(row.sealed as Uint8Array, row.key as string).toString(),
    ) as AdapterPayload;
    return typeof row.consumed === 'number' ? { ...payload, consumed: row.consumed } : payload;
  }

  #makeRoom(): void {
    this.#database
      .prepare(
        `DELETE FROM remembered WHERE key IN (SELECT key FROM remembered WHERE model = 'Interaction'
         ORDER BY expires DESC LIMIT -1 OFFSET ?)`,
      )
      .run(OPEN_SIGN_INS_LIMIT - 1);
  }
}

async function done<T>(work: () => T): Promise<T> {
  return await Promise.resolve().then(work);
}

function keyOf(model: string, id: string): string {
  return hash('sha256', `${model}\n${id}`, 'hex');
}

/** Seconds since 1970, by the clock that oidc-provider reads. */
function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}

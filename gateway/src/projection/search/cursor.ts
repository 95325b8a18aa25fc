/** Cursors: where a page ended or began, sealed, because sort values such as names must not stand in URLs. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

import { Refusal } from '../../ledger/refusal.js';
import type { Statements } from '../statements.js';

/** Sort values of a row and its rid. */
export type Position = readonly (string | number)[];

/** Where a page starts: behind a position, or, going back, in front of it. */
export interface Place {
  readonly position: Position;
  readonly isBack: boolean;
}

const NONCE = 12;
const TAG = 16;

/** Seals and opens cursors under a key that lies in the projection. */
export class Cursors {
  // Kept as a key object: a cipher made from bytes spends most of its time on making one.
  private readonly key: KeyObject;

  /** The key lives in the projection, so that pages go on after a restart. */
  constructor(statements: Statements) {
    statements.run('INSERT OR IGNORE INTO secret VALUES (1, ?)', randomBytes(32));
    this.key = createSecretKey(statements.get('SELECT key FROM secret')?.key as Uint8Array);
  }

  seal({ position, isBack }: Place): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    const sealed = cipher.update(JSON.stringify(isBack ? { back: position } : position), 'utf8');
    return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** Throws Refusal for what this gateway did not give. */
  open(cursor: string): Place {
    try {
      const bytes = Buffer.from(cursor, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, NONCE));
      decipher.setAuthTag(bytes.subarray(-TAG));
      const text = decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
      const place = JSON.parse(text) as Position | { readonly back: Position };
      return 'back' in place ? { position: place.back, isBack: true } : { position: place, isBack: false };
    } catch (error) {
      throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start the search again', {
        cause: error,
      });
    }
  }
}

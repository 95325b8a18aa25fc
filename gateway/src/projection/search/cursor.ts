/** Cursors: where a page ended, sealed, because sort values such as names must not stand in URLs. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

import { Refusal } from '../../ledger/refusal.js';
import type { Statements } from '../statements.js';

/** Sort values of the last row and its rid. */
export type Position = readonly (string | number)[];

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

  seal(position: Position): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    const sealed = cipher.update(JSON.stringify(position), 'utf8');
    return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** Throws Refusal for what this gateway did not give. */
  open(cursor: string): Position {
    try {
      const bytes = Buffer.from(cursor, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, NONCE));
      decipher.setAuthTag(bytes.subarray(-TAG));
      const text = decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
      return JSON.parse(text) as Position;
    } catch (error) {
      throw new Refusal('invalid', 'bad-cursor', 'this page is not known here: start the search again', {
        cause: error,
      });
    }
  }
}

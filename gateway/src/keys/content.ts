/** Encrypts the content of one version: AES-256-GCM under a key that is used once, so the nonce is 0. */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes, timingSafeEqual } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;
const NONCE_ZERO = Buffer.alloc(12);
/** Bytes of a version key and of a salt. */
export const SECRET_BYTES = 32;

/** What the ledger keeps of a version's content. */
export interface SealedContent {
  /** Base64url, the authentication tag at its end. */
  readonly ciphertext: string;
  /** Hex SHA-256 over version key, then plaintext: binds the member to the content without showing it. */
  readonly commitment: string;
  /** Hex, 256 random bits: without it nobody can test a guess against the value's public hash. */
  readonly salt: string;
}

/** Fresh version keys and salts for `count` versions, from one call to the system's randomness. */
export function freshSecrets(count: number): { readonly key: Buffer; readonly salt: Buffer }[] {
  const bytes = randomBytes(2 * SECRET_BYTES * count);
  return Array.from({ length: count }, (_, index) => {
    const start = 2 * SECRET_BYTES * index;
    return {
      key: bytes.subarray(start, start + SECRET_BYTES),
      salt: bytes.subarray(start + SECRET_BYTES, start + 2 * SECRET_BYTES),
    };
  });
}

/** Encrypts; the same key, salt and plaintext give the same bytes, by which a reader checks what it was given. */
export function sealContent(plaintext: string, key: Uint8Array, salt: Uint8Array): SealedContent {
  const content = Buffer.from(plaintext);
  const ciphertext = encrypt(content, key).toString('base64url');
  return { ciphertext, commitment: commitment(key, content), salt: Buffer.from(salt).toString('hex') };
}

/** Decrypts. Throws when the key is not the version's, or the commitment is not to this content. */
export function openContent(sealed: SealedContent, key: Uint8Array): string {
  const content = decrypt(Buffer.from(sealed.ciphertext, 'base64url'), key);
  const expected = Buffer.from(commitment(key, content));
  const given = Buffer.from(sealed.commitment);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Error('the commitment is not to this content');
  }
  return content.toString('utf8');
}

/** Encrypts under a key that is used for nothing else; the authentication tag at the end. */
export function encrypt(content: Uint8Array, key: Uint8Array): Buffer {
  // A cipher made from bytes spends most of its time on making one.
  const cipher = createCipheriv(ALGORITHM, createSecretKey(key), NONCE_ZERO);
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** The inverse. Throws when the key is another one, or the bytes were changed. */
export function decrypt(bytes: Uint8Array, key: Uint8Array): Buffer {
  const decipher = createDecipheriv(ALGORITHM, createSecretKey(key), NONCE_ZERO);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
}

function commitment(key: Uint8Array, content: Uint8Array): string {
  return hash('sha256', Buffer.concat([key, content]), 'hex');
}

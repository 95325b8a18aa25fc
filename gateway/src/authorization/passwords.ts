/** Passwords of the development authorization server, kept as scrypt hashes (RFC 7914). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt) as (password: string, salt: Buffer, bytes: number) => Promise<Buffer>;
const BYTES = 32;
/** Longest password looked at, characters. */
export const MAX_PASSWORD_CHARACTERS = 256;

/** What is kept of a password. */
export async function hashed(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('base64url')}.${(await derive(password, salt, BYTES)).toString('base64url')}`;
}

/** Of no password: comparing with it costs what comparing with a real one does. */
const NOBODYS = `${Buffer.alloc(16).toString('base64url')}.${Buffer.alloc(BYTES).toString('base64url')}`;

/** Whether it is the password; for somebody unknown (undefined) it takes as long. */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  if (password.length > MAX_PASSWORD_CHARACTERS) return false;
  const [salt = '', hash = ''] = (kept ?? NOBODYS).split('.');
  const derived = await derive(password, Buffer.from(salt, 'base64url'), BYTES);
  const expected = Buffer.from(hash, 'base64url');
  return expected.length === BYTES && timingSafeEqual(derived, expected) && kept !== undefined;
}

/** A new password that nobody guesses. */
export function newPassword(): string {
  return randomBytes(12).toString('base64url');
}

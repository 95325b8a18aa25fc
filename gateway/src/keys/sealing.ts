/**
 * Seals a member's secrets at rest: AES-256-GCM under a master key that lies in a file only its owner may read, or that a
 * PKCS#11 token or a KMS unwraps.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { commandedMaster, MASTER_BYTES } from './master-command.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OWNER_ONLY = 0o600;
const GROUP_AND_OTHERS = 0o077;

/** What seals and opens secrets: a key file here, a KMS or a PKCS#11 token elsewhere. */
export interface Seal {
  /** `use` names what the secret is for; a sealed secret opens for the same use only. */
  seal(secret: Uint8Array, use: string): Buffer;
  /** Throws when the master key is not the one it was sealed with, or the bytes were changed. */
  open(sealed: Uint8Array, use: string): Buffer;
}

/** A member's seal, by what its folder of data says: the command in `master.json`, else the file `master.key`. */
export function memberSeal(folder: string): Seal {
  const master = commandedMaster(folder);
  return master === undefined ? fileSeal(join(folder, 'master.key')) : sealUnder(master);
}

/** A seal whose master key is in `file`; made with mode 0600 when there is none. Throws when others may read it. */
export function fileSeal(file: string): Seal {
  return sealUnder(readOrMake(file));
}

function sealUnder(masterBytes: Buffer): Seal {
  // Made ready once: from bytes, each use would find out anew that they are no key object.
  const master = createSecretKey(masterBytes);
  return {
    seal(secret, use) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', master, nonce);
      cipher.setAAD(Buffer.from(use));
      return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, use) {
      const decipher = createDecipheriv('aes-256-gcm', master, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(use));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    },
  };
}

function readOrMake(file: string): Buffer {
  const found = readMaster(file);
  if (found !== undefined) return found;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  makeMaster(file);
  const made = readMaster(file);
  if (made === undefined) throw new Error(`${file} could not be made`);
  return made;
}

/** Written whole beside its place and linked there, so that of two starters one wins and none reads half a key. */
function makeMaster(file: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = openSync(draft, 'wx', OWNER_ONLY);
  writeSync(handle, randomBytes(MASTER_BYTES));
  fsyncSync(handle);
  closeSync(handle);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  unlinkSync(draft);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function readMaster(file: string): Buffer | undefined {
  let master: Buffer;
  try {
    master = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if ((statSync(file).mode & GROUP_AND_OTHERS) !== 0) throw new Error(`${file} may be read by others: chmod 600 it`);
  if (master.length !== MASTER_BYTES) throw new Error(`${file} is not a master key of ${MASTER_BYTES} bytes`);
  return master;
}

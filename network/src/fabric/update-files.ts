/** A change of the channel on its way from member to member, as files: the update, and one for each signature under it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { CommandError } from '../command.js';
import { writePublic } from '../identity/files.js';
import { layout } from '../identity/layout.js';

const UPDATE_FILE = 'update.pb';
const SIGNATURES = 'signatures';

/** Writes an update for members to sign; what they signed of an earlier one there counts no more. */
export function writeUpdate(folder: string, update: common.ConfigUpdate): void {
  rmSync(join(folder, SIGNATURES), { recursive: true, force: true });
  mkdirSync(join(folder, SIGNATURES), { recursive: true });
  writePublic(join(folder, UPDATE_FILE), update.serializeBinary());
}

/** The update that members sign. Throws a CommandError where there is none. */
export function readUpdate(folder: string): Buffer {
  const file = join(folder, UPDATE_FILE);
  if (!existsSync(file)) throw new CommandError(`${folder} holds no ${UPDATE_FILE}: is it a proposed change?`, 2);
  return readFileSync(file);
}

/** The signatures that members have added so far. */
export function readSignatures(folder: string): common.ConfigSignature[] {
  const signatures = join(folder, SIGNATURES);
  return readdirSync(signatures).map((name) =>
    common.ConfigSignature.deserializeBinary(readFileSync(join(signatures, name))),
  );
}

/** Adds a member's signatures: its administrator's, and its orderer's administrator's where it has one. */
export function writeSignatures(folder: string, member: string, signatures: readonly common.ConfigSignature[]): void {
  for (const [index, signature] of signatures.entries()) {
    const name = index === 0 ? member : `${member}-orderer`;
    writePublic(join(folder, SIGNATURES, `${name}.pb`), signature.serializeBinary());
  }
}

/** Remembers what was countersigned from this state folder: the signatures cover the update alone, and more travels with it. */
export function rememberCountersigned(stateDir: string, folder: string): void {
  const known = { ...readCountersigned(stateDir), [digest(readUpdate(folder))]: contentOf(folder) };
  writePublic(layout.countersigned(stateDir), `${JSON.stringify(known, null, 2)}\n`);
}

/** Throws a CommandError where a change was countersigned here, and what travels with it is no longer what it was then. */
export function requireAsCountersigned(stateDir: string, folder: string): void {
  const then = readCountersigned(stateDir)[digest(readUpdate(folder))];
  if (then === undefined || then === contentOf(folder)) return;
  throw new CommandError(`${folder} is not what was countersigned here: somebody changed what comes with the update`);
}

function readCountersigned(stateDir: string): Record<string, string> {
  const file = layout.countersigned(stateDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}

/** All of a proposed change but its signatures, which more and more are added to. */
function contentOf(folder: string): string {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((name) => !name.startsWith(`${SIGNATURES}/`))
    .sort();
  return digest(Buffer.from(JSON.stringify(names.map((name) => [name, digest(readFileSync(join(folder, name)))]))));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

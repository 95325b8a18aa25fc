/** Backup and restore of what lies in a state folder: of one member on its way back, or of a whole machine. */
import { constants, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CommandError } from './command.js';
import { copyPublic, emptyFolder, rewritePaths } from './fabric/export.js';
import { writePublic } from './identity/files.js';
import { layout } from './identity/layout.js';
import { markLogLost } from './lost-log.js';
import { exportedMember, isExported, markExported, readNetwork } from './prepare.js';
import type { Topology } from './topology/model.js';

/** Key stores alone; everything but them; everything. An old backup opens what was erased since with its old keys alone. */
export type BackupPart = 'keys' | 'without-keys' | 'all';

/** What a backup says of itself, in its own `backup.json`. */
export interface BackupFile {
  /** Whose it is; absent = of everything in the state folder. */
  readonly member?: string;
  /** Absent = all. */
  readonly part?: BackupPart;
  /** The state folder it was taken from: settings name their files by absolute paths. */
  readonly stateDir: string;
  /** RFC 3339. */
  readonly takenAt: string;
}

/** Of the running processes and of this machine: nothing that a restored folder may begin with. */
const PASSING = new Set([
  'run.json',
  'fabric.json',
  'follower.json',
  'fabric-ca.json',
  'fabric-ca-joining.json',
  'halted.json',
  'halted.lock',
  'log',
]);
const fileOf = (folder: string): string => join(folder, 'backup.json');
/** Below the state folder: what opens a member's content, and what it is sealed by. */
const KEY_FILE = /^members\/[^/]+\/data\/(keys\.db(-wal|-shm)?|master\.(key|json|wrapped))$/;
/**
 * Of a member's data all that a backup without keys takes, since anything else may be a key or content in clear: what is
 * sealed (outbox, sign-ins, what lies beside the ledger), who may sign in, and the log of reads, which nothing else could
 * bring back.
 */
const SEALED_FILE = /^((outbox|readlog)-[^/]*|sign-in)\.db(-wal|-shm)?$|^sign-in\.json$|^content(\/|$)/;
const DATA_FILE = /^members\/[^/]+\/data\/(.+)$/;
const KEY_FOLDER = /^(members(\/[^/]+(\/data)?)?)?$/;
/** A backup of key stores while it is written: until it is whole it has another name than the finished ones. */
const UNFINISHED = '.unfinished';
/** Below a folder that a backup without keys came back to: of when that is. */
const RESTORED = 'restored.json';

/**
 * Copies what a member needs to come back: keys, certificates, its peers' ledgers with the private values and its
 * gateways' databases. An orderer's log is left out: with an old one it would have forgotten what it voted for. Without
 * a member, everything is copied. Whoever writes these files must stand still meanwhile. Throws a CommandError for a
 * target that holds something already.
 */
export function backUp(
  stateDir: string,
  target: string,
  member?: string,
  part: Exclude<BackupPart, 'keys'> = 'all',
): void {
  const from = resolve(stateDir);
  if (member !== undefined) requireMember(from, member);
  requireOutside(from, target);
  const to = emptyFolder(target);
  const whose = ownerOf(from, member);
  const takenAt = new Date().toISOString();
  const isWanted = (path: string): boolean =>
    !isLogOf(whose, relative(from, path)) && (part === 'all' || isSealed(relative(from, path)));
  const about = { ...(member !== undefined && { member }), ...(part !== 'all' && { part }), stateDir: from, takenAt };
  wholeOrNothing(to, () => {
    if (member === undefined) copyAll(from, to, isWanted);
    else copyMember(from, to, member, isWanted);
    writeAbout(to, about);
  });
}

/**
 * Copies the key stores, of a member or of all, into a folder of their own below `folder`; returns its path. It has that
 * name once it is whole, and what an interrupted one left is deleted: no keys lie where nothing counts them.
 */
export function backUpKeys(stateDir: string, folder: string, member?: string): string {
  const from = resolve(stateDir);
  if (member !== undefined) requireMember(from, member);
  requireOutside(from, folder);
  const whose = ownerOf(from, member);
  const takenAt = new Date().toISOString();
  const to = join(resolve(folder), [takenAt.replaceAll(':', '-'), ...(whose === undefined ? [] : [whose])].join('.'));
  for (const each of unfinishedOf(folder, whose)) rmSync(each, { recursive: true });
  if (existsSync(to)) throw new CommandError(`${to} is there already: repeat`);
  const draft = emptyFolder(`${to}${UNFINISHED}`);
  wholeOrNothing(draft, () => {
    copyKeys(from, draft, member);
    writeAbout(draft, { ...(whose !== undefined && { member: whose }), part: 'keys', stateDir: from, takenAt });
    renameSync(draft, to);
  });
  return to;
}

/** No part of a backup is left where it could not be finished: keys that nobody knows of. Throws a CommandError then. */
function wholeOrNothing(folder: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new CommandError(`the backup failed, and nothing of it is left: ${(error as Error).message}`);
  }
}

/** Deletes all but the newest backups of key stores below a folder, the member's or those of all; returns how many. */
export function keepNewest(stateDir: string, folder: string, count: number, member?: string): number {
  const whose = ownerOf(resolve(stateDir), member);
  const taken = readdirSync(folder)
    .filter((name) => !name.endsWith(UNFINISHED))
    .map((name) => join(folder, name))
    .filter((each) => existsSync(fileOf(each)))
    .map((each) => ({ each, ...readBackup(each) }))
    .filter((about) => about.part === 'keys' && about.member === whose)
    .sort((one, other) => other.takenAt.localeCompare(one.takenAt));
  const old = taken.slice(count);
  for (const { each } of old) rmSync(each, { recursive: true });
  return old.length;
}

/**
 * Puts a backup back. A member's goes into a state folder that has lost the member's part, or into an empty one, which is
 * then that member's own; one of everything goes into an empty one. Nothing may run there. Returns what the backup says
 * of itself; throws a CommandError where something would be overwritten.
 */
export function restore(stateDir: string, folder: string): BackupFile {
  const from = resolve(folder);
  const to = resolve(stateDir);
  const about = readBackup(from);
  if (about.part === 'keys') return restoreKeys(from, to, about);
  for (const place of placesOf(from, about)) {
    if (existsSync(join(to, place)) && readdirSync(join(to, place)).length > 0) {
      throw new CommandError(`${join(to, place)} is still there: move it away, then repeat`);
    }
  }
  const alone = !existsSync(layout.network(to));
  const whose = ownerOf(from, about.member);
  // Before anything is there that could be started.
  markOrderer(to, whose, about, readNetwork(alone ? from : to).topology);
  copyTree(from, to, (path) => {
    const place = relative(from, path);
    return path !== fileOf(from) && !isLogOf(whose, place) && (alone || belongs(place, about));
  });
  if (alone && about.member !== undefined) markExported(to, about.member);
  rewritePaths(to, about.stateDir);
  if (about.part === 'without-keys') {
    const { takenAt } = about;
    writePublic(restoredFile(to, about.member), `${JSON.stringify({ takenAt })}\n`);
  }
  return about;
}

/** Into folders that are there and hold no keys: after a backup without keys, or where a key store was lost alone. */
function restoreKeys(from: string, to: string, about: BackupFile): BackupFile {
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((path) => KEY_FILE.test(path));
  for (const file of files) {
    if (existsSync(join(to, file)))
      throw new CommandError(`${join(to, file)} is still there: move it away, then repeat`);
    if (!existsSync(dirname(join(to, file)))) {
      throw new CommandError(`there is no ${dirname(join(to, file))}: restore the rest first`);
    }
  }
  requireNotOlder(to, files, about);
  for (const file of files) cpSync(join(from, file), join(to, file), { preserveTimestamps: true });
  return about;
}

/** Older keys would open what was erased before the rest was backed up, and not what was written. */
function requireNotOlder(to: string, files: readonly string[], { takenAt }: BackupFile): void {
  const members = new Set(files.map((file) => file.split('/')[1] ?? ''));
  for (const file of [restoredFile(to), ...[...members].map((member) => restoredFile(to, member))]) {
    const rest = existsSync(file) ? parsed(file)?.takenAt : undefined;
    if (rest === undefined || rest <= takenAt) continue;
    throw new CommandError(
      `these keys are of ${takenAt}, older than the rest, of ${rest}: restore newer ones; where there are none, delete ${file} and repeat`,
    );
  }
}

function restoredFile(stateDir: string, member?: string): string {
  return join(member === undefined ? stateDir : layout.member(stateDir, member), RESTORED);
}

/** Whose key stores a backup has: a folder of one member alone has no others'. */
function ownerOf(stateDir: string, member: string | undefined): string | undefined {
  return member ?? (isExported(stateDir) ? exportedMember(stateDir) : undefined);
}

/** What interrupted backups left, of the same key stores: another member's may be under way. */
function unfinishedOf(folder: string, whose: string | undefined): string[] {
  if (!existsSync(folder)) return [];
  const end = `Z${whose === undefined ? '' : `.${whose}`}${UNFINISHED}`;
  return readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));
}

function requireOutside(from: string, target: string): void {
  if (!`${resolve(target)}/`.startsWith(`${from}/`)) return;
  throw new CommandError(`${resolve(target)} lies in ${from}: keep backups elsewhere`);
}

/** Whether a path below the state folder is the log of a member's orderer: an old one has forgotten what it voted for. */
function isLogOf(member: string | undefined, path: string): boolean {
  return member !== undefined && path === layout.ordererLog(layout.orderer('', member));
}

/** No member's backup holds its orderer's log; one of a whole machine's, all of whose orderers stood still, does. */
function markOrderer(to: string, whose: string | undefined, { takenAt }: BackupFile, { members }: Topology): void {
  if (whose === undefined || !members.some(({ name, orderer }) => name === whose && orderer)) return;
  markLogLost(to, whose, `the folder was restored from a backup of ${takenAt}`);
}

function isSealed(path: string): boolean {
  const name = DATA_FILE.exec(path)?.[1];
  return name === undefined || SEALED_FILE.test(name);
}

function writeAbout(folder: string, about: BackupFile): void {
  writePublic(fileOf(folder), `${JSON.stringify(about)}\n`);
}

function readBackup(folder: string): BackupFile {
  const file = fileOf(folder);
  if (!existsSync(file)) throw new CommandError(`${folder} holds no backup.json: is it a backup?`, 2);
  const about = parsed(file);
  if (typeof about?.stateDir !== 'string' || typeof about.takenAt !== 'string') {
    throw new CommandError(`${file} is no backup's, or is damaged: take another one`, 2);
  }
  return { ...about, stateDir: about.stateDir, takenAt: about.takenAt };
}

function parsed(file: string): Partial<BackupFile> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<BackupFile>;
  } catch {
    return undefined;
  }
}

/** Folders below the state folder that a restore fills. */
function placesOf(from: string, { member }: BackupFile): string[] {
  const all = ['members', 'orderers', 'ledger', 'channel', 'chaincode'];
  const places = member === undefined ? all : [join('members', member), join('orderers', member)];
  return places.filter((place) => existsSync(join(from, place)));
}

/** Whether a path of a member's backup is the member's own, or leads there. */
function belongs(path: string, { member = '' }: BackupFile): boolean {
  return ['members', 'orderers']
    .map((place) => join(place, member))
    .some((own) => own.startsWith(path) || path === own || path.startsWith(`${own}/`));
}

function requireMember(from: string, member: string): void {
  if (readNetwork(from).topology.members.some(({ name }) => name === member)) return;
  throw new CommandError(`no member is named ${member}`, 2);
}

type Wanted = (path: string) => boolean;

function copyAll(from: string, to: string, isWanted: Wanted): void {
  copyTree(from, to, (path) => !(dirname(path) === from && PASSING.has(relative(from, path))) && isWanted(path));
}

function copyMember(from: string, to: string, member: string, isWanted: Wanted): void {
  copyPublic(readNetwork(from), from, to);
  for (const own of [layout.member(from, member), layout.orderer(from, member)]) {
    if (existsSync(own)) copyTree(own, join(to, relative(from, own)), isWanted);
  }
}

function copyKeys(from: string, to: string, member: string | undefined): void {
  const own = member === undefined ? '' : join('members', member);
  copyTree(from, to, (path) => {
    const place = relative(from, path);
    const isOwn = `${place}/`.startsWith(`${own}/`) || own.startsWith(place) || own === '';
    return isOwn && (KEY_FILE.test(place) || KEY_FOLDER.test(place));
  });
}

/** Copies by reference where the file system can: the copy of a large ledger then takes no time. */
function copyTree(from: string, to: string, filter: (path: string) => boolean): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE, filter });
}

/** Backup and restore of what lies in a state folder: of one member on its way back, or of a whole machine. */
import { constants, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CommandError } from './command.js';
import { copyPublic, emptyFolder, rewritePaths } from './fabric/export.js';
import { writePublic } from './identity/files.js';
import { layout } from './identity/layout.js';
import { markExported, readNetwork } from './prepare.js';

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
const PASSING = new Set(['run.json', 'fabric.json', 'fabric-ca.json', 'log']);
const fileOf = (folder: string): string => join(folder, 'backup.json');
/** Below the state folder: what opens a member's content, and what it is sealed by. */
const KEY_FILE = /^members\/[^/]+\/data\/(keys\.db(-wal|-shm)?|master\.(key|json|wrapped))$/;
/** Content in clear, made anew of ledger and keys: no backup without keys may hold it. */
const CLEAR_FILE = /^members\/[^/]+\/data\/projection-[^/]*$/;
const KEY_FOLDER = /^(members(\/[^/]+(\/data)?)?)?$/;

/**
 * Copies what a member needs to come back: keys, certificates, its peers' ledgers with the private values and its
 * gateways' databases. An orderer's log is left out: with an old one it would have forgotten what it voted for. Without
 * a member, everything is copied. Whoever writes these files must stand still meanwhile. Throws a CommandError for a
 * target that holds something already.
 */
export function backUp(stateDir: string, target: string, member?: string, part: BackupPart = 'all'): void {
  const from = resolve(stateDir);
  if (member !== undefined) requireMember(from, member);
  if (`${resolve(target)}/`.startsWith(`${from}/`)) {
    throw new CommandError(`${resolve(target)} lies in ${from}: keep backups elsewhere`);
  }
  const to = emptyFolder(target);
  const opens = (path: string): boolean => [KEY_FILE, CLEAR_FILE].some((each) => each.test(relative(from, path)));
  const isWanted = (path: string): boolean => part === 'all' || !opens(path);
  if (part === 'keys') copyKeys(from, to, member);
  else if (member === undefined) copyAll(from, to, isWanted);
  else copyMember(from, to, member, isWanted);
  const about: BackupFile = {
    ...(member !== undefined && { member }),
    ...(part !== 'all' && { part }),
    stateDir: from,
    takenAt: new Date().toISOString(),
  };
  writePublic(fileOf(to), `${JSON.stringify(about)}\n`);
}

/** Deletes all but the newest backups of key stores below a folder; returns how many. */
export function keepNewest(folder: string, count: number): number {
  const taken = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((each) => existsSync(fileOf(each)))
    .map((each) => ({ each, ...readBackup(each) }))
    .filter(({ part }) => part === 'keys')
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
  copyTree(from, to, (path) => path !== fileOf(from) && (alone || belongs(relative(from, path), about)));
  if (alone && about.member !== undefined) {
    markExported(to, about.member);
  }
  rewritePaths(to, about.stateDir);
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
  for (const file of files) cpSync(join(from, file), join(to, file), { preserveTimestamps: true });
  return about;
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
  const orderer = layout.orderer(from, member);
  for (const own of [layout.member(from, member), orderer]) {
    const filter: Wanted = (path) => path !== join(orderer, 'ledger') && isWanted(path);
    if (existsSync(own)) copyTree(own, join(to, relative(from, own)), filter);
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

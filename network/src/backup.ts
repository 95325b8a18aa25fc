/** Backup and restore of what lies in a state folder: of one member on its way back, or of a whole machine. */
import { constants, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CommandError } from './command.js';
import { copyPublic, emptyFolder, rewritePaths } from './fabric/export.js';
import { writePublic } from './identity/files.js';
import { layout } from './identity/layout.js';
import { markExported, readNetwork } from './prepare.js';

/** What a backup says of itself, in its own `backup.json`. */
export interface BackupFile {
  /** Whose it is; absent = of everything in the state folder. */
  readonly member?: string;
  /** The state folder it was taken from: settings name their files by absolute paths. */
  readonly stateDir: string;
  /** RFC 3339. */
  readonly takenAt: string;
}

/** Of the running processes and of this machine: nothing that a restored folder may begin with. */
const PASSING = new Set(['run.json', 'fabric.json', 'fabric-ca.json', 'log']);
const fileOf = (folder: string): string => join(folder, 'backup.json');

/**
 * Copies what a member needs to come back: keys, certificates, its peers' ledgers with the private values and its
 * gateways' databases. An orderer's log is left out: with an old one it would have forgotten what it voted for. Without
 * a member, everything is copied. Whoever writes these files must stand still meanwhile. Throws a CommandError for a
 * target that holds something already.
 */
export function backUp(stateDir: string, target: string, member?: string): void {
  const from = resolve(stateDir);
  if (member !== undefined) requireMember(from, member);
  if (`${resolve(target)}/`.startsWith(`${from}/`)) {
    throw new CommandError(`${resolve(target)} lies in ${from}: keep backups elsewhere`);
  }
  const to = emptyFolder(target);
  if (member === undefined) copyAll(from, to);
  else copyMember(from, to, member);
  const about: BackupFile = {
    ...(member !== undefined && { member }),
    stateDir: from,
    takenAt: new Date().toISOString(),
  };
  writePublic(fileOf(to), `${JSON.stringify(about)}\n`);
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

function copyAll(from: string, to: string): void {
  copyTree(from, to, (path) => !(dirname(path) === from && PASSING.has(relative(from, path))));
}

function copyMember(from: string, to: string, member: string): void {
  copyPublic(readNetwork(from), from, to);
  const orderer = layout.orderer(from, member);
  for (const own of [layout.member(from, member), orderer]) {
    if (existsSync(own)) copyTree(own, join(to, relative(from, own)), (path) => path !== join(orderer, 'ledger'));
  }
}

/** Copies by reference where the file system can: the copy of a large ledger then takes no time. */
function copyTree(from: string, to: string, filter: (path: string) => boolean): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE, filter });
}

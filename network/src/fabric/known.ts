/** What travels with a proposed change: what everybody may know of the members, with no path of any machine in it. */
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CommandError } from '../command.js';
import { writePublic } from '../identity/files.js';
import { layout, tlsFiles } from '../identity/layout.js';
import type { MemberMaterial } from '../identity/material.js';
import type { NetworkFile } from '../prepare.js';
import type { Member } from '../topology/model.js';

/** Stands for whichever folder the files are read in. */
const HERE = '<state>';
const REQUEST = 'request.json';

/** A member as it asks to be let in: its entry, its roots and its public keys. */
export interface MemberRequest {
  readonly member: Member;
  readonly own: MemberMaterial;
}

/** Writes what is known of the members, with block 0 and the orderers' TLS certificates; `places` are those it names. */
export function writeKnown(folder: string, { topology, material }: NetworkFile, genesis: string, places: string[]) {
  for (const own of material.members) copyOrderer(own, folder);
  const network = { topology: { ...topology, file: basename(topology.file) }, material };
  writePublic(layout.network(folder), portable(network, places));
  copy(genesis, layout.genesis(folder));
}

/** Whether a proposed change tells of the members: where all share a folder it need not. */
export function hasKnown(folder: string): boolean {
  return existsSync(layout.network(folder));
}

/** The members as a proposed change has them, with files of this folder. */
export function readKnown(folder: string, here: string): NetworkFile {
  return read(layout.network(folder), here) as NetworkFile;
}

/** Writes a member's request. */
export function writeRequest(folder: string, request: MemberRequest, place: string): void {
  copyOrderer(request.own, folder);
  writePublic(join(folder, REQUEST), portable(request, [place]));
}

/** Reads a member's request, with the files that came with it. */
export function readRequest(folder: string): MemberRequest {
  return read(join(folder, REQUEST), folder) as MemberRequest;
}

/** Takes over the certificates of these members' orderers, where they have one, and block 0, from a proposed change. */
export function adoptFiles(folder: string, stateDir: string, members: readonly string[]): void {
  for (const name of members) {
    if (existsSync(certificateIn(folder, name))) copy(certificateIn(folder, name), certificateIn(stateDir, name));
  }
  copy(layout.genesis(folder), layout.genesis(stateDir));
}

function copyOrderer({ name, orderer }: MemberMaterial, folder: string): void {
  if (orderer) copy(tlsFiles(orderer.tlsDir).cert, certificateIn(folder, name));
}

/** Where a folder has the TLS certificate of a member's orderer. */
export function certificateIn(folder: string, member: string): string {
  return tlsFiles(join(layout.orderer(folder, member), 'node', 'tls')).cert;
}

function portable(content: object, places: readonly string[]): string {
  const text = JSON.stringify(content, null, 2);
  return `${places.reduce((all, place) => all.replaceAll(place, HERE), text)}\n`;
}

function read(file: string, here: string): unknown {
  if (!existsSync(file)) throw new CommandError(`${dirname(file)} holds no ${basename(file)}`, 2);
  return JSON.parse(readFileSync(file, 'utf8').replaceAll(HERE, here));
}

function copy(from: string, to: string): void {
  if (from === to) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

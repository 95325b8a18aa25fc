/**
 * What a proposed change tells of the members beyond what its update configures (roles, company prefixes, addresses, keys):
 * nobody's signature covers it, so that whoever signs or applies is shown it, and of one member alone.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../command.js';
import { tlsFiles } from '../identity/layout.js';
import type { MemberMaterial } from '../identity/material.js';
import type { NetworkFile } from '../prepare.js';
import type { Member } from '../topology/model.js';
import { entryProblem } from '../topology/parse.js';

/** A change as a folder may take it over. */
export interface ToldChange {
  /** What the folder knew, with the one member that comes, changes or goes. */
  readonly network: NetworkFile;
  /** The member; absent where nothing is new. */
  readonly member?: string;
  /** For whoever signs or applies. */
  readonly lines: readonly string[];
}

/**
 * What is new in a proposed change to a folder that knows the members. Throws a CommandError where more than one member
 * differs, or anything else than members does: such a change is none that its update could be the whole of.
 */
export function changeOfOne(known: NetworkFile, next: NetworkFile): ToldChange {
  const names = [...new Set([...known.topology.members, ...next.topology.members].map(({ name }) => name))];
  const different = names.filter((name) => !isDeepStrictEqual(sharedOf(known, name), sharedOf(next, name)));
  const [member, ...more] = different;
  if (more.length > 0) {
    throw new CommandError(
      `the change tells of ${different.join(', ')}, and a change is of one: apply what this folder missed first`,
    );
  }
  for (const part of ['channel', 'production', 'chaincode'] as const) {
    if (!isDeepStrictEqual(known.topology[part], next.topology[part])) {
      throw new CommandError(`the change tells of another ${part} than this folder's`);
    }
  }
  if (member === undefined) return { network: known, lines: [] };
  return { network: withOne(known, next, member), member, lines: linesOf(known, next, member) };
}

/** What members share of one: where its nodes bind, and who issues its identities, is its own. */
function sharedOf({ topology, material }: NetworkFile, name: string): object | undefined {
  const entry = topology.members.find((each) => each.name === name);
  const own = material.members.find((each) => each.name === name);
  return entry && own && { ...sharedEntry(entry), ...sharedRoots(own), ordererKey: ordererKey(own) };
}

function sharedEntry({ mspId, title, roles, gs1, peers, gateways, orderer }: Member): object {
  return {
    ...{ mspId, title, roles, gs1 },
    peers: peers.map(({ name, host, port }) => ({ name, host, port })),
    doors: gateways.map(({ name, host, doorPort }) => ({ name, host, doorPort })),
    orderer: orderer && { host: orderer.host, port: orderer.port },
  };
}

function sharedRoots({ ca, tlsCa, orderer }: MemberMaterial): object {
  return { ca, tlsCa, ordererRoots: orderer && [orderer.ca, orderer.tlsCa] };
}

/** The key by which the others know a member's orderer: of the certificate that lies beside what is known of it. */
function ordererKey({ orderer }: MemberMaterial): string | undefined {
  const file = orderer && tlsFiles(orderer.tlsDir).cert;
  if (file === undefined || !existsSync(file)) return undefined;
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('hex');
}

function keyLines(known: NetworkFile, next: NetworkFile, name: string): readonly string[] {
  const keyIn = ({ material }: NetworkFile) => {
    const own = material.members.find((each) => each.name === name);
    return own && ordererKey(own);
  };
  const [before, after] = [keyIn(known), keyIn(next)];
  if (before === undefined || after === undefined || before === after) return [];
  return [`the orderer of ${name} has another TLS key, in SHA-256: ${after}; before: ${before}`];
}

function withOne(known: NetworkFile, next: NetworkFile, name: string): NetworkFile {
  const put = <T extends { readonly name: string }>(all: readonly T[], others: readonly T[]): readonly T[] => {
    const one = others.find((each) => each.name === name);
    const kept = all.filter((each) => each.name !== name || one !== undefined);
    const replaced = kept.map((each) => (each.name === name ? (one ?? each) : each));
    return one === undefined || kept.some((each) => each.name === name) ? replaced : [...replaced, one];
  };
  const members = put(known.topology.members, next.topology.members);
  const isGone = members.every((each) => each.name !== name);
  const former = isGone ? [...known.topology.former, name] : known.topology.former;
  return {
    topology: { ...known.topology, members, former },
    material: { ...known.material, members: put(known.material.members, next.material.members) },
  };
}

function linesOf(known: NetworkFile, next: NetworkFile, name: string): readonly string[] {
  const entry = next.topology.members.find((each) => each.name === name);
  if (entry === undefined) return [`${name} leaves`];
  const problem = entryProblem(entry);
  if (problem !== undefined) throw new CommandError(`the entry of ${name} is none of a topology file: ${problem}`);
  const isKnown = known.topology.members.some((each) => each.name === name);
  const { roles, gs1, peers } = entry;
  const prefixes = gs1.companyPrefixes.length === 0 ? 'none' : gs1.companyPrefixes.join(' ');
  return [
    `${name} ${isKnown ? 'changes' : 'comes'}: MSP ${entry.mspId}, "${entry.title}"`,
    `${name} has the roles: ${roles.join(' ')}; GS1 company prefixes: ${prefixes}`,
    `${name} is reached at: ${peers.map(({ host, port }) => `${host}:${port}`).join(' ')}`,
    ...keyLines(known, next, name),
  ];
}

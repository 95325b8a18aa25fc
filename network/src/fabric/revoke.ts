import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command.js';
import { configUpdate } from '../config/update/delta.js';
import { revocationsOf, withRevocations } from '../config/update/revocations.js';
import { revokedSerialNumbers } from '../identity/authority.js';
import { memberAccess } from '../identity/fabric-ca/access.js';
import { type KeyFiles, mspFiles } from '../identity/layout.js';
import { issuerOf, type MemberMaterial } from '../identity/material.js';
import { readNetwork } from '../prepare.js';
import { type MemberPair, memberPairs, ownPairs, peerAdmins } from './establish.js';
import { applyUpdate, memberSignatures, presentConfiguration, runningChannel } from './reconfigure.js';

/**
 * Revokes a certificate of a member: its authority's revocation list goes into the channel's configuration, by which
 * every peer and orderer refuses the identity from the next block on. Returns the serial number. The certificate moves
 * to `ca/revoked` and its key is deleted, so that the node has a new one at its next start.
 */
export async function revokeIdentity(stateDir: string, memberName: string, identity: string): Promise<string> {
  const network = readNetwork(stateDir);
  const pair = memberPairs(network).find(({ member }) => member.name === memberName);
  if (!pair) throw new CommandError(`no member is named ${memberName}`, 2);
  if (ownPairs([pair]).length === 0) {
    throw new CommandError(`the administrator of ${memberName} is not in ${stateDir}: it revokes in its own folder`, 2);
  }
  const files = identityFiles(pair.own, identity);
  const certificate = new X509Certificate(readFileSync(files.cert));
  const [speaker] = peerAdmins(pair);
  if (!speaker) throw new CommandError(`${memberName} runs no peer`);
  const channel = runningChannel(stateDir, network);
  const present = await presentConfiguration(speaker, channel.channel);
  const lists = await extendedLists(pair, revocationsOf(present, pair.own.mspId), certificate);
  const wanted = withRevocations(present, pair.own.mspId, lists);
  const update = configUpdate(channel.channel, present, wanted)?.serializeBinary();
  // A member's own administrator alone may change its MSP; the list is the member's own affair.
  if (update) await applyUpdate(channel, update, memberSignatures(network, memberName, update), speaker);
  retire(pair.own, files, certificate);
  return certificate.serialNumber;
}

/** Certificate and key of peer0, gateway0 and the like; throws when there is none of that name. */
function identityFiles(own: MemberMaterial, identity: string): KeyFiles {
  const found = new Map<string, KeyFiles>([
    ...own.peers.map(({ name, mspDir }) => [name, mspFiles(mspDir)] as const),
    ...own.gateways.map(({ name, dir }) => [name, { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') }] as const),
  ]);
  const files = found.get(identity);
  if (files && existsSync(files.cert)) return files;
  const has = [...found.keys()].join(', ');
  throw new CommandError(`${own.name} has no identity ${identity}; it has ${has}`, 2);
}

/** All the member has revoked so far and one more: the new list, and those earlier ones that it does not include. */
async function extendedLists(
  { member, own }: MemberPair,
  present: readonly Uint8Array[],
  certificate: X509Certificate,
): Promise<Buffer[]> {
  const earlier = present.map((list) => Buffer.from(list).toString());
  const issuer = await issuerOf(own.dir, own.name, memberAccess(member, own.dir));
  const list = await issuer.revocation(certificate, earlier);
  const named = new Set(revokedSerialNumbers(list));
  const kept = earlier.filter((each) => !revokedSerialNumbers(each).every((serial) => named.has(serial)));
  return [...kept, list].map((each) => Buffer.from(each));
}

function retire(own: MemberMaterial, files: KeyFiles, certificate: X509Certificate): void {
  const folder = join(own.dir, 'ca', 'revoked');
  mkdirSync(folder, { recursive: true });
  renameSync(files.cert, join(folder, `${certificate.serialNumber}.pem`));
  rmSync(files.key);
}

import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command.js';
import { configUpdate } from '../config/update/delta.js';
import { revocationsOf, withRevocations } from '../config/update/revocations.js';
import { revokedSerialNumbers } from '../identity/authority.js';
import { type KeyFiles, layout } from '../identity/layout.js';
import { ensureMember, issuerOf } from '../identity/material.js';
import { pendingFiles, writeLists } from '../identity/revoked.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import { type MemberPair, memberPairs, ordererPairs, ownPairs, peerAdmins } from './establish.js';
import { applyUpdate, memberSignatures, presentConfiguration, runningChannel } from './reconfigure.js';
import { restartOrderer } from './restart.js';
import { isPending, type Issuing, type Revocable, revocableOf } from './revocable.js';

/** What became of a certificate that was to be revoked. */
export interface Revocation {
  readonly serialNumber: string;
  /** False: its successor lies in its place and must serve first; asked for again, the certificate is revoked. */
  readonly isInForce: boolean;
  /** Whether another certificate has its place already; else it is made at the node's next start. */
  readonly isReplaced: boolean;
}

/**
 * Revokes a certificate of a member: its authority's revocation list goes into the channel's configuration, by which
 * every peer and orderer refuses the identity from the next block on. The certificate moves to `ca/revoked` and its key
 * is deleted. Whatever interrupts it, asked for again it does the rest.
 */
export async function revokeIdentity(stateDir: string, memberName: string, identity: string): Promise<Revocation> {
  const network = readNetwork(stateDir);
  const pair = memberPairs(network).find(({ member }) => member.name === memberName);
  if (!pair) {
    const names = network.topology.members.map(({ name }) => name).join(', ');
    throw new CommandError(`no member is named ${memberName}; there are ${names}`, 2);
  }
  // Where its administrator is about to be revoked, its key may be on its way.
  if (ownPairs([pair]).length === 0 && !existsSync(pendingFiles(pair.own.dir, 'admin').cert)) {
    throw new CommandError(`the administrator of ${memberName} is not in ${stateDir}: it revokes in its own folder`, 2);
  }
  const what = revocableOf(pair, identity);
  if (!what.isReplacedFirst) return revoked(stateDir, network, { pair, what, files: what.files });
  const files = pendingFiles(what.by.dir, identity);
  const mayGoOn = await replace(stateDir, network, { pair, what, files });
  if (mayGoOn) return revoked(stateDir, network, { pair, what, files });
  return { serialNumber: certificateIn(files).serialNumber, isInForce: false, isReplaced: true };
}

/** A certificate on its way out, and where it lies now. */
interface Leaving {
  readonly pair: MemberPair;
  readonly what: Revocable;
  readonly files: KeyFiles;
}

/** Has another take its place. False when that was done just now and does not serve yet, since we do not run the node. */
async function replace(stateDir: string, { topology }: NetworkFile, { pair, what, files }: Leaving): Promise<boolean> {
  const { member } = pair;
  const wasPending = isPending(what);
  if (!wasPending) {
    mkdirSync(layout.revoking(what.by.dir), { recursive: true });
    // The certificate first: without it the key is made anew, without its key it would be of no use to anybody.
    renameSync(what.files.cert, files.cert);
    renameSync(what.files.key, files.key);
  }
  try {
    await ensureMember(member, stateDir);
  } catch (error) {
    // Nobody issues another: the present one stays.
    if (!existsSync(what.files.cert) && existsSync(files.key)) {
      renameSync(files.key, what.files.key);
      renameSync(files.cert, what.files.cert);
    }
    throw error;
  }
  const [orderer] = what.identity === 'orderer' ? ordererPairs([pair]) : [];
  return !orderer || (await restartOrderer(stateDir, orderer, topology.channel)) || wasPending;
}

async function revoked(stateDir: string, network: NetworkFile, { pair, what, files }: Leaving): Promise<Revocation> {
  const { by, isReplacedFirst } = what;
  const certificate = certificateIn(files);
  const [speaker] = peerAdmins(pair);
  if (!speaker) throw new CommandError(`${pair.member.name} runs no peer`);
  const channel = runningChannel(stateDir, network);
  const present = await presentConfiguration(speaker, channel.channel);
  const lists = await extendedLists(by, revocationsOf(present, by.mspId), certificate);
  const wanted = withRevocations(
    present,
    by.mspId,
    lists.map((each) => Buffer.from(each)),
  );
  const update = configUpdate(channel.channel, present, wanted)?.serializeBinary();
  // An organisation's own administrator alone may change its MSP; the list is its own affair.
  if (update) await applyUpdate(channel, update, memberSignatures(network, pair.member.name, update), speaker);
  writeLists(layout.revocationLists(by.dir), lists);
  mkdirSync(layout.revoked(by.dir), { recursive: true });
  renameSync(files.cert, join(layout.revoked(by.dir), `${certificate.serialNumber}.pem`));
  rmSync(files.key, { force: true });
  return { serialNumber: certificate.serialNumber, isInForce: true, isReplaced: isReplacedFirst };
}

function certificateIn({ cert }: KeyFiles): X509Certificate {
  return new X509Certificate(readFileSync(cert));
}

/** All the organisation has revoked so far and one more: the new list, and those earlier ones that it does not include. */
async function extendedLists(
  { dir, organisation, access }: Issuing,
  present: readonly Uint8Array[],
  certificate: X509Certificate,
): Promise<string[]> {
  const earlier = present.map((list) => Buffer.from(list).toString());
  const issuer = await issuerOf(dir, organisation, access);
  const list = await issuer.revocation(certificate, earlier);
  const named = new Set(revokedSerialNumbers(list));
  const kept = earlier.filter((each) => !revokedSerialNumbers(each).every((serial) => named.has(serial)));
  return [...kept, list];
}

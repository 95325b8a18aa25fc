import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command.js';
import { ensureGatewayKey } from '../identity/gateway-key.js';
import { gatewayFiles, type KeyFiles, layout } from '../identity/layout.js';
import { ensureMember } from '../identity/material.js';
import { pendingFiles, writeLists } from '../identity/revoked.js';
import { type NetworkFile, readNetwork } from '../prepare.js';
import {
  broadcastAddresses,
  type MemberPair,
  memberPairs,
  type OrdererPair,
  ordererPairs,
  ownPairs,
  peerAdmins,
} from './establish.js';
import { withClient } from './lifecycle.js';
import { listed } from './listing.js';
import { blockSignerAt } from './newest-block.js';
import { anyAnswering, runningChannel } from './reconfigure.js';
import { restartOrderer } from './restart.js';
import { isPending, type Revocable, revocableOf } from './revocable.js';

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
  // Where nothing runs nothing is replaced.
  if (!isPending(what)) await anyAnswering(runningChannel(stateDir, network));
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

/** Has another take its place. False when that does not serve yet, since we do not run the node. */
async function replace(stateDir: string, network: NetworkFile, { pair, what, files }: Leaving): Promise<boolean> {
  const { member } = pair;
  if (!isPending(what)) {
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
  if (!orderer || (await signsWith(network, pair, orderer, what.files))) return true;
  await requireOtherOrderers(network, pair);
  return restartOrderer(stateDir, orderer, network.topology.channel);
}

/** Whether an orderer signs blocks with this certificate by now. */
async function signsWith(network: NetworkFile, pair: MemberPair, orderer: OrdererPair, { cert }: KeyFiles) {
  const signer = await signerAt(network, pair, orderer).catch(() => undefined);
  return signer === readFileSync(cert, 'utf8');
}

/** Throws a CommandError where ordering would stand still while this member's orderer starts again. */
async function requireOtherOrderers(network: NetworkFile, pair: MemberPair): Promise<void> {
  const all = ordererPairs(memberPairs(network));
  const others = all.filter(({ member }) => member.name !== pair.member.name);
  const answers = await Promise.allSettled(others.map((each) => signerAt(network, pair, each)));
  const away = others.filter((_, index) => answers[index]?.status === 'rejected').map(({ member }) => member.name);
  if (away.length === 0 || others.length - away.length > all.length / 2) return;
  throw new CommandError(
    `the orderer of ${pair.member.name} is not started again while that of ${away.join(', ')} is away: nothing could be ordered`,
  );
}

/** The certificate with which an orderer signs blocks, asked for by the member's administrator. */
async function signerAt(network: NetworkFile, pair: MemberPair, orderer: OrdererPair): Promise<string> {
  const [speaker] = peerAdmins(pair);
  const [node] = broadcastAddresses([orderer]);
  if (!speaker || !node) throw new CommandError(`${pair.member.name} runs no peer`);
  return blockSignerAt(withClient(node, speaker), speaker.administrator, network.topology.channel);
}

async function revoked(stateDir: string, network: NetworkFile, { pair, what, files }: Leaving): Promise<Revocation> {
  const { by, isReplacedFirst } = what;
  const certificate = certificateIn(files);
  const [speaker] = peerAdmins(pair);
  if (!speaker) throw new CommandError(`${pair.member.name} runs no peer`);
  writeLists(layout.revocationLists(by.dir), await listed(stateDir, network, { pair, speaker, by, certificate }));
  if (what.gatewayDir !== undefined) replaceGatewayKeys(what.gatewayDir);
  mkdirSync(layout.revoked(by.dir), { recursive: true });
  renameSync(files.cert, join(layout.revoked(by.dir), `${certificate.serialNumber}.pem`));
  rmSync(files.key, { force: true });
  return { serialNumber: certificate.serialNumber, isInForce: true, isReplaced: isReplacedFirst };
}

/**
 * A gateway signs with another key from its next start on, and registers it in place of the one before; its door has another key
 * then. Until then it runs with those it had, and an access under them needs a transaction, which peers refuse it.
 */
function replaceGatewayKeys(dir: string): void {
  const { cert, key, jwk } = gatewayFiles(dir);
  for (const file of [key, cert, jwk]) rmSync(file, { force: true });
  ensureGatewayKey(jwk);
}

function certificateIn({ cert }: KeyFiles): X509Certificate {
  return new X509Certificate(readFileSync(cert));
}

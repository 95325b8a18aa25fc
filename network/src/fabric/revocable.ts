import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command.js';
import { memberAccess, ordererAccess } from '../identity/fabric-ca/access.js';
import type { FabricCaAccess } from '../identity/fabric-ca/fabric-ca.js';
import { type KeyFiles, mspFiles } from '../identity/layout.js';
import { pendingFiles } from '../identity/revoked.js';
import type { MemberPair } from './establish.js';

/** The organisation that issued an identity: a member, or its orderer's. */
export interface Issuing {
  readonly mspId: string;
  /** Its folder, with its authority in it. */
  readonly dir: string;
  readonly organisation: string;
  /** Of the Fabric CA that issues in its place. */
  readonly access?: FabricCaAccess;
}

/** A certificate of a member that can be revoked. */
export interface Revocable {
  /** As the command line names it: peer0, gateway0, admin, orderer, orderer-admin. */
  readonly identity: string;
  readonly files: KeyFiles;
  readonly by: Issuing;
  /** Folder of further keys that whoever has this one has too: a gateway's, to its door and to what it signs for others. */
  readonly gatewayDir?: string;
  /**
   * Whether another takes its place before it is revoked: without an administrator nobody could change the channel, and what
   * an orderer signed under a revoked certificate no peer would take. A peer or gateway has another at its next start.
   */
  readonly isReplacedFirst: boolean;
}

/** What of a member can be revoked by this name. Throws a CommandError, which lists the names, when there is nothing. */
export function revocableOf(pair: MemberPair, identity: string): Revocable {
  const all = revocables(pair);
  const found = all.find((each) => each.identity === identity);
  if (found && (existsSync(found.files.cert) || isPending(found))) return found;
  const has = all.map((each) => each.identity).join(', ');
  throw new CommandError(
    found
      ? `${identity} of ${pair.member.name} is revoked already, and has a new certificate at its next start`
      : `${pair.member.name} has no identity ${identity}; it has ${has}`,
    2,
  );
}

/** Whether another has taken its place, and it is yet to be revoked: it was interrupted there. */
export function isPending({ by, identity }: Revocable): boolean {
  return existsSync(pendingFiles(by.dir, identity).cert);
}

function revocables({ member, own }: MemberPair): Revocable[] {
  const by = { mspId: own.mspId, dir: own.dir, organisation: own.name, ...accessed(memberAccess(member, own.dir)) };
  return [
    ...own.peers.map(({ name, mspDir }) => ({
      ...{ identity: name, files: mspFiles(mspDir), by, isReplacedFirst: false },
    })),
    ...own.gateways.map(({ name, dir }) => ({
      ...{ identity: name, files: { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') }, by },
      gatewayDir: dir,
      isReplacedFirst: false,
    })),
    { identity: 'admin', files: mspFiles(own.adminMspDir), by, isReplacedFirst: true },
    ...ofOrderer({ member, own }),
  ];
}

function ofOrderer({ member, own }: MemberPair): Revocable[] {
  const { orderer } = own;
  if (!orderer) return [];
  const { mspId, dir } = orderer;
  const organisation = `${member.name}-orderer`;
  const by = { mspId, dir, organisation, ...accessed(ordererAccess(member, own.dir)) };
  return [
    { identity: 'orderer', files: mspFiles(orderer.mspDir), by, isReplacedFirst: true },
    { identity: 'orderer-admin', files: mspFiles(orderer.adminMspDir), by, isReplacedFirst: true },
  ];
}

function accessed(access: FabricCaAccess | undefined): { access?: FabricCaAccess } {
  return access ? { access } : {};
}
